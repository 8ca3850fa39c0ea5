/* SPDX-License-Identifier: MIT */
/* A log checked by itself, without anything that clients have reported. */
#include "logs.h"
#include "support.h"
#include "unit.h"
#include "verify/run.h"

#define NOT_SENT ", without sent records"
#define RECEIVED_ONLY                                                                              \
	RECORD "server listening on 127.0.0.1:2005, service ok, sync write" NOT_SENT "\n"
#define LINES(peer) GOT(peer, 0, 1) GOT(peer, 1, 1) GOT(peer, 0, 2) GOT(peer, 1, 2)

/* A log by itself: the log, what is expected, and what is said of it; good where no fault is. */
static const struct {
	const char *log;
	struct verify_expectation expected;
	bool good;
	const char *words;
} checks[] = {
	{ALL(A) ALL(B),
	 {0},
	 true,
	 "8 lines in v.log, each acknowledged, 2 clients in strict order"},
	{ALL(A) ALL(B),
	 {2, 2, 2, false, false},
	 true,
	 "8 lines in v.log, each acknowledged, 2 clients in strict order"},
	{ALL(A) ALL(B), {3, 0, 0, false, false}, false, "2 clients instead of 3; 8 lines in v.log"},
	{ALL(A),
	 {0, 3, 0, false, false},
	 false,
	 A ": 'Thread 2, iteration 1' is missing before line 5 of v.log, 'Thread 0, iteration "
	   "2'; 4 lines in v.log"},
	{ALL(A),
	 {0, 0, 3, false, false},
	 false,
	 A ": 4 lines instead of 6 in v.log; 4 lines in v.log"},
	{ALL(A) BOTH(A, 0, 3),
	 {0, 2, 0, false, false},
	 false,
	 A ": 'Thread 0, iteration 3' is the last line in v.log; 5 lines in v.log"},
	{BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 2) BOTH(B, 1, 2),
	 {1, 2, 2, false, false},
	 true,
	 "4 lines in v.log, each acknowledged, 1 client in strict order"},
	{BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 2) BOTH(B, 1, 2),
	 {0},
	 true,
	 "4 lines in v.log, each acknowledged, 1 client in strict order"},
	{BOTH(A, 0, 1) BOTH(B, 1, 1),
	 {0, 3, 0, false, false},
	 false,
	 "2 threads in v.log instead of 3; 2 lines in v.log"},
	{BOTH(B, 1, 1),
	 {0},
	 false,
	 "Thread 0 has 0 connections in v.log, Thread 1 has 1; 1 line in v.log"},
	{START ALL(A) START ALL(A),
	 {2, 2, 2, false, false},
	 true,
	 "8 lines in v.log, each acknowledged, 2 clients in strict order"},
	{ALL(A) ALL(A),
	 {0},
	 true,
	 "8 lines in v.log, each acknowledged, 2 clients in strict order"},
	{BOTH(A, 0, 1) BOTH(A, 0, 1),
	 {2, 1, 1, false, false},
	 true,
	 "2 lines in v.log, each acknowledged, 2 clients in strict order"},
	{BOTH(A, 0, 1) BOTH(A, 0, 1),
	 {0},
	 false,
	 A ": 'Thread 0, iteration 1' is there twice (lines 1 and 3 of v.log); 2 lines in v.log"},
	{ALL(A) RECORD C " received: hello\n" RECORD C " sent: ok\n" RECORD C " received: again\n",
	 {1, 0, 0, false, false},
	 true,
	 "4 lines in v.log, each acknowledged, 1 client in strict order (and 2 lines from 1 other "
	 "connection)"},
	{"", {0}, false, "no line of a client in v.log: nothing is proved"},
	{START RECORD C " received: Thread 9999999, iteration 1\n",
	 {0},
	 false,
	 "no line of a client in v.log: nothing is proved (and 1 line from 1 other connection)"},
	{BOTH(A, 1, 2),
	 {0},
	 false,
	 A ": it begins with 'Thread 1, iteration 2' at line 1 of v.log; 1 line in v.log"},
	{BOTH(A, 0, 1) BOTH(A, 1, 1) GOT(A, 0, 2),
	 {0},
	 false,
	 A ": 'Thread 0, iteration 2' has no 'sent: ok' in v.log; 3 lines in v.log"},
	{BOTH(B, 1, 1) GOT(B, 1, 2),
	 {0},
	 false,
	 B ": 'Thread 1, iteration 2' has no 'sent: ok' in v.log; 2 lines in v.log"},
	{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 1, 2) BOTH(A, 0, 2),
	 {0},
	 false,
	 A ": 'Thread 2, iteration 1' is missing before line 5 of v.log, 'Thread 1, "
	   "iteration 2'; 4 lines in v.log"},
	{ALL(A) OK(A),
	 {0},
	 false,
	 A
	 ": the ok at line 9 of v.log answers no line: 'Thread 0, iteration 3' was due; 4 lines in "
	 "v.log"},
	{BOTH(A, 0, 1) OK(A) GOT(A, 1, 1),
	 {0},
	 false,
	 A ": the ok at line 3 of v.log came before its line 'Thread 1, iteration 1'; 2 lines in "
	   "v.log"},
	{ALL(A) OK(B),
	 {0},
	 false,
	 B ": the ok at line 9 of v.log answers no line; 4 lines in v.log"},
	{BOTH(A, 0, 1) RECORD A " received: hi\n",
	 {0},
	 false,
	 A ": 'hi' at line 3 of v.log is not what a client sends; 2 lines in v.log"},
	{BOTH(A, 0, 1) RECORD A " sent: no\n",
	 {0},
	 false,
	 A ": it was answered 'no' at line 3 of v.log; 1 line in v.log"},
	{ALL(A) "rubbish\n",
	 {0},
	 false,
	 "line 9 of v.log is not a record: 'rubbish'; 4 lines in v.log"},
	{ALL(A) "rubbish", {0}, false, "line 9 of v.log is torn: 'rubbish'; 4 lines in v.log"},
	{ALL(A) "rubbish\n" TORN,
	 {0},
	 true,
	 "4 lines in v.log, each acknowledged, 1 client in strict order"},
	/* a log without answers says so at the start, or it is said of it */
	{RECEIVED_ONLY LINES(A) LINES(B),
	 {2, 2, 2, false, false},
	 true,
	 "8 lines in v.log, received only: answers are not in it; 2 clients in strict order"},
	{LINES(A) LINES(B),
	 {.received_only = true},
	 true,
	 "8 lines in v.log, received only: answers are not in it; 2 clients in strict order"},
	{LINES(A),
	 {0},
	 false,
	 A ": 'Thread 0, iteration 1' has no 'sent: ok' in v.log; 4 lines in v.log"},
	{RECORD C " listening on x" NOT_SENT "\n" LINES(A),
	 {0},
	 false,
	 A ": 'Thread 0, iteration 1' has no 'sent: ok' in v.log; 4 lines in v.log"},
	{RECEIVED_ONLY LINES(A) START ALL(B),
	 {0},
	 true,
	 "8 lines in v.log, answers to 4 of them are not in it; 2 clients in strict order"},
	{RECEIVED_ONLY LINES(A) START LINES(B),
	 {.received_only = true},
	 false,
	 B ": 'Thread 0, iteration 1' has no 'sent: ok' in v.log; 8 lines in v.log"},
	{RECEIVED_ONLY LINES(A) OK(A),
	 {0},
	 false,
	 A ": the ok at line 6 of v.log answers no line: 'Thread 0, iteration 3' was due; 4 lines "
	   "in v.log"},
	{RECEIVED_ONLY GOT(A, 0, 1) GOT(A, 1, 1) GOT(A, 1, 2),
	 {0, 2, 0, false, false},
	 false,
	 A ": 'Thread 0, iteration 2' is missing before line 4 of v.log, 'Thread 1, "
	   "iteration 2'; 3 lines in v.log"},
	{RECEIVED_ONLY, {0}, false, "no line of a client in v.log: nothing is proved"},
};

