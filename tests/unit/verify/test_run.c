/* SPDX-License-Identifier: MIT */
/* The proof: which logs it believes, and what it says of those that it does not. */
#include "verify/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs.h"
#include "rotated.h"
#include "support.h"
#include "unit.h"

#define SHARED(peer)                                                                               \
	"plan 2 2 1 shared\nconnection 0 " peer "\nthread 0 2 2 0\nthread 1 2 2 0\nend\n"
#define AGAIN(window, resent)                                                                      \
	"plan 2 2 " #window " shared\nconnection 0 " A "\nconnection 0 " B                         \
	"\nthread 0 2 2 " #resent "\nthread 1 2 2 0\nend\n"
#define BEGUN(connections) "plan 2 2 2 shared\n" connections "thread 0 2 2 1\nthread 1 2 2 1\nend\n"
#define EACH(window)                                                                               \
	"plan 2 2 " #window " each\nconnection 0 " A "\nconnection 1 " B                           \
	"\nthread 0 2 2 0\nthread 1 2 2 0\nend\n"

struct run {
	const char *log, *client_results[3], *words;
};

/* Proves a run; the words begin with `client`, `line` or a number. */
static struct verdict prove(const struct run *run, int64_t offset, bool cut)
{
	struct client_result client_results[3] = {{0}};
	struct error error = {""};
	struct verdict verdict;
	size_t count = 0;
	for (; count < 3 && run->client_results[count]; count++) {
		client_results[count].absent = !*run->client_results[count];
		ck_assert_int_eq(client_result_read(&client_results[count],
						    run->client_results[count],
						    strlen(run->client_results[count]), &error),
				 0);
	}
	const struct verify_job job = {.log = LOG,
				       .from.offset = offset,
				       .client_results = client_results,
				       .clients = count,
				       .cut = cut};
	ck_assert_msg(verify_workload("ok", &job, &verdict, &error) == 0, "%s", error.message);
	for (size_t i = 0; i < count; i++)
		client_result_free(&client_results[i]);
	return verdict;
}

