/* SPDX-License-Identifier: MIT */
/* Logs of numbered lines: by themselves, over several files, and against what clients report. */
#include <string.h>

#include "logs.h"
#include "rotated.h"
#include "support.h"
#include "unit.h"
#include "verify/run.h"

#define NUMBERED(name, n, line) RECORD A " " name "#" #n " received: " line "\n"
#define NOTE(text) RECORD "server " text "\n"
/* FNV-1a of `x`, and of `y` */
#define HASH_X "af63f54c86021707"
#define HASH_Y "af63f44c86021554"
/* `\\x` is a part of a name that is escaped: 4, 8 and 20 times */
#define X4 "\\x5cx\\x5cx\\x5cx\\x5cx"
#define X8 X4 X4
#define X20 X8 X8 X4

/* Up to two files, what is said of them, and whether they are good. */
static const struct {
	const char *logs[2];
	bool good;
	const char *words;
} checks[] = {
	{{NUMBERED("a", 1, "x") NUMBERED("a", 2, "y") OK(A)},
	 true,
	 "2 lines of 1 sender in v.log: a: 1 to 2, each once"},
	{{NUMBERED("a", 7, "x") NUMBERED("b", 1, "y") NUMBERED("a", 8, "x")},
	 true,
	 "3 lines of 2 senders in v.log: a: 7 to 8, b: 1 to 1, each once"},
	{{NUMBERED("a", 1, "x") NUMBERED("a", 3, "y")},
	 false,
	 "a: 2 is missing, 3 comes at line 2 of v.log; 2 lines of 1 sender in v.log: a: 1 to 3"},
	{{NUMBERED("a", 1, "x") NUMBERED("a", 2, "x") NUMBERED("a", 2, "x")},
	 false,
	 "a: 2 is there again at line 3 of v.log; 3 lines of 1 sender in v.log: a: 1 to 2"},
	/* only the first faults are named */
	{{NUMBERED("a", 1, "x") NUMBERED("a", 1, "x") NUMBERED("a", 1, "x") NUMBERED("a", 1, "x")
		  NUMBERED("a", 1, "x") NUMBERED("a", 1, "x")},
	 false,
	 "a: 1 is there again at line 2 of v.log; a: 1 is there again at line 3 of v.log; a: 1 is "
	 "there again at line 4 of v.log; and 2 more; 6 lines of 1 sender in v.log: a: 1 to 1"},
	{{NUMBERED("a", 1, "x") "nonsense\n"},
	 false,
	 "no record at line 2 of v.log; 1 line of 1 sender in v.log: a: 1 to 1"},
	{{NUMBERED("a", 1, "x"), NUMBERED("a", 2, "x")},
	 true,
	 "2 lines of 1 sender in 2 files: a: 1 to 2, each once"},
	{{NUMBERED("a", 1, "x"), NUMBERED("a", 3, "x")},
	 false,
	 "a: 2 is missing, 3 comes at line 1 of w.log; 2 lines of 1 sender in 2 files: a: 1 to 3"},
	/* blocks */
	{{NUMBERED("a", 1, "x"),
	  NOTE("known 1 senders") NOTE("known a 1 " HASH_X) NUMBERED("a", 2, "x")},
	 true,
	 "2 lines of 1 sender in 2 files: a: 1 to 2, each once"},
	{{NUMBERED(X20 X8, 1, "x"), NOTE("known 1 senders") NOTE("known " X20 X8 " 1 " HASH_Y)},
	 false,
	 X20 ": 1 is noted with another hash at line 2 of w.log; 1 line of 1 sender in 2 files: " X8
	     ": 1 to 1"},
	{{NUMBERED("a", 1, "x"), NOTE("known 1 senders") NOTE("known a 1 " HASH_Y)},
	 false,
	 "a: 1 is noted with another hash at line 2 of w.log; 1 line of 1 sender in 2 files: a: 1 "
	 "to 1"},
	{{NUMBERED("a", 1, "x"), NOTE("known 1 senders") NOTE("known a 2 " HASH_X)},
	 false,
	 "a: 2 is noted as the last one at line 2 of w.log; 1 line of 1 sender in 2 files: a: 1 "
	 "to 1"},
	{{NOTE("known 1 senders") NOTE("known a 16 " HASH_X) NUMBERED("a", 17, "x")},
	 true,
	 "1 line of 1 sender in v.log: a: 17 to 17, each once"},
	{{NOTE("known 1 senders") NOTE("known a 16 " HASH_X) NUMBERED("a", 18, "x")},
	 false,
	 "a: 17 is missing, 18 comes at line 3 of v.log; 1 line of 1 sender in v.log: a: 18 to 18"},
	/* forgotten at a rotation: it may begin again; not where the block is torn */
	{{NUMBERED("a", 5, "x"), NOTE("known 0 senders") NUMBERED("a", 1, "x")},
	 true,
	 "2 lines of 1 sender in 2 files: a: 1 to 1, each once"},
	{{NUMBERED("a", 5, "x"), NOTE("known 1 senders") START NUMBERED("a", 1, "x")},
	 false,
	 "a: 1 is there again at line 3 of w.log; 2 lines of 1 sender in 2 files: a: 5 to 5"},
	{{NOTE("known 0 senders")}, false, "0 lines of 0 senders in v.log: nothing is proved"},
};

