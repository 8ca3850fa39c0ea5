/* SPDX-License-Identifier: MIT */
/* The proof from plain lines, for runs and for a log by itself. */
#include <stdlib.h>
#include <string.h>

#include "record/format.h"
#include "support.h"
#include "unit.h"
#include "verify/run.h"

#define LOG "v.log"
#define LINE(k, i) "Thread " #k ", iteration " #i "\n"
#define ALL LINE(0, 1) LINE(1, 1) LINE(0, 2) LINE(1, 2)
#define HELLO(c, m) "Hello from client " #c ", message " #m "\n"
#define BY_NONE "; plain: answers, and who sent a line, are not in it"

static const struct {
	const char *log;
	struct verify_expectation expected;
	bool good;
	const char *words;
} checks[] = {
	{ALL, {0}, true, "4 lines in v.log, in an order that 1 client can have sent" BY_NONE},
	{LINE(0, 1) LINE(0, 1) LINE(1, 1) LINE(0, 2) LINE(1, 1) LINE(1, 2) LINE(0, 2) LINE(1, 2),
	 {.clients = 2, .threads = 2, .iterations = 2},
	 true,
	 "8 lines in v.log, in an order that 2 clients can have sent" BY_NONE},
	{ALL "\nhello \\x01 \\\n",
	 {0},
	 true,
	 "4 lines in v.log, in an order that 1 client can have sent" BY_NONE
	 " (and 2 other lines)"},
	{ALL "Thread 0, ite" RECORD_TORN "\n" ALL,
	 {.clients = 2},
	 true,
	 "8 lines in v.log, in an order that 2 clients can have sent" BY_NONE},
	/* a thread too few, or a line */
	{LINE(0, 1) LINE(1, 1) LINE(0, 2) LINE(0, 3),
	 {0},
	 false,
	 "'Thread 0, iteration 3' at line 4 of v.log is out of order: no client has sent all lines "
	 "before it; 4 lines in v.log"},
	{LINE(0, 1) LINE(1, 1) LINE(1, 2),
	 {.threads = 2},
	 false,
	 "'Thread 1, iteration 2' at line 3 of v.log is out of order: no client has sent all lines "
	 "before it; 3 lines in v.log"},
	{ALL LINE(1, 2),
	 {0},
	 false,
	 "'Thread 1, iteration 2' at line 5 of v.log is there once more than the line before it; 5 "
	 "lines in v.log"},
	{ALL LINE(2, 2),
	 {0},
	 false,
	 "'Thread 2, iteration 2' at line 5 of v.log is not a line of a client; 5 lines in v.log"},
	{ALL LINE(0, 3),
	 {0},
	 false,
	 "a client has 5 lines in v.log, with 2 threads; 5 lines in v.log"},
	{ALL,
	 {.iterations = 3},
	 false,
	 "a client has 4 lines in v.log, with 2 threads; 4 lines in v.log"},
	{ALL ALL, {.clients = 3}, false, "2 clients instead of 3; 8 lines in v.log"},
	/* what is none of it */
	{"", {0}, false, "no line of a client in v.log: nothing is proved"},
	{"hello\n",
	 {0},
	 false,
	 "no line of a client in v.log: nothing is proved (and 1 other line)"},
	{HELLO(1, 1),
	 {0},
	 false,
	 "no line of a client in v.log: nothing is proved (and 1 other line)"},
	{"INFO\t| 2019-02-24 15:10:14 --a received: Thread 0, iteration 1\n",
	 {0},
	 false,
	 "'INFO\\x09| 2019-02-24 15:10:14 --a received: Thread 0, iteration 1' at line 1 of v.log "
	 "is not a plain line; 0 lines in v.log"},
	{"2019-02-24T15:10:14.045678+00:00,INFO,a,received,\"Thread 0, iteration 1\"\n",
	 {0},
	 false,
	 "no line of a client in v.log: nothing is proved (and 1 other line)"},
	{ALL "\xff\n",
	 {0},
	 false,
	 "'\\xff' at line 5 of v.log is not a plain line; 4 lines in v.log"},
	{ALL "\\x41\n",
	 {0},
	 false,
	 "'\\x5cx41' at line 5 of v.log is not a plain line; 4 lines in v.log"},
	{ALL "Thread 0", {0}, false, "'Thread 0' at line 5 of v.log is torn; 4 lines in v.log"},
};

