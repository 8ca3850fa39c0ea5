/* SPDX-License-Identifier: MIT */
/* The verdict of a drill: what it counts in a log, and what it does not forgive. */
#include "verify/run.h"

#include <stdio.h>
#include <string.h>

#include "logs.h"
#include "rotated.h"
#include "support.h"
#include "unit.h"

#define PLAN(window, how) "plan 2 1000 " #window " " how "\n"
#define ON(peer) "connection 0 " peer "\n"
#define BEGUN(peer, answered) "connection 0 " peer " " #answered "\n"
#define THREAD(k, sent, acknowledged, resent)                                                      \
	"thread " #k " " #sent " " #acknowledged " " #resent "\n"
/* two connections, all four lines acknowledged */
#define TWICE(resent)                                                                              \
	PLAN(1, "shared") ON(A) ON(B) THREAD(0, 2, 2, 0) THREAD(1, 2, 2, resent) "end\n"
#define ORDER ", every client in strict order (seed 5)"
#define HALF RECORD A " received: Thread 1, ite\n"

struct drilled {
	const char *log, *client_results[3];
	int starts;
	const char *sync;
	const char *words; /* NULL: they begin with a fault, which is tested elsewhere */
	const char *numbers;
};

static struct verdict judge(const struct drilled *drilled, bool echoes)
{
	struct client_result client_results[3] = {{0}};
	struct error error = {""};
	struct verdict verdict;
	size_t count = 0;
	for (; count < 3 && drilled->client_results[count]; count++)
		ck_assert_int_eq(client_result_read(&client_results[count],
						    drilled->client_results[count],
						    strlen(drilled->client_results[count]), &error),
				 0);
	const struct crash_test_facts facts = {.kills = drilled->starts - 1,
					       .starts = drilled->starts,
					       .sync = drilled->sync,
					       .seed = 5};
	const struct verify_job job = {.log = LOG,
				       .client_results = client_results,
				       .clients = count,
				       .cut = true,
				       .echoes = echoes,
				       .crash_test = &facts};
	if (drilled->log)
		file_write(LOG, drilled->log);
	ck_assert_msg(verify_workload("ok", &job, &verdict, &error) == 0, "%s", error.message);
	for (size_t i = 0; i < count; i++)
		client_result_free(&client_results[i]);
	return verdict;
}