START_TEST(a_log_is_checked_alone)
{
	static const char *const names[] = {LOG, "w.log"};
	struct verdict verdict;
	struct error error;
	size_t count = checks[_i].logs[1] ? 2 : 1;
	for (size_t i = 0; i < count; i++)
		file_write(names[i], checks[_i].logs[i]);
	ck_assert_int_eq(verify_once_check(names, count, &verdict, &error), 0);
	ck_assert_str_eq(verdict.message, checks[_i].words);
	ck_assert_int_eq(verdict.good, checks[_i].good);
}
END_TEST

START_TEST(many_senders_are_told_in_one_line)
{
	static const char *const names[] = {LOG};
	struct verdict verdict;
	struct error error;
	file_write(LOG, NUMBERED("a", 1, "x") NUMBERED("b", 1, "x") NUMBERED("c", 1, "x")
				NUMBERED("d", 1, "x") NUMBERED("e", 1, "x") NUMBERED("f", 1, "x")
					NUMBERED("g", 1, "x") NUMBERED("h", 1, "x")
						NUMBERED("i", 1, "x") NUMBERED("j", 1, "x"));
	ck_assert_int_eq(verify_once_check(names, 1, &verdict, &error), 0);
	ck_assert_str_eq(
		verdict.message,
		"10 lines of 10 senders in v.log: a: 1 to 1, b: 1 to 1, c: 1 to 1, d: 1 to "
		"1, e: 1 to 1, f: 1 to 1, g: 1 to 1, h: 1 to 1, and 2 more senders, each "
		"once");
}
END_TEST

#define RUN_PLAN "plan 2 2 1 shared\nthread 0 2 2 0\nthread 1 2 2 0\n"
#define LINE(n, k, i) NUMBERED("c", n, "Thread " #k ", iteration " #i)
#define FOUR LINE(1, 0, 1) LINE(2, 1, 1) LINE(3, 0, 2) LINE(4, 1, 2)

/* One client of two threads, two iterations: its result and the log. */
static const struct {
	const char *result, *log;
	bool good, complete;
	const char *words;
} runs[] = {
	{RUN_PLAN "sender c 4 0\nend\n", FOUR, true, true,
	 "4 lines sent, 4 acknowledged, 4 of 1 sender in v.log, 0 missing, 0 logged again, every "
	 "sender in its own order, each line once"},
	/* the log may have more than was acknowledged */
	{RUN_PLAN "sender c 3 0\nend\n", FOUR, true, false,
	 "4 lines sent, 3 acknowledged, 4 of 1 sender in v.log, 0 missing, 0 logged again, every "
	 "sender in its own order, each line once"},
	{RUN_PLAN "sender c 4 0\nend\n", LINE(1, 0, 1) LINE(2, 1, 1) LINE(3, 0, 2), false, true,
	 "c: 4 is missing: it was acknowledged; 4 lines sent, 4 acknowledged, 3 of 1 sender in "
	 "v.log, 1 missing, 0 logged again"},
	{RUN_PLAN "sender c 4 0\nend\n", LINE(2, 1, 1) LINE(3, 0, 2) LINE(4, 1, 2), false, true,
	 "c: 1 is missing, it begins with 2; 4 lines sent, 4 acknowledged, 3 of 1 sender in v.log, "
	 "1 missing, 0 logged again"},
	{RUN_PLAN "sender c 4 0\nend\n", FOUR LINE(4, 1, 2), false, true,
	 "c: 4 is there again at line 5 of v.log; 4 lines sent, 4 acknowledged, 5 of 1 sender in "
	 "v.log, 0 missing, 1 logged again"},
	{RUN_PLAN "sender c 4 0\nend\n", LINE(1, 0, 1) LINE(2, 1, 1) LINE(3, 1, 2) LINE(4, 1, 2),
	 false, true,
	 "c: 3 is another line than was sent at line 3 of v.log; 4 lines sent, 4 acknowledged, 4 "
	 "of "
	 "1 sender in v.log, 0 missing, 0 logged again"},
	{"plan 2 2 1 each free\nthread 0 2 2 0\nthread 1 2 2 0\nsender c 0 0\nsender d 2 0\nend\n",
	 NUMBERED("d", 1, "Thread 1, iteration 1") NUMBERED("d", 2, "Thread 1, iteration 2"), true,
	 false,
	 "4 lines sent, 2 acknowledged, 2 of 1 sender in v.log, 0 missing, 0 logged again, every "
	 "sender in its own order, each line once"},
	{RUN_PLAN, FOUR, false, false,
	 "client 1: no complete result; 0 lines sent, 0 acknowledged, 4 of 1 sender in v.log, 0 "
	 "missing, 0 logged again"},
};