START_TEST(log_is_checked_by_itself)
{
	struct verdict verdict;
	struct error error = {""};
	struct verify_expectation expected = checks[_i].expected;
	expected.plain = true;
	file_write(LOG, checks[_i].log);
	ck_assert_msg(verify_check(LOG, &expected, &verdict, &error) == 0, "%s", error.message);
	ck_assert_str_eq(verdict.message, checks[_i].words);
	ck_assert(verdict.good == checks[_i].good);
}
END_TEST

#define CONNECTION "connection 0 127.0.0.1:4000\n"
#define SHARED "plan 2 2 1 shared\n" CONNECTION "thread 0 2 2 0\nthread 1 2 2 0\nend\n"
#define HALF "plan 2 2 1 shared\n" CONNECTION "thread 0 2 1 0\nthread 1 1 1 0\nend\n"
#define AGAIN "plan 2 2 1 shared\n" CONNECTION "thread 0 2 2 1\nthread 1 2 2 0\nend\n"
#define FREE                                                                                       \
	"plan 2 2 1 each free\n" CONNECTION "connection 1 127.0.0.1:4001\n"                        \
	"thread 0 2 2 0\nthread 1 2 2 0\nend\n"
#define ONE "plan 1 2 1 shared\n" CONNECTION "thread 0 2 2 0\nend\n"

static const struct {
	const char *log, *results[2];
	bool good, complete, echoes;
	const char *words;
} runs[] = {
	{ALL ALL,
	 {SHARED, SHARED},
	 true,
	 true,
	 false,
	 "8 lines sent, 8 acknowledged, 8 in v.log, in an order that 2 clients can have "
	 "sent" BY_NONE},
	{ALL LINE(0, 1) LINE(1, 1) LINE(0, 2),
	 {SHARED, HALF},
	 true,
	 false,
	 false,
	 "7 of 8 lines sent, 6 acknowledged, 7 in v.log, in an order that 2 clients can have "
	 "sent" BY_NONE},
	{ALL LINE(0, 1),
	 {SHARED, HALF},
	 false,
	 false,
	 false,
	 "acknowledged lines are missing in v.log: 1; 7 of 8 lines sent, 6 acknowledged, 5 in "
	 "v.log"},
	{ALL ALL,
	 {SHARED, HALF},
	 false,
	 false,
	 false,
	 "1 line in v.log was never sent; 7 of 8 lines sent, 6 acknowledged, 8 in v.log"},
	{ALL LINE(1, 2) ALL,
	 {SHARED, AGAIN},
	 true,
	 true,
	 false,
	 "8 lines sent, 8 acknowledged, 8 in v.log, 1 of them twice, sent again after a lost "
	 "connection, in an order that 2 clients can have sent" BY_NONE
	 "; a line that is there again may stand for another client's that is missing"},
	{ALL LINE(1, 2),
	 {SHARED},
	 false,
	 true,
	 false,
	 "more lines are there twice than were sent again; 4 lines sent, 4 acknowledged, 5 in "
	 "v.log"},
	{ALL LINE(0, 3),
	 {SHARED},
	 false,
	 true,
	 false,
	 "1 line in v.log was never sent; 4 lines sent, 4 acknowledged, 5 in v.log"},
	{LINE(1, 1) LINE(1, 2) LINE(0, 1) LINE(0, 2),
	 {FREE},
	 true,
	 true,
	 false,
	 "4 lines sent, 4 acknowledged, 4 in v.log, in an order that 1 client can have sent, "
	 "thread "
	 "by thread" BY_NONE},
	{LINE(1, 1) LINE(1, 2) LINE(0, 2) LINE(0, 1),
	 {FREE},
	 false,
	 true,
	 false,
	 "'Thread 0, iteration 2' at line 3 of v.log is out of order: no client has sent all lines "
	 "before it; 4 lines sent, 4 acknowledged, 4 in v.log"},
	{ALL,
	 {SHARED, "plan 2 2 1 shared\n"},
	 false,
	 false,
	 false,
	 "client 2: no complete result: what was acknowledged is unknown; 4 lines sent, 4 "
	 "acknowledged, 4 in v.log"},
	{HELLO(2, 1) HELLO(1, 1) HELLO(1, 2) HELLO(2, 2),
	 {ONE, ONE},
	 true,
	 true,
	 true,
	 "4 lines sent, 4 echoed, 4 in v.log, every client in its own order; plain: answers are "
	 "not "
	 "in it"},
	{HELLO(2, 1) HELLO(1, 2) HELLO(1, 1) HELLO(2, 2),
	 {ONE, ONE},
	 false,
	 true,
	 true,
	 "'Hello from client 1, message 2' at line 2 of v.log is out of order: no client has sent "
	 "all "
	 "lines before it; 4 lines sent, 4 echoed, 4 in v.log"},
	{HELLO(1, 1) HELLO(1, 2),
	 {ONE, ONE},
	 false,
	 true,
	 true,
	 "acknowledged lines are missing in v.log: 2; 4 lines sent, 4 echoed, 2 in v.log"},
};

