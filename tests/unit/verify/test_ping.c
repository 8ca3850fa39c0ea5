/* SPDX-License-Identifier: MIT */
/* The proof of a run of ping, from logs that are written here. */
#include "verify/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rotated.h"
#include "support.h"
#include "unit.h"

#define DAY "2026-11-21;"
#define AT DAY "10:00:00.000;"
#define ANSWERED(n, m, c) AT "[" #n "] PING;10:00:00.500;[" #m "/" #n "] PONG (" #c ")\n"
#define IGNORED(n) AT "[" #n "] PING;(ignored);(ignored)\n"
#define TIMEOUT(n) AT "[" #n "] PING;10:00:02.000;(timeout)\n"
#define LATE(n, m, c) AT "client late: [" #m "/" #n "] PONG (" #c ");;\n"
#define KEEPALIVE(m) DAY ";;10:00:05.000;[" #m "] keepalive\n"
#define JOINED(port, c) AT "127.0.0.1:" #port " connected as client " #c ";;\n"
#define BEGUN(port) AT "client connected from 127.0.0.1:" #port " to 127.0.0.1:2005, seed 1;;\n"

static struct verdict verdict;
static struct error error;

static void begin(void)
{
	scratch_enter();
	ck_assert_int_eq(mkdir("logs", 0700), 0);
}

static int prove(const char *server, const char *first, const char *second)
{
	const struct verify_job job = {.log = "logs/server.log", .clients = second ? 2 : 1};
	if (server)
		file_write("logs/server.log", server);
	file_write("logs/client1.log", first);
	if (second)
		file_write("logs/client2.log", second);
	return verify_ping(&job, &verdict, &error);
}

static void assert_good(const char *server, const char *first, const char *second,
			const char *words)
{
	ck_assert_msg(prove(server, first, second) == 0, "%s", error.message);
	ck_assert_str_eq(verdict.message, words);
	ck_assert(verdict.good && verdict.complete);
}

static void assert_bad(const char *server, const char *first, const char *second, const char *words)
{
	ck_assert_msg(prove(server, first, second) == 0, "%s", error.message);
	ck_assert_str_eq(verdict.message, words);
	ck_assert(!verdict.good);
}

/* Client 1 is the server's 2, and the other way round; [1] was ignored of both, [2] was late. */
static const char good_server[] = KEEPALIVE(1) JOINED(5, 1) JOINED(6, 2) IGNORED(1)
	ANSWERED(0, 2, 2) KEEPALIVE(3) IGNORED(1) ANSWERED(2, 4, 2) ANSWERED(0, 5, 1);
static const char good_first[] =
	BEGUN(6) ANSWERED(0, 2, 2) KEEPALIVE(3) TIMEOUT(1) TIMEOUT(2) LATE(2, 4, 2);
static const char good_second[] = BEGUN(5) KEEPALIVE(3) ANSWERED(0, 5, 1) TIMEOUT(1);
static const char good_words[] =
	"5 requests, 3 answered, 1 of them late; 2 ignored on purpose, each with its time-out; "
	"0 really lost; 2 keepalives; M 1 to 5 without gaps over all logs";

START_TEST(what_is_right_in_two_files_is_right)
{
	for (size_t lines = 0; write_rotated("logs/server.log", good_server, lines); lines++)
		assert_good(NULL, good_first, good_second, good_words);
}
END_TEST

START_TEST(what_is_right)
{
	assert_good(good_server, good_first, good_second, good_words);
	/* one that was never answered is known by its address, and may have missed the rest */
	assert_good(JOINED(5, 1) JOINED(6, 2) IGNORED(0) ANSWERED(0, 1, 2) KEEPALIVE(2),
		    BEGUN(5) TIMEOUT(0), BEGUN(6) ANSWERED(0, 1, 2) KEEPALIVE(2),
		    "2 requests, 1 answered, 0 of them late; 1 ignored on purpose, each with its "
		    "time-out; 0 really lost; 1 keepalive; M 1 to 2 without gaps over all logs");
}
END_TEST

START_TEST(other_formats)
{
	static const char csv[] =
		"time,level,peer,event,text\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,server,note,\"listening on x, service "
		"ping\"\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,note,connected as client 1\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,received,[0] PING\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,sent,[1/0] PONG (1)\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,everyone,sent,[2] keepalive\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,received,[1] PING\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,ignored,[1] PING\n";
	assert_good(csv, BEGUN(5) ANSWERED(0, 1, 1) KEEPALIVE(2) TIMEOUT(1), NULL,
		    "2 requests, 1 answered, 0 of them late; 1 ignored on purpose, each with its "
		    "time-out; 0 really lost; 1 keepalive; M 1 to 2 without gaps over all logs");
}
END_TEST