static const struct {
	struct run run;
	bool complete, cut;
} good[] = {
	{{START ALL(A) ALL(B),
	  {SHARED(A), SHARED(B)},
	  "8 lines sent, 8 acknowledged, 8 in v.log, every client in strict order"},
	 true,
	 false},
	{{BOTH(A, 0, 1) GOT(B, 0, 1) BOTH(A, 1, 1) OK(B) ALL(C) BOTH(B, 1, 1) BOTH(B, 0, 2)
		  BOTH(A, 0, 2) BOTH(A, 1, 2) BOTH(B, 1, 2),
	  {SHARED(A), SHARED(B)},
	  "8 lines sent, 8 acknowledged, 8 in v.log, every client in strict order (and 4 lines "
	  "from "
	  "1 "
	  "other connection)"},
	 true,
	 false},
	/* nothing was acknowledged to a client that was never started */
	{{ALL(A),
	  {"", SHARED(A), ""},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order (2 clients were "
	  "not started)"},
	 false,
	 false},
	/* an unanswered last line may be there */
	{{BOTH(A, 0, 1) GOT(A, 1, 1),
	  {"plan 2 2 1 shared\nconnection 0 " A "\nthread 0 1 1 0\nthread 1 1 0 0\nend\n"},
	  "2 of 4 lines sent, 1 acknowledged, 2 in v.log, every client in strict order"},
	 false,
	 false},
	/* a connection of its own for each thread, alone or with lines in flight */
	{{BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 2) BOTH(B, 1, 2),
	  {EACH(1)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order"},
	 true,
	 false},
	{{GOT(B, 1, 1) GOT(A, 0, 1) OK(B) GOT(B, 1, 2) OK(A) OK(B) BOTH(A, 0, 2),
	  {EACH(3)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order"},
	 true,
	 false},
	/* threads at their own pace: only each of them has an order */
	{{BOTH(A, 0, 1) BOTH(A, 0, 2) GOT(B, 1, 1) OK(B) BOTH(B, 1, 2),
	  {"plan 2 2 1 each free\nconnection 0 " A "\nconnection 1 " B
	   "\nthread 0 2 2 0\nthread 1 2 2 0\nend\n"},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every thread in its own order"},
	 true,
	 false},
	{{BOTH(A, 0, 1) BOTH(A, 0, 2) BOTH(B, 1, 1),
	  {"plan 2 2 1 each free open\nconnection 0 " A "\nconnection 1 " B
	   "\nthread 0 2 2 0\nthread 1 1 1 0\nend\n"},
	  "3 lines sent, 3 acknowledged, 3 in v.log, every thread in its own order"},
	 true,
	 false},
	/* connected again: what was in flight comes twice, or once more on the same port */
	{{BOTH(A, 0, 1) GOT(A, 1, 1) BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	  {AGAIN(1, 1)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, 1 of them twice, sent again after a lost "
	  "connection, every client in strict order"},
	 true,
	 false},
	{{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	  {AGAIN(1, 1)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order"},
	 true,
	 false},
	{{BOTH(A, 0, 1) GOT(A, 1, 1) BOTH(A, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	  {"plan 2 2 1 shared\nconnection 0 " A "\nconnection 0 " A
	   "\nthread 0 2 2 0\nthread 1 2 2 1\nend\n"},
	  "4 lines sent, 4 acknowledged, 4 in v.log, 1 of them twice, sent again after a lost "
	  "connection, every client in strict order"},
	 true,
	 false},
	/* the old connection's lines are still being logged beside those of the new one */
	{{BOTH(A, 0, 1) GOT(A, 1, 1) GOT(B, 1, 1) OK(B) GOT(A, 0, 2) BOTH(B, 0, 2) BOTH(B, 1, 2),
	  {AGAIN(2, 2)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, 2 of them twice, sent again after a lost "
	  "connection, every client in strict order"},
	 true,
	 false},
	/* two clients had the same port, one after the other */
	{{ALL(A) ALL(A),
	  {SHARED(A), SHARED(A)},
	  "8 lines sent, 8 acknowledged, 8 in v.log, every client in strict order"},
	 true,
	 false},
	/* the same after a start of the server: only what was answered before tells whose line the
	 * first one is */
	{{BOTH(B, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 1) START BOTH(A, 0, 2) BOTH(A, 1, 2) BOTH(C, 1, 1)
		  BOTH(C, 0, 2) BOTH(C, 1, 2),
	  {BEGUN("connection 0 " B " 0\nconnection 0 " A " 2\n"),
	   BEGUN("connection 0 " A " 0\nconnection 0 " C " 1\n")},
	  "8 lines sent, 8 acknowledged, 8 in v.log, every client in strict order"},
	 true,
	 true},
	/* a killed server: the record of an ok that did leave is missing, and a torn line is closed
	 */
	{{BOTH(A, 0, 1) GOT(A, 1, 1) RECORD A " rec\n" TORN START BOTH(B, 0, 2) BOTH(B, 1, 2),
	  {AGAIN(1, 0)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order"},
	 true,
	 true},
	{{GOT(A, 0, 1) GOT(A, 1, 1) TORN OK(A) BOTH(A, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	  {SHARED(A)},
	  "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order"},
	 true,
	 false},
};

START_TEST(good_run_is_proved)
{
	file_write(LOG, good[_i].run.log);
	struct verdict verdict = prove(&good[_i].run, 0, good[_i].cut);
	ck_assert_str_eq(verdict.message, good[_i].run.words);
	ck_assert(verdict.good);
	ck_assert(verdict.complete == good[_i].complete);
}
END_TEST

START_TEST(good_run_is_proved_over_files)
{
	for (size_t lines = 0; write_rotated(LOG, good[_i].run.log, lines); lines++) {
		struct verdict verdict = prove(&good[_i].run, 0, good[_i].cut);
		ck_assert_str_eq(as_one(verdict.message), good[_i].run.words);
		ck_assert(verdict.good);
	}
}
END_TEST

/* Only the fault: what precedes the semicolon. */
static const struct run bad[] = {
	/* threads at their own pace, and one out of its own order or before its answer */
	{BOTH(A, 0, 2) BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(B, 1, 2),
	 {"plan 2 2 1 each free\nconnection 0 " A "\nconnection 1 " B
	  "\nthread 0 2 2 0\nthread 1 2 2 0\nend\n"},
	 "client 1: 'Thread 0, iteration 2' is out of order at line 1 of v.log: 'Thread 0, "
	 "iteration 1' was due"},
	{BOTH(A, 0, 1) GOT(B, 1, 1) GOT(B, 1, 2) OK(B) OK(B) BOTH(A, 0, 2),
	 {"plan 2 2 1 each free\nconnection 0 " A "\nconnection 1 " B
	  "\nthread 0 2 2 0\nthread 1 2 2 0\nend\n"},
	 "client 1: 'Thread 1, iteration 2' at line 4 of v.log came before the ok of the line "
	 "before it"},
	/* missing: at the start, in the middle with its ok, without it, and at the end */
	{BOTH(A, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 1' is missing in v.log: it was acknowledged"},
	{ALL(A) BOTH(B, 0, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {SHARED(A), SHARED(B)},
	 "client 2: 'Thread 1, iteration 1' is missing in v.log: it was acknowledged"},
	{BOTH(A, 0, 1) OK(A) BOTH(A, 0, 2) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 1, iteration 1' is missing in v.log: it was acknowledged"},
	{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 0, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 1, iteration 2' is missing in v.log: it was acknowledged"},
	/* nothing is known where lines come from other addresses; unless no client can have sent
	   them */
	{ALL(A) ALL(C),
	 {SHARED(A), SHARED(B)},
	 "client 2: " VERDICT_NO_ADDRESS
	 " -format plain compares what lines say, and -check judges the log alone"},
	{ALL(A) RECORD C " received: x\n",
	 {SHARED(A), SHARED(B)},
	 "client 2: 'Thread 0, iteration 1' is missing in v.log: it was acknowledged"},
	{"",
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 1' is missing in v.log: it was acknowledged"},
	{BOTH(A, 0, 1) GOT(A, 0, 2),
	 {"plan 2 2 2 shared\nconnection 0 " A "\nthread 0 2 1 0\nthread 1 1 0 0\nend\n"},
	 "client 1: 'Thread 1, iteration 1' is missing in v.log: it was sent, but not "
	 "acknowledged"},
	{BOTH(A, 0, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {AGAIN(1, 1)},
	 "client 1: 'Thread 1, iteration 1' is missing in v.log: it was acknowledged"},
	/* twice */
	{START BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 1, iteration 1' is there twice (lines 4 and 6 of v.log)"},
	{BOTH(A, 0, 1) GOT(A, 1, 1) BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {AGAIN(1, 0)},
	 "client 1: 'Thread 1, iteration 1' is there twice (lines 3 and 4 of v.log)"},
	{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 0, 2) BOTH(B, 0, 1) BOTH(B, 1, 1),
	 {AGAIN(1, 9)},
	 "client 1: 'Thread 0, iteration 1' is there twice (lines 1 and 7 of v.log)"},
	/* out of order: on one connection, over two, around its ok */
	{BOTH(A, 0, 1) BOTH(A, 0, 2) BOTH(A, 1, 1) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 2' is out of order at line 3 of v.log: 'Thread 1, "
	 "iteration "
	 "1' was due"},
	{BOTH(A, 0, 1) BOTH(A, 0, 2) BOTH(B, 1, 1) BOTH(B, 1, 2),
	 {EACH(1)},
	 "client 1: 'Thread 0, iteration 2' is out of order at line 3 of v.log: 'Thread 1, "
	 "iteration "
	 "1' was due"},
	{BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	 {EACH(1)},
	 "client 1: 'Thread 1, iteration 2' is out of order at line 7 of v.log: nothing was due "
	 "there"},
	{BOTH(A, 0, 1) GOT(A, 1, 1) GOT(A, 0, 2) OK(A) OK(A) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 2' at line 4 of v.log came before the ok of the line "
	 "before "
	 "it"},
	{GOT(A, 0, 1) GOT(B, 1, 1) OK(A) OK(B) BOTH(A, 0, 2) BOTH(B, 1, 2),
	 {EACH(1)},
	 "client 1: 'Thread 1, iteration 1' at line 2 of v.log came before the ok of the line "
	 "before "
	 "it"},
	{GOT(A, 0, 1) GOT(A, 1, 1) GOT(A, 0, 2) OK(A) OK(A) OK(A) BOTH(A, 1, 2),
	 {AGAIN(2, 0)},
	 "client 1: 'Thread 0, iteration 2' at line 3 of v.log came with 2 lines in flight "
	 "already"},
	{BOTH(A, 0, 1) OK(A) GOT(A, 1, 1) BOTH(A, 0, 2) BOTH(A, 1, 2),
	 {SHARED(A)},
	 "client 1: the ok at line 3 of v.log came before its line 'Thread 1, iteration 1'"},
	{OK(A) ALL(A),
	 {SHARED(A)},
	 "client 1: the ok at line 1 of v.log came before its line 'Thread 0, iteration 1'"},
	{ALL(A) OK(A), {SHARED(A)}, "client 1: the ok at line 9 of v.log answers no line"},
	/* no ok, or another answer */
	{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 0, 2) GOT(A, 1, 2),
	 {SHARED(A)},
	 "client 1: 'Thread 1, iteration 2' was acknowledged, but has no 'sent: ok' in v.log"},
	{BOTH(A, 0, 1) GOT(A, 1, 1) RECORD A " sent: error: not logged\n",
	 {SHARED(A)},
	 "client 1: it was answered 'error: not logged' at line 4 of v.log"},
	/* what nobody sent */
	{ALL(A) BOTH(A, 0, 3),
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 3' at line 9 of v.log was never sent"},
	{BOTH(A, 0, 1) BOTH(A, 1, 1) BOTH(A, 0, 2),
	 {"plan 2 2 1 shared\nconnection 0 " A "\nthread 0 1 1 0\nthread 1 1 1 0\nend\n"},
	 "client 1: 'Thread 0, iteration 2' at line 5 of v.log was never sent"},
	{RECORD A " received: Thread 0, iteration 01\n",
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 01' at line 1 of v.log was never sent"},
	{RECORD A " received: \\x1b[31m\n",
	 {SHARED(A)},
	 "client 1: '\\x1b[31m' at line 1 of v.log was never sent"},
	{RECORD A " received: Thread 0, iteration 1\r\n",
	 {SHARED(A)},
	 "client 1: 'Thread 0, iteration 1\\x0d' at line 1 of v.log was never sent"},
	/* what is no log */
	{ALL(A) "hello \x1b[0m\n",
	 {SHARED(A)},
	 "line 9 of v.log is not a record: 'hello \\x1b[0m'"},
	{ALL(A) "\n", {SHARED(A)}, "line 9 of v.log is not a record: ''"},
	{ALL(A) RECORD "server x",
	 {SHARED(A)},
	 "line 9 of v.log is torn: 'INFO\\x09| 2019-02-24 15:10:14 --server x'"},
	/* nothing is known of client 2 */
	{ALL(A) ALL(B),
	 {SHARED(A), "plan 2 2 1 shared\nconnection 0 " B "\n"},
	 "client 2: no complete result: what was acknowledged is unknown"},
};

START_TEST(fault_is_named)
{
	file_write(LOG, bad[_i].log);
	struct verdict verdict = prove(&bad[_i], 0, false);
	size_t length = strlen(bad[_i].words);
	ck_assert(!verdict.good);
	ck_assert_msg(!strncmp(verdict.message, bad[_i].words, length) &&
			      !strncmp(verdict.message + length, "; ", 2),
		      "'%s' does not begin with '%s'", verdict.message, bad[_i].words);
}
END_TEST

/* Only what was appended is proved, and yet line numbers are those of the file. */
START_TEST(earlier_runs_are_passed_over)
{
	static const char before[] = START ALL(A) RECORD A " recei";
	static const struct run run = {.client_results = {SHARED(A)}};
	char *log = NULL;
	ck_assert_int_gt(asprintf(&log, "%s\n%s%s%s", before, TORN, START, ALL(A)), 0);
	file_write(LOG, log);
	free(log);
	struct verdict verdict = prove(&run, (int64_t)strlen(before), false);
	ck_assert_str_eq(verdict.message,
			 "4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order");
	ck_assert_int_gt(asprintf(&log, "%s\n%s%s%s%s", before, TORN, START, ALL(A), GOT(A, 1, 2)),
			 0);
	file_write(LOG, log);
	free(log);
	verdict = prove(&run, (int64_t)strlen(before), false);
	ck_assert_ptr_nonnull(strstr(verdict.message, "is there twice (lines 19 and 21 of v.log)"));
}
END_TEST

START_TEST(nothing_sent_is_nothing_proved)
{
	static const struct run run = {
		.client_results = {"plan 1 1 1 shared\nthread 0 0 0 0\nend\n", SHARED(B)}};
	static const struct run none = {
		.client_results = {"plan 1 1 1 shared\nthread 0 0 0 0\nend\n"}};
	file_write(LOG, START);
	struct verdict verdict = prove(&none, 0, false);
	ck_assert(!verdict.good && !verdict.complete);
	ck_assert_str_eq(verdict.message,
			 "0 of 1 line sent, 0 acknowledged, 0 in v.log: nothing is proved");
	file_write(LOG, ALL(B));
	verdict = prove(&run, 0, false);
	ck_assert(verdict.good && !verdict.complete);
}
END_TEST

START_TEST(unreadable_log_is_a_failure)
{
	const struct verify_job job = {.log = "missing.log"};
	struct verdict verdict;
	struct error error;
	ck_assert_int_eq(verify_workload("ok", &job, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read missing.log: No such file or directory");
}
END_TEST

/* A line longer than any buffer at first, NULs, and many addresses. */
START_TEST(large_log_is_read)
{
	enum { LONG = 700000, PEERS = 3000 };
	FILE *log = fopen(LOG, "w");
	static const struct run run = {.client_results = {SHARED(A)}};
	ck_assert_ptr_nonnull(log);
	fputs(BOTH(A, 0, 1), log);
	fputs(RECORD C " received: ", log);
	for (int i = 0; i < LONG; i++)
		fputc('x', log);
	fputs("\n" BOTH(A, 1, 1), log);
	for (int i = 0; i < PEERS; i++)
		fprintf(log, RECORD "10.1.1.1:%d received: hello\n", i);
	fputs(BOTH(A, 0, 2) BOTH(A, 1, 2), log);
	ck_assert_int_eq(fclose(log), 0);
	struct verdict verdict = prove(&run, 0, false);
	ck_assert_str_eq(
		verdict.message,
		"4 lines sent, 4 acknowledged, 4 in v.log, every client in strict order (and "
		"3001 lines from 3001 other connections)");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *run = tcase_create("run");
	scratch_make();
	tcase_add_checked_fixture(run, scratch_enter, NULL);
	tcase_add_loop_test(run, good_run_is_proved, 0, COUNT(good));
	tcase_add_loop_test(run, good_run_is_proved_over_files, 0, COUNT(good));
	tcase_add_loop_test(run, fault_is_named, 0, COUNT(bad));
	tcase_add_test(run, earlier_runs_are_passed_over);
	tcase_add_test(run, nothing_sent_is_nothing_proved);
	tcase_add_test(run, unreadable_log_is_a_failure);
	tcase_add_test(run, large_log_is_read);
	int status = unit_main("verify", run, NULL);
	scratch_remove();
	return status;
}
