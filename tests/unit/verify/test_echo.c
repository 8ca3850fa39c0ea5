/* SPDX-License-Identifier: MIT */
/* The proof for the service echo: each line is answered with itself. */
#include "verify/run.h"

#include <string.h>

#include "rotated.h"
#include "support.h"
#include "unit.h"

#define LOG "v.log"
#define A "127.0.0.1:4000"
#define B "127.0.0.1:4001"
#define RECORD "INFO\t| 2019-02-24 15:10:14.123 --"
#define HELLO(c, m) "Hello from client " #c ", message " #m
#define GOT(peer, c, m) RECORD peer " received: " HELLO(c, m) "\n"
#define SENT(peer, c, m) RECORD peer " sent: " HELLO(c, m) "\n"
#define BOTH(peer, c, m) GOT(peer, c, m) SENT(peer, c, m)
#define ALL(peer, c)                                                                               \
	RECORD peer " connected\n" BOTH(peer, c, 1) BOTH(peer, c, 2) RECORD peer " disconnected\n"
#define THREAD(c, k, m) "Hello from client " #c ", thread " #k ", message " #m
#define THREADS(peer, k, m)                                                                        \
	RECORD peer " received: " THREAD(1, k, m) "\n" RECORD peer " sent: " THREAD(1, k, m) "\n"
#define TWO(peer) "plan 2 1 1 shared\nconnection 0 " peer "\nthread 0 1 1 0\nthread 1 1 1 0\nend\n"
#define PART(peer, event, words) RECORD peer " " event ": " words "\n"
#define ACCOUNT(peer) "plan 1 2 1 shared\nconnection 0 " peer "\nthread 0 2 2 0\nend\n"

static struct verdict prove(const char *log, const char *const texts[2])
{
	struct client_result client_results[2] = {{0}};
	struct error error = {""};
	struct verdict verdict;
	size_t count = 0;
	if (log)
		file_write(LOG, log);
	for (; count < 2 && texts[count]; count++)
		ck_assert_int_eq(client_result_read(&client_results[count], texts[count],
						    strlen(texts[count]), &error),
				 0);
	const struct verify_job job = {
		.log = LOG, .client_results = client_results, .clients = count, .echoes = true};
	ck_assert_msg(verify_workload("echo", &job, &verdict, &error) == 0, "%s", error.message);
	for (size_t i = 0; i < count; i++)
		client_result_free(&client_results[i]);
	return verdict;
}

static const struct {
	const char *log, *client_results[2], *words;
} good[] = {
	{ALL(A, 1) ALL(B, 2),
	 {ACCOUNT(A), ACCOUNT(B)},
	 "4 lines sent, 4 echoed, 4 in v.log, each echo as it was sent"},
	{GOT(A, 1, 1) BOTH(B, 2, 1) SENT(A, 1, 1) GOT(B, 2, 2) BOTH(A, 1, 2) SENT(B, 2, 2),
	 {ACCOUNT(A), ACCOUNT(B)},
	 "4 lines sent, 4 echoed, 4 in v.log, each echo as it was sent"},
	{ALL(A, 1) RECORD "10.0.0.9:7 received: other\n" RECORD "10.0.0.9:7 sent: other\n",
	 {ACCOUNT(A)},
	 "2 lines sent, 2 echoed, 2 in v.log, each echo as it was sent (and 1 line from 1 other "
	 "connection)"},
	{THREADS(A, 0, 1) THREADS(A, 1, 1),
	 {TWO(A)},
	 "2 lines sent, 2 echoed, 2 in v.log, each echo as it was sent"},
	/* in parts, as the bytes came; of line 11 one looks like line 1 */
	{BOTH(A, 1, 1) PART(A, "received", "Hell") PART(A, "sent", "Hell") PART(A, "received", "o")
		 PART(A, "received", " from client 1, message 2") BOTH(B, 2, 1)
			 PART(A, "sent", "o from client 1, message 2") BOTH(B, 2, 2),
	 {ACCOUNT(A), ACCOUNT(B)},
	 "4 lines sent, 4 echoed, 4 in v.log, each echo as it was sent"},
	{BOTH(A, 1, 1) BOTH(A, 1, 2) BOTH(A, 1, 3) BOTH(A, 1, 4) BOTH(A, 1, 5) BOTH(A, 1, 6)
		 BOTH(A, 1, 7) BOTH(A, 1, 8) BOTH(A, 1, 9) BOTH(A, 1, 10) GOT(A, 1, 1) SENT(A, 1, 1)
			 PART(A, "received", "1") PART(A, "sent", "1"),
	 {"plan 1 11 1 shared\nconnection 0 " A "\nthread 0 11 11 0\nend\n"},
	 "11 lines sent, 11 echoed, 11 in v.log, each echo as it was sent"},
	/* sent again over a second connection */
	{BOTH(A, 1, 1) GOT(A, 1, 2) BOTH(B, 1, 2),
	 {"plan 1 2 1 shared\nconnection 0 " A "\nconnection 0 " B "\nthread 0 2 2 1\nend\n"},
	 "2 lines sent, 2 echoed, 2 in v.log, 1 of them twice, sent again after a lost connection, "
	 "each echo as it was sent"},
};