static const struct drilled good[] = {
	/* nothing was in flight; a line was, and is there once, or twice */
	{START BOTH(A, 0, 1) BOTH(A, 1, 1) START BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	{START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 2,
	 "disk",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 1 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync disk" ORDER,
	 NULL},
	{START BOTH(A, 0, 1) GOT(A, 1, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 2,
	 "write",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 1 sent again after a lost "
	 "connection, 1 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* a torn record of a line that came again */
	{START BOTH(A, 0, 1) HALF TORN START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 2,
	 "write",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 1 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 1 torn end closed; sync write" ORDER,
	 NULL},
	/* luck */
	{START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 2,
	 "none",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 1 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync none, which does "
	 "not promise so much" ORDER,
	 NULL},
	/* what was in flight at the end may be there or not; strangers are left alone */
	{START BOTH(A, 0, 1) GOT(C, 0, 1) START GOT(A, 1, 1),
	 {PLAN(1, "shared") ON(A) ON(A) THREAD(0, 1, 1, 0) THREAD(1, 1, 0, 0) "end\n",
	  PLAN(1, "shared") ON(B) THREAD(0, 1, 0, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 1 line acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* one address, first of one client, then of the other */
	{START BOTH(A, 0, 1) BOTH(A, 1, 1) START BOTH(A, 0, 1),
	 {PLAN(1, "shared") ON(A) THREAD(0, 1, 1, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") ON(A) THREAD(0, 1, 1, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 3 lines acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* the same, and only what was answered before tells whose line comes first */
	{START BOTH(B, 0, 1) BOTH(A, 0, 1) START BOTH(A, 1, 1) BOTH(C, 1, 1),
	 {PLAN(1, "shared") BEGUN(B, 0) BEGUN(A, 1) THREAD(0, 1, 1, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") BEGUN(A, 0) BEGUN(C, 1) THREAD(0, 1, 1, 0) THREAD(1, 1, 1, 0) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* the same, and only the order of each client tells whose connection the line is on */
	{START BOTH(B, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 1) START BOTH(A, 0, 2),
	 {PLAN(1, "shared") ON(B) ON(A) THREAD(0, 2, 2, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") ON(A) THREAD(0, 1, 1, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* the same: the first client's connection was lost before a line came over it */
	{START BOTH(B, 0, 1) BOTH(B, 1, 1) START BOTH(A, 0, 1),
	 {PLAN(1, "shared") BEGUN(A, 0) BEGUN(B, 0) THREAD(0, 1, 1, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") BEGUN(A, 0) THREAD(0, 1, 1, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 3 lines acknowledged, 0 missing in v.log; 0 sent again after a lost "
	 "connection, 0 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
	/* a connection for each thread */
	{START BOTH(A, 0, 1) GOT(B, 1, 1) START BOTH(A, 1, 1) BOTH(B, 0, 2),
	 {PLAN(1, "each") ON(A) "connection 1 " B "\n" ON(B) "connection 1 " A "\n" THREAD(
		 0, 2, 2, 0) THREAD(1, 1, 1, 1) "end\n"},
	 2,
	 "write",
	 "drill: 1 kill, 3 lines acknowledged, 0 missing in v.log; 1 sent again after a lost "
	 "connection, 1 of them logged again; 0 torn, 0 torn ends closed; sync write" ORDER,
	 NULL},
};

START_TEST(kept_promise_is_told)
{
	struct verdict verdict = judge(&good[_i], false);
	ck_assert_str_eq(verdict.message, good[_i].words);
	ck_assert(verdict.good && verdict.complete);
}
END_TEST

START_TEST(kept_promise_is_told_over_files)
{
	struct drilled drilled = good[_i];
	drilled.log = NULL;
	for (size_t lines = 0; write_rotated(LOG, good[_i].log, lines); lines++) {
		struct verdict verdict = judge(&drilled, false);
		ck_assert_str_eq(as_one(verdict.message), good[_i].words);
		ck_assert(verdict.good && verdict.complete);
	}
}
END_TEST

#define MISSING(turn) "client 1: '" turn "' is missing in v.log: it was acknowledged; drill: "

/* How the words begin, and what they count. */
static const struct drilled bad[] = {
	/* missing: at the end of a connection, in its middle, in all */
	{START BOTH(A, 0, 1) START BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 MISSING("Thread 1, iteration 1"),
	 "4 lines acknowledged, 1 missing in v.log; 0 sent"},
	{START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 MISSING("Thread 0, iteration 2"),
	 "4 lines acknowledged, 1 missing in v.log; 0 sent"},
	{START BOTH(A, 0, 1) START,
	 {TWICE(0)},
	 2,
	 "write",
	 MISSING("Thread 1, iteration 1"),
	 "4 lines acknowledged, 3 missing in v.log; 0 sent"},
	{START START,
	 {TWICE(0)},
	 2,
	 "none",
	 MISSING("Thread 0, iteration 1"),
	 "4 missing in v.log; 0 sent again after a lost connection, 0 of them logged again; 0 "
	 "torn, "
	 "0 torn ends closed; sync none, which promises no more (seed 5)"},
	/* another client's line of the same words is none of its own */
	{START ALL(C) BOTH(A, 0, 1) START BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 MISSING("Thread 1, iteration 1"),
	 "4 lines acknowledged, 1 missing in v.log; 0 sent"},
	/* nor is it where both had the address */
	{START BOTH(B, 0, 1) BOTH(B, 1, 1) BOTH(A, 0, 2) START,
	 {PLAN(1, "shared") ON(B) ON(A) THREAD(0, 2, 2, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") ON(A) THREAD(0, 1, 1, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "client 2: 'Thread 0, iteration 1' is missing in v.log: it was acknowledged; drill: ",
	 "4 lines acknowledged, 1 missing in v.log; 0 sent"},
	{START BOTH(B, 0, 1) BOTH(B, 1, 1) START,
	 {PLAN(1, "shared") BEGUN(A, 0) BEGUN(B, 0) THREAD(0, 1, 1, 0) THREAD(1, 1, 1, 0) "end\n",
	  PLAN(1, "shared") BEGUN(A, 0) THREAD(0, 1, 1, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "client 2: 'Thread 0, iteration 1' is missing in v.log: it was acknowledged; drill: ",
	 "3 lines acknowledged, 1 missing in v.log; 0 sent"},
	/* a torn record is no record, whether it was closed or not */
	{START BOTH(A, 0, 1) HALF TORN START BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 MISSING("Thread 1, iteration 1"),
	 "1 missing in v.log; 0 sent again after a lost connection, 0 of them logged again; 0 "
	 "torn, "
	 "1 torn end closed; "},
	{START BOTH(A, 0, 1) "half\n" START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 2,
	 "write",
	 "line 4 of v.log is not a record: ",
	 "0 missing in v.log; 1 sent again after a lost connection, 0 of them logged again; 1 "
	 "torn, "
	 "0 torn ends closed; "},
	{START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2) RECORD,
	 {TWICE(1)},
	 2,
	 "write",
	 "line 11 of v.log is torn: ",
	 "1 sent again after a lost connection, 0 of them logged again; 1 torn, 0 torn ends "},
	/* more often than it was sent */
	{START BOTH(A, 0, 1) GOT(A, 1, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 "client 1: 'Thread 1, iteration 1' is there twice (lines 4 and 6 of v.log); drill: ",
	 "0 missing in v.log; 0 sent again after a lost connection, 1 of them logged again; "},
	{START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2) BOTH(B, 0, 3),
	 {TWICE(1)},
	 2,
	 "write",
	 "client 1: 'Thread 0, iteration 3' at line 11 of v.log was never sent; drill: ",
	 "0 missing in v.log; 1 sent"},
	{START BOTH(A, 0, 1) START BOTH(B, 0, 2) BOTH(B, 1, 1) BOTH(B, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 "client 1: 'Thread 0, iteration 2' is out of order at line 5 of v.log: 'Thread 1, "
	 "iteration 1' was due; drill: ",
	 "0 missing in v.log; 0 sent"},
	/* under other addresses: nothing is said to be missing */
	{START BOTH(C, 0, 1) BOTH(C, 1, 1) START BOTH(C, 0, 2) BOTH(C, 1, 2),
	 {TWICE(0)},
	 2,
	 "write",
	 "client 1: " VERDICT_NO_ADDRESS
	 " -format plain compares what lines say, and -check judges "
	 "the log alone; drill: 1 kill, 4 lines acknowledged, ",
	 "it is not known how many are missing in v.log; 0 sent again"},
	/* a log that is not all of the drill's */
	{START BOTH(A, 0, 1) BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
	 {TWICE(1)},
	 3,
	 "write",
	 "the server has noted 1 of its 3 starts; drill: 2 kills, 4 lines ",
	 "0 missing in v.log; 1 sent"},
	{START START,
	 {PLAN(1, "shared") ON(A) THREAD(0, 0, 0, 0) THREAD(1, 0, 0, 0) "end\n"},
	 2,
	 "write",
	 "nothing is proved; drill: 1 kill, 0 lines acknowledged, 0 missing ",
	 "; 0 sent"},
};

START_TEST(broken_promise_is_told)
{
	struct verdict verdict = judge(&bad[_i], false);
	ck_assert(!verdict.good);
	ck_assert_msg(!strncmp(verdict.message, bad[_i].words, strlen(bad[_i].words)),
		      "'%s' does not begin with '%s'", verdict.message, bad[_i].words);
	ck_assert_msg(strstr(verdict.message, bad[_i].numbers), "'%s' has no '%s'", verdict.message,
		      bad[_i].numbers);
	ck_assert_ptr_null(strstr(verdict.message, "strict order"));
}
END_TEST

START_TEST(client_without_account_is_told)
{
	static const struct drilled drilled = {
		START BOTH(A, 0, 1) START BOTH(B, 1, 1) BOTH(B, 0, 2) BOTH(B, 1, 2),
		{TWICE(1), PLAN(1, "shared") ON(C) THREAD(0, 1, 1, 0)},
		2,
		"write",
		NULL,
		NULL};
	struct verdict verdict = judge(&drilled, false);
	ck_assert(!verdict.good && !verdict.complete);
	ck_assert_ptr_eq(strstr(verdict.message, "client 2: no complete result: "),
			 verdict.message);
	ck_assert_ptr_nonnull(
		strstr(verdict.message, "4 lines acknowledged, 0 missing in v.log; "));
}
END_TEST

#define HELLO(peer, c, m) RECORD peer " received: Hello from client " #c ", message " #m "\n"
#define BACK(peer, c, m) RECORD peer " sent: Hello from client " #c ", message " #m "\n"
#define ECHO(peer, c, m) HELLO(peer, c, m) BACK(peer, c, m)

/* Lines of echo name their client, whatever the address. */
START_TEST(echoes_are_counted)
{
	static const char account[] = "plan 1 1000 1 shared\n" ON(A) ON(B) "thread 0 2 2 1\nend\n";
	struct drilled drilled = {START ECHO(A, 1, 1) HELLO(A, 1, 2) ECHO(B, 2, 1)
					  START ECHO(B, 1, 2) ECHO(A, 2, 2),
				  {account, account},
				  2,
				  "write",
				  NULL,
				  NULL};
	struct verdict verdict = judge(&drilled, true);
	ck_assert_str_eq(verdict.message,
			 "drill: 1 kill, 4 lines acknowledged, 0 missing in v.log; 2 sent again "
			 "after a lost connection, 1 of them logged again; 0 torn, 0 torn ends "
			 "closed; sync write, each echo as it was sent (seed 5)");
	ck_assert(verdict.good && verdict.complete);
	drilled.log = START ECHO(A, 1, 1) ECHO(B, 2, 1) START ECHO(B, 2, 2);
	verdict = judge(&drilled, true);
	ck_assert(!verdict.good);
	ck_assert_ptr_nonnull(
		strstr(verdict.message, "4 lines acknowledged, 1 missing in v.log; "));
}
END_TEST

START_TEST(unreadable_log_is_a_failure)
{
	const struct crash_test_facts facts = {.kills = 1, .starts = 2, .sync = "write"};
	const struct verify_job job = {.log = "missing.log", .crash_test = &facts};
	struct verdict verdict;
	struct error error;
	ck_assert_int_eq(verify_workload("ok", &job, &verdict, &error), -1);
	ck_assert_str_eq(error.message, "cannot read missing.log: No such file or directory");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *drill = tcase_create("drill");
	scratch_make();
	tcase_add_checked_fixture(drill, scratch_enter, NULL);
	tcase_add_loop_test(drill, kept_promise_is_told, 0, COUNT(good));
	tcase_add_loop_test(drill, kept_promise_is_told_over_files, 0, COUNT(good));
	tcase_add_loop_test(drill, broken_promise_is_told, 0, COUNT(bad));
	tcase_add_test(drill, client_without_account_is_told);
	tcase_add_test(drill, echoes_are_counted);
	tcase_add_test(drill, unreadable_log_is_a_failure);
	int status = unit_main("verify_drill", drill, NULL);
	scratch_remove();
	return status;
}