/* The one that was never answered is known by its address alone, without the name. */
START_TEST(clients_with_certificates)
{
#define NAMED(port, name, c) AT "127.0.0.1:" #port " (" name ") connected as client " #c ";;\n"
#define FROM "2026-11-21T10:00:00.000000+00:00,INFO,1.1.1.1:5,client,"
	static const char csv[] =
		"time,level,peer,certificate,event,text\n" /* to all goes what has no name */
		FROM "note,connected as client 1\n" FROM "received,[0] PING\n" FROM
		"sent,[1/0] PONG (1)\n"
		"2026-11-21T10:00:00.000000+00:00,INFO,everyone,,sent,[2] keepalive\n" FROM
		"received,[1] PING\n" FROM "ignored,[1] PING\n";
	static const char words[] =
		"2 requests, 1 answered, 0 of them late; 1 ignored on purpose, each with its "
		"time-out; 0 really lost; 1 keepalive; M 1 to 2 without gaps over all logs";
	assert_good(NAMED(5, "sensor-7", 1) NAMED(6, "connected", 2) IGNORED(0) ANSWERED(0, 1, 2)
			    KEEPALIVE(2),
		    BEGUN(5) TIMEOUT(0), BEGUN(6) ANSWERED(0, 1, 2) KEEPALIVE(2), words);
	assert_good(csv, BEGUN(5) ANSWERED(0, 1, 1) KEEPALIVE(2) TIMEOUT(1), NULL, words);
}
END_TEST

START_TEST(what_is_lost)
{
	static const char words[] =
		"requests were lost: 1 request, 0 answered, 0 of them late; 0 ignored on purpose, "
		"each with its time-out; 1 really lost; 0 keepalives; M 1 to ";
	/* on the way back, and on the way there */
	ck_assert_int_eq(prove(JOINED(5, 1) ANSWERED(0, 1, 1), BEGUN(5) TIMEOUT(0), NULL), 0);
	ck_assert_mem_eq(verdict.message, words, sizeof words - 1);
	ck_assert(!verdict.good);
	ck_assert_int_eq(prove(JOINED(5, 1), BEGUN(5) TIMEOUT(0), NULL), 0);
	ck_assert_mem_eq(verdict.message, words, sizeof words - 1);
	ck_assert(!verdict.good);
	/* of two that got no answer one was ignored */
	ck_assert_int_eq(prove(JOINED(5, 1) JOINED(6, 2) IGNORED(0), BEGUN(5) TIMEOUT(0),
			       BEGUN(6) TIMEOUT(0)),
			 0);
	ck_assert_ptr_nonnull(strstr(verdict.message, " 1 ignored on purpose"));
	ck_assert_ptr_nonnull(strstr(verdict.message, " 1 really lost"));
	ck_assert(!verdict.good);
}
END_TEST

START_TEST(nothing_proves_nothing)
{
	ck_assert_int_eq(prove(JOINED(5, 1), BEGUN(5), NULL), 0);
	ck_assert_ptr_eq(strstr(verdict.message, "no request was sent: 0 requests"),
			 verdict.message);
	ck_assert(!verdict.good);
}
END_TEST

START_TEST(faults_of_the_server)
{
	assert_bad(JOINED(5, 1) ANSWERED(0, 2, 1), BEGUN(5) ANSWERED(0, 2, 1), NULL,
		   "logs/server.log line 2: message 2 follows message 0");
	assert_bad(JOINED(5, 1) ANSWERED(0, 1, 1) KEEPALIVE(1), BEGUN(5) ANSWERED(0, 1, 1), NULL,
		   "logs/server.log line 3: message 1 follows message 1");
	assert_bad(JOINED(5, 1) AT "[0] PING;10:00:00.500;[1/3] PONG (1)\n", BEGUN(5) TIMEOUT(0),
		   NULL, "logs/server.log line 2: the answer is not one to the request");
	assert_bad(JOINED(5, 1) AT "PING;(ignored);(ignored)\n", BEGUN(5) TIMEOUT(0), NULL,
		   "logs/server.log line 2: the ignored line is not a request of ping");
	assert_bad(JOINED(5, 1) DAY ";;10:00:00.500;error: x\n", BEGUN(5) TIMEOUT(0), NULL,
		   "logs/server.log line 2: the server's message is not a message of ping");
	assert_bad(JOINED(5, 1) "2026-11-21;10:00\n", BEGUN(5) TIMEOUT(0), NULL,
		   "logs/server.log line 2: it is not a record");
	assert_bad(JOINED(5, 1) "2026-11-21;;;10:00:05.000;[1] keepal", BEGUN(5) TIMEOUT(0), NULL,
		   "logs/server.log line 2: it has no line end");
	assert_bad(JOINED(5, 1) ANSWERED(0, 1, 1) ANSWERED(1, 2, 1), BEGUN(5) ANSWERED(0, 1, 1),
		   NULL, "the server has answered 2 requests, of which clients know 1");
	assert_bad(JOINED(5, 1) ANSWERED(0, 1, 1) IGNORED(0), BEGUN(5) ANSWERED(0, 1, 1), NULL,
		   "[0] PING was ignored, and no client has its time-out");
}
END_TEST