START_TEST(a_run_is_compared_with_the_results)
{
	struct client_result result = {0};
	struct verdict verdict;
	struct error error;
	const struct verify_job job = {.log = LOG, .client_results = &result, .clients = 1};
	file_write(LOG, runs[_i].log);
	ck_assert_int_eq(
		client_result_read(&result, runs[_i].result, strlen(runs[_i].result), &error), 0);
	ck_assert_int_eq(verify_workload("once", &job, &verdict, &error), 0);
	client_result_free(&result);
	ck_assert_str_eq(verdict.message, runs[_i].words);
	ck_assert_int_eq(verdict.good, runs[_i].good);
	ck_assert_int_eq(verdict.complete, runs[_i].complete);
}
END_TEST

START_TEST(a_run_is_compared_over_files)
{
	struct client_result result = {0};
	struct verdict verdict;
	struct error error;
	const struct verify_job job = {.log = LOG, .client_results = &result, .clients = 1};
	size_t lines = 0;
	ck_assert_int_eq(
		client_result_read(&result, runs[_i].result, strlen(runs[_i].result), &error), 0);
	/* the places of faults are others */
	for (; runs[_i].good && write_rotated(LOG, runs[_i].log, lines); lines++) {
		ck_assert_int_eq(verify_workload("once", &job, &verdict, &error), 0);
		ck_assert_str_eq(as_one(verdict.message), runs[_i].words);
		ck_assert_int_eq(verdict.good, runs[_i].good);
	}
	client_result_free(&result);
}
END_TEST

/* What a sender has sent before is in a file that is missing. */
START_TEST(a_run_is_compared_behind_a_missing_file)
{
	struct client_result result = {0};
	struct verdict verdict;
	struct error error;
	const struct verify_job job = {.log = LOG, .client_results = &result, .clients = 1};
	const char *acknowledged = RUN_PLAN "sender c 4 0\nend\n";
	file_write(LOG, NOTE("continues v.log.1") LINE(2, 1, 1) LINE(3, 0, 2) LINE(4, 1, 2));
	ck_assert_int_eq(client_result_read(&result, acknowledged, strlen(acknowledged), &error),
			 0);
	ck_assert_int_eq(verify_workload("once", &job, &verdict, &error), 0);
	client_result_free(&result);
	ck_assert_str_eq(
		verdict.message,
		"4 lines sent, 4 acknowledged, 3 of 1 sender in v.log, 0 missing, 0 logged "
		"again, every sender in its own order, each line once; v.log.1 is missing: "
		"what is proved begins behind it");
	ck_assert(verdict.good);
}
END_TEST

START_TEST(numbered_logs_are_recognised)
{
	struct error error;
	bool once;
	const char *log = LOG, *none = "none.log";
	file_write(LOG, START NUMBERED("a", 1, "x"));
	ck_assert_int_eq(verify_is_once(&log, 1, &once, &error), 0);
	ck_assert(once);
	file_write(LOG, START NOTE("known 0 senders"));
	ck_assert_int_eq(verify_is_once(&log, 1, &once, &error), 0);
	ck_assert(once);
	file_write(LOG, START ALL(A) NUMBERED("a", 1, "x"));
	ck_assert_int_eq(verify_is_once(&log, 1, &once, &error), 0);
	ck_assert(!once);
	ck_assert_int_eq(verify_is_once(&none, 1, &once, &error), -1);
}
END_TEST

int main(void)
{
	TCase *proofs = tcase_create("once");
	scratch_make();
	tcase_add_checked_fixture(proofs, scratch_enter, NULL);
	tcase_add_loop_test(proofs, a_log_is_checked_alone, 0,
			    (int)(sizeof checks / sizeof *checks));
	tcase_add_test(proofs, many_senders_are_told_in_one_line);
	tcase_add_loop_test(proofs, a_run_is_compared_with_the_results, 0,
			    (int)(sizeof runs / sizeof *runs));
	tcase_add_loop_test(proofs, a_run_is_compared_over_files, 0,
			    (int)(sizeof runs / sizeof *runs));
	tcase_add_test(proofs, a_run_is_compared_behind_a_missing_file);
	tcase_add_test(proofs, numbered_logs_are_recognised);
	int status = unit_main("verify_once", proofs, NULL);
	scratch_remove();
	return status;
}