START_TEST(good_run_is_proved_over_files)
{
	for (size_t lines = 0; write_rotated(LOG, good[_i].log, lines); lines++) {
		struct verdict verdict = prove(NULL, good[_i].client_results);
		ck_assert_str_eq(as_one(verdict.message), good[_i].words);
		ck_assert(verdict.good && verdict.complete);
	}
}
END_TEST

START_TEST(good_run_is_proved)
{
	struct verdict verdict = prove(good[_i].log, good[_i].client_results);
	ck_assert_str_eq(verdict.message, good[_i].words);
	ck_assert(verdict.good && verdict.complete);
}
END_TEST

/* All are about client 1, whose connection is A, or of whom the account says otherwise. */
static const struct {
	const char *log, *words;
} bad[] = {
	{BOTH(A, 1, 2), "'" HELLO(1, 1) "' is missing in v.log: it was acknowledged"},
	{BOTH(A, 1, 1), "'" HELLO(1, 2) "' is missing in v.log: it was acknowledged"},
	{BOTH(A, 1, 1) BOTH(A, 1, 1) BOTH(A, 1, 2),
	 "'" HELLO(1, 1) "' is there twice (lines 1 and 3 of v.log)"},
	{GOT(A, 1, 1) SENT(A, 1, 2) BOTH(A, 1, 2),
	 "it was answered '" HELLO(1, 2) "' at line 2 of v.log"},
	{GOT(A, 1, 1) RECORD A " sent: ok\n" BOTH(A, 1, 2),
	 "it was answered 'ok' at line 2 of v.log"},
	{GOT(A, 1, 1) RECORD A " sent: " HELLO(1, 1) "\\x0d\n",
	 "it was answered '" HELLO(1, 1) "\\x0d' at line 2 of v.log"},
	{GOT(A, 1, 1) SENT(A, 2, 1), "it was answered '" HELLO(2, 1) "' at line 2 of v.log"},
	{SENT(A, 1, 1) GOT(A, 1, 1) BOTH(A, 1, 2),
	 "the echo at line 1 of v.log came before its line '" HELLO(1, 1) "'"},
	{BOTH(A, 1, 1) SENT(A, 1, 2) GOT(A, 1, 2),
	 "the echo at line 3 of v.log came before its line '" HELLO(1, 2) "'"},
	{BOTH(A, 1, 1) BOTH(A, 1, 2) SENT(A, 1, 2),
	 "it was answered '" HELLO(1, 2) "' at line 5 of v.log"},
	{GOT(A, 1, 1) GOT(A, 1, 2) SENT(A, 1, 1) SENT(A, 1, 2),
	 "'" HELLO(1, 2) "' at line 2 of v.log came before the echo of the line before it"},
	{BOTH(A, 1, 1) GOT(A, 1, 2),
	 "'" HELLO(1, 2) "' was acknowledged, but has no 'sent: " HELLO(1, 2) "' in v.log"},
	{BOTH(A, 2, 1) BOTH(A, 2, 2), "'" HELLO(2, 1) "' at line 1 of v.log was never sent"},
	{BOTH(A, 1, 1) BOTH(A, 1, 2) BOTH(A, 1, 3),
	 "'" HELLO(1, 3) "' at line 5 of v.log was never sent"},
	{THREADS(A, 0, 1), "'" THREAD(1, 0, 1) "' at line 1 of v.log was never sent"},
	{BOTH(A, 1, 1) PART(A, "received", "Hell") PART(A, "received", "from client 1, message 2"),
	 "'from client 1, message 2' at line 4 of v.log was never sent"},
	{BOTH(A, 1, 1) GOT(A, 1, 2) PART(A, "sent", "Hell") PART(A, "sent", "o"),
	 "'" HELLO(1, 2) "' was acknowledged, but has no 'sent: " HELLO(1, 2) "' in v.log"},
	{BOTH(A, 1, 1) PART(A, "received", "Hell"),
	 "'" HELLO(1, 2) "' is missing in v.log: it was acknowledged"},
	{RECORD A " received: Thread 0, iteration 1\n",
	 "'Thread 0, iteration 1' at line 1 of v.log was never sent"},
	{RECORD A " received: Hello from client 1\n",
	 "'Hello from client 1' at line 1 of v.log was never sent"},
	{RECORD A " received: Hello from client 01, message 1\n",
	 "'Hello from client 01, message 1' at line 1 of v.log was never sent"},
};