START_TEST(log_is_checked_by_itself)
{
	struct verdict verdict;
	struct error error = {""};
	file_write(LOG, checks[_i].log);
	ck_assert_msg(verify_check(LOG, &checks[_i].expected, &verdict, &error) == 0, "%s",
		      error.message);
	ck_assert_str_eq(verdict.message, checks[_i].words);
	ck_assert(verdict.good == checks[_i].good);
}
END_TEST

/* What is behind a file that is missing: clients that began there are not known, until the server
 * begins anew. */
START_TEST(log_is_checked_behind_a_missing_file)
{
#define BEHIND RECORD "server continues v.log.1\n"
#define MISSING "; v.log.1 is missing: what is proved begins behind it"
	static const struct {
		const char *log;
		bool good;
		const char *words;
	} logs[] = {
		{BEHIND OK(A) GOT(A, 1, 7) OK(A) OK(A) BOTH(A, 0, 8) ALL(B), true,
		 "4 lines in v.log, each acknowledged, 1 client in strict order (and 2 lines from "
		 "1 "
		 "other connection)" MISSING},
		{BEHIND BOTH(A, 0, 8), false,
		 "no line of a client in v.log: nothing is proved (and 1 line from 1 other "
		 "connection)" MISSING},
		{BEHIND GOT(B, 0, 1) OK(B) BOTH(B, 0, 3), false,
		 B ": 'Thread 1, iteration 1' is missing before line 4 of v.log, 'Thread 0, "
		   "iteration 3'; 2 lines in v.log" MISSING},
		{BEHIND START BOTH(A, 0, 8), false,
		 A ": it begins with 'Thread 0, iteration 8' at line 3 of v.log; 1 line in "
		   "v.log" MISSING},
		{BEHIND START OK(A), false,
		 A ": the ok at line 3 of v.log answers no line; 0 lines in v.log" MISSING},
	};
	const struct verify_expectation any = {0};
	struct verdict verdict;
	struct error error = {""};
	file_write(LOG, logs[_i].log);
	ck_assert_msg(verify_check(LOG, &any, &verdict, &error) == 0, "%s", error.message);
	ck_assert_str_eq(verdict.message, logs[_i].words);
	ck_assert_int_eq(verdict.good, logs[_i].good);
}
END_TEST