START_TEST(faults_of_a_client)
{
	static const char server[] = JOINED(5, 1) ANSWERED(0, 1, 1) KEEPALIVE(2) ANSWERED(1, 3, 1);
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1) ANSWERED(1, 3, 1), NULL,
		   "client 1 did not get [2] keepalive");
	assert_bad(server, BEGUN(5) KEEPALIVE(2) ANSWERED(0, 1, 1), NULL,
		   "logs/client1.log line 3: message 1 comes after message 2");
	assert_bad(server, BEGUN(5) KEEPALIVE(2) ANSWERED(1, 3, 1), NULL,
		   "client 1 has no result for [0] PING");
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1) KEEPALIVE(2) ANSWERED(1, 4, 1), NULL,
		   "client 1 got message 4 for [1] PING, which the server did not send it");
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1) KEEPALIVE(2) KEEPALIVE(4), NULL,
		   "client 1 got [4] keepalive, which the server never sent");
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1) ANSWERED(1, 3, 2), NULL,
		   "logs/client1.log line 3: the client's number has changed");
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1) TIMEOUT(0), NULL,
		   "logs/client1.log line 3: the request already has a result, or has none yet");
	assert_bad(server, BEGUN(5) LATE(0, 1, 1), NULL,
		   "logs/client1.log line 2: the request already has a result, or has none yet");
	assert_bad(server, BEGUN(5) "2026-11", NULL, "logs/client1.log line 2: it has no line end");
	assert_bad(server, BEGUN(5) "2026-11-21;10:00:00.000;[1] PI\n", NULL,
		   "logs/client1.log line 2: it is not a record");
	assert_bad(server, BEGUN(5) AT "[1] PI;10:00:02.000;(timeout)\n", NULL,
		   "logs/client1.log line 2: the client's line is not a request of ping");
	assert_bad(server, BEGUN(5) TIMEOUT(18446744073709551615), NULL,
		   "logs/client1.log line 2: the number of the request is too high");
	assert_bad(server, BEGUN(7) TIMEOUT(0), NULL, "client 1: " VERDICT_NO_ADDRESS);
	assert_bad("", BEGUN(7) TIMEOUT(0), NULL,
		   "client 1: its connection is not in the server's log");
	assert_bad(server, BEGUN(5) ANSWERED(0, 1, 1), BEGUN(5) ANSWERED(0, 1, 1),
		   "clients 1 and 2 are both the server's 1");
}
END_TEST

START_TEST(what_cannot_be_read)
{
	const struct verify_job job = {.log = "logs/server.log", .clients = 1};
	ck_assert_int_eq(verify_ping(&job, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read logs/server.log: No such file or directory");
	file_write("logs/server.log", JOINED(5, 1));
	ck_assert_int_eq(verify_ping(&job, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read logs/client1.log: No such file or directory");
}
END_TEST

/* With -append the runs before this one do not count. */
START_TEST(an_earlier_run_is_passed_over)
{
	static const char earlier[] = ANSWERED(7, 9, 3);
	struct verify_job job = {
		.log = "logs/server.log", .clients = 1, .from.offset = sizeof earlier - 1};
	file_write("logs/server.log", ANSWERED(7, 9, 3) JOINED(5, 1) ANSWERED(0, 1, 1));
	file_write("logs/client1.log", BEGUN(5) ANSWERED(0, 1, 1));
	ck_assert_int_eq(verify_ping(&job, &verdict, &error), 0);
	ck_assert_msg(verdict.good, "%s", verdict.message);
	job.from.offset = 0;
	ck_assert_int_eq(verify_ping(&job, &verdict, &error), 0);
	ck_assert(!verdict.good);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("verify_ping");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, what_is_right);
	tcase_add_test(cases, what_is_right_in_two_files_is_right);
	tcase_add_test(cases, other_formats);
	tcase_add_test(cases, clients_with_certificates);
	tcase_add_test(cases, what_is_lost);
	tcase_add_test(cases, nothing_proves_nothing);
	tcase_add_test(cases, faults_of_the_server);
	tcase_add_test(cases, faults_of_a_client);
	tcase_add_test(cases, what_cannot_be_read);
	tcase_add_test(cases, an_earlier_run_is_passed_over);
	int status = unit_main("verify_ping", cases, NULL);
	scratch_remove();
	return status;
}