/* Of a client with two threads. */
static const struct {
	const char *log, *words;
} bad_threads[] = {
	{THREADS(A, 0, 1), "'" THREAD(1, 1, 1) "' is missing in v.log: it was acknowledged"},
	{THREADS(A, 1, 1) THREADS(A, 0, 1),
	 "'" THREAD(1, 1, 1) "' is out of order at line 1 of v.log: '" THREAD(1, 0, 1) "' was due"},
	{THREADS(A, 0, 1) THREADS(A, 2, 1),
	 "'" THREAD(1, 2, 1) "' at line 3 of v.log was never sent"},
	{BOTH(A, 1, 1) THREADS(A, 1, 1), "'" HELLO(1, 1) "' at line 1 of v.log was never sent"},
};

static void assert_fault(const char *log, const char *client_result, const char *words)
{
	const char *const client_results[2] = {client_result};
	struct verdict verdict = prove(log, client_results);
	size_t length = strlen(words), skip = strlen("client 1: ");
	ck_assert(!verdict.good);
	ck_assert_msg(!strncmp(verdict.message, "client 1: ", skip) &&
			      !strncmp(verdict.message + skip, words, length) &&
			      !strncmp(verdict.message + skip + length, "; ", 2),
		      "'%s' does not begin with '%s'", verdict.message, words);
}

START_TEST(fault_is_named)
{
	assert_fault(bad[_i].log, ACCOUNT(A), bad[_i].words);
}
END_TEST

START_TEST(fault_of_threads_is_named)
{
	assert_fault(bad_threads[_i].log, TWO(A), bad_threads[_i].words);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *run = tcase_create("echo");
	scratch_make();
	tcase_add_checked_fixture(run, scratch_enter, NULL);
	tcase_add_loop_test(run, good_run_is_proved, 0, COUNT(good));
	tcase_add_loop_test(run, good_run_is_proved_over_files, 0, COUNT(good));
	tcase_add_loop_test(run, fault_is_named, 0, COUNT(bad));
	tcase_add_loop_test(run, fault_of_threads_is_named, 0, COUNT(bad_threads));
	int status = unit_main("verify_echo", run, NULL);
	scratch_remove();
	return status;
}