START_TEST(run_is_proved)
{
	struct client_result results[2] = {{0}};
	struct verdict verdict;
	struct error error = {""};
	size_t count = 0;
	for (; count < 2 && runs[_i].results[count]; count++) {
		const char *text = runs[_i].results[count];
		ck_assert_int_eq(client_result_read(&results[count], text, strlen(text), &error),
				 0);
	}
	const struct verify_job job = {.log = LOG,
				       .client_results = results,
				       .clients = count,
				       .plain = true,
				       .echoes = runs[_i].echoes};
	file_write(LOG, runs[_i].log);
	ck_assert_msg(verify_workload("ok", &job, &verdict, &error) == 0, "%s", error.message);
	ck_assert_str_eq(verdict.message, runs[_i].words);
	ck_assert(verdict.good == runs[_i].good && verdict.complete == runs[_i].complete);
	for (size_t i = 0; i < count; i++)
		client_result_free(&results[i]);
}
END_TEST

START_TEST(drill_is_counted)
{
	struct client_result result = {0};
	const struct crash_test_facts facts = {.kills = 2, .starts = 3, .sync = "none", .seed = 7};
	const struct verify_job job = {.log = LOG,
				       .client_results = &result,
				       .clients = 1,
				       .plain = true,
				       .crash_test = &facts};
	struct verdict verdict;
	struct error error = {""};
	ck_assert_int_eq(client_result_read(&result, AGAIN, strlen(AGAIN), &error), 0);
	file_write(LOG, LINE(0, 1) "Thr" RECORD_TORN "\n" LINE(0, 1) LINE(1, 1) LINE(0, 2));
	ck_assert_int_eq(verify_workload("ok", &job, &verdict, &error), 0);
	ck_assert_str_eq(
		verdict.message,
		"acknowledged lines are missing in v.log: 1; drill: 2 kills, 4 lines "
		"acknowledged, 1 missing in v.log; 1 sent again after a lost connection, 1 "
		"of them logged again; 0 torn, 1 torn end closed; sync none, which promises no "
		"more "
		"(seed 7)");
	ck_assert(!verdict.good && verdict.complete);
	client_result_free(&result);
}
END_TEST

START_TEST(unreadable_log_is_a_failure)
{
	const struct verify_expectation any = {.plain = true};
	struct verdict verdict;
	struct error error;
	ck_assert_int_eq(verify_check("missing.log", &any, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read missing.log: No such file or directory");
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("plain");
	scratch_make();
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_loop_test(cases, log_is_checked_by_itself, 0,
			    (int)(sizeof checks / sizeof *checks));
	tcase_add_loop_test(cases, run_is_proved, 0, (int)(sizeof runs / sizeof *runs));
	tcase_add_test(cases, drill_is_counted);
	tcase_add_test(cases, unreadable_log_is_a_failure);
	int status = unit_main("verify_plain", cases, NULL);
	scratch_remove();
	return status;
}