/* Faults are told with the file that each line is in. */
START_TEST(log_of_several_files_is_checked)
{
	const struct verify_expectation any = {0};
	struct verdict verdict;
	struct error error = {""};
	file_write(LOG ".1", START BOTH(A, 0, 1) GOT(A, 0, 2));
	file_write(LOG, BEHIND OK(A) BOTH(A, 0, 3));
	ck_assert_int_eq(verify_check(LOG, &any, &verdict, &error), 0);
	ck_assert_str_eq(verdict.message, "3 lines in v.log and 1 file before it, each "
					  "acknowledged, 1 client in strict order");
	ck_assert(verdict.good);
	file_write(LOG, BEHIND OK(A) BOTH(A, 0, 2));
	ck_assert_int_eq(verify_check(LOG, &any, &verdict, &error), 0);
	ck_assert_str_eq(verdict.message,
			 A ": 'Thread 0, iteration 2' is there twice (lines 4 of v.log.1 and 3 of "
			   "v.log); 3 lines in v.log and 1 file before it");
	file_write(LOG ".1", START BOTH(A, 0, 1) OK(A));
	ck_assert_int_eq(verify_check(LOG, &any, &verdict, &error), 0);
	ck_assert_str_eq(verdict.message, A ": the ok at line 4 of v.log.1 answers no line: "
					    "'Thread 1, iteration 1' was due; 2 lines in v.log "
					    "and 1 file before it");
}
END_TEST

START_TEST(unreadable_log_is_a_failure)
{
	const struct verify_expectation any = {0};
	struct verdict verdict;
	struct error error;
	ck_assert_int_eq(verify_check("missing.log", &any, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read missing.log: No such file or directory");
	ck_assert_int_eq(verify_check("/", &any, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read /: it is not a regular file");
}
END_TEST

int main(void)
{
	TCase *check = tcase_create("check");
	scratch_make();
	tcase_add_checked_fixture(check, scratch_enter, NULL);
	tcase_add_loop_test(check, log_is_checked_by_itself, 0,
			    (int)(sizeof checks / sizeof *checks));
	tcase_add_loop_test(check, log_is_checked_behind_a_missing_file, 0, 5);
	tcase_add_test(check, log_of_several_files_is_checked);
	tcase_add_test(check, unreadable_log_is_a_failure);
	int status = unit_main("verify_check", check, NULL);
	scratch_remove();
	return status;
}
