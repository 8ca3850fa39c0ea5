/* SPDX-License-Identifier: MIT */
/* What connections show that was promised, and logs that hold it or do not. */
#include "power/promise.h"

#include <string.h>

#include "support.h"
#include "unit.h"

#define LOG "promise.log"
#define RECORD "INFO\t| 2026-11-26 15:10:14 --1.1.1.1:5 "
#define GOT(line) RECORD "received: " line "\n"
#define ONCE(number, line) RECORD "a#" #number " received: " line "\n"
#define PROBE GOT("after the power cut, line 0")

static struct promise promise;
static struct error error;

static void event(enum trace_kind kind, uint64_t id, const char *bytes)
{
	promise_take(&promise,
		     &(struct trace_event){
			     .kind = kind, .id = id, .bytes = bytes, .length = strlen(bytes)});
}

static void begin_as(enum promise_kind kind)
{
	promise_free(&promise);
	promise = (struct promise){.kind = kind};
	event(TRACE_ACCEPTED, 1, "");
	event(TRACE_ACCEPTED, 2, "");
}

static void end(void)
{
	ck_assert(!promise.no_memory);
	promise_free(&promise);
}

/* The log is as promised, or this is wrong; `last` is what the server says of sender a. */
static void assert_log(const char *log, uint64_t last, const char *wrong)
{
	const uint64_t lasts[] = {last};
	file_write(LOG, log);
	int result = promise_check(&promise, &(struct promise_probe){lasts}, LOG, false, &error);
	ck_assert_msg(result == (wrong != NULL), "%s", error.message);
	if (wrong)
		ck_assert_msg(strstr(error.message, wrong) != NULL, "%s", error.message);
}

START_TEST(lines_that_are_ok)
{
	begin_as(PROMISE_OK);
	event(TRACE_RECEIVED, 1, "one\ntw");
	event(TRACE_RECEIVED, 2, "three\r\n");
	event(TRACE_RECEIVED, 1, "o\n");
	event(TRACE_RECEIVED, 9, "of another server\n");
	event(TRACE_SENT, 1, "o");
	event(TRACE_SENT, 1, "k\n");
	ck_assert_uint_eq(promise.promised, 1);
	assert_log(GOT("one") PROBE, 0, NULL);
	assert_log(GOT("three") GOT("one") GOT("two") PROBE, 0, NULL);
	assert_log(GOT("two") PROBE, 0, "1 acknowledged line is lost");
	assert_log(GOT("one") GOT("tw") PROBE, 0, "1 line that no client has sent");
	assert_log(GOT("one") GOT("one") PROBE, 0, "1 line that no client has sent");
	assert_log(GOT("one"), 0, "after the cut is there 0 times");
	assert_log(GOT("one") PROBE "IN", 0, "is torn: 'IN'");
	assert_log(GOT("one") "x\n" PROBE, 0, "line 2 of " LOG " is no record: 'x'");
	event(TRACE_SENT, 1, "error: not logged\n");
	event(TRACE_SENT, 2, "ok\n");
	ck_assert_uint_eq(promise.promised, 2);
	assert_log(GOT("one") PROBE, 0, "1 acknowledged line is lost");
}
END_TEST

START_TEST(echoes)
{
	begin_as(PROMISE_ECHO);
	event(TRACE_RECEIVED, 1, "one\ntwo\n");
	event(TRACE_SENT, 1, "one\nerror: not logged\n");
	ck_assert_uint_eq(promise.promised, 1);
	assert_log(GOT("one") PROBE, 0, NULL);
	assert_log(GOT("two") PROBE, 0, "1 acknowledged line is lost");
}
END_TEST

#define P(number) ONCE(number, "after the power cut, line " #number)

START_TEST(numbers)
{
	begin_as(PROMISE_NUMBERS);
	event(TRACE_RECEIVED, 1, "from a ?\nfrom a 1\none\ntwo\nthree\n");
	event(TRACE_SENT, 1, "ok 0\nok 0\nok\n");
	ck_assert_uint_eq(promise.promised, 1);
	assert_log(ONCE(1, "one") P(2) P(3) P(4), 1, NULL);
	assert_log(ONCE(1, "one") ONCE(2, "two") P(3) P(4) P(5), 2, NULL);
	assert_log(P(1) P(2) P(3), 0, "line 1 of a is lost");
	assert_log(ONCE(1, "one") P(3) P(4), 1, "number 3 of a follows 1");
	assert_log(ONCE(1, "one") ONCE(1, "one") P(2) P(3) P(4), 1, "number 1 of a follows 1");
	assert_log(ONCE(1, "one") ONCE(2, "tw") P(3) P(4) P(5), 2, "number 2 of a is not as");
	assert_log(ONCE(1, "one") P(2) P(3), 1, "the log has 3 lines of a");
	assert_log(RECORD "b#1 received: one\n", 1, "of a sender that there is not");
	event(TRACE_RECEIVED, 2, "from a ?\n");
	event(TRACE_SENT, 2, "ok 2 08326b07b4fdd8c2\n"); /* also what is not answered yet */
	ck_assert_uint_eq(promise.promised, 2);
	assert_log(ONCE(1, "one") P(2) P(3) P(4), 1, "line 2 of a is lost");
	event(TRACE_SENT, 1, "had\nerror: gap\n");
	ck_assert_uint_eq(promise.promised, 2);
}
END_TEST

START_TEST(copies)
{
	struct promise copy;
	begin_as(PROMISE_NUMBERS);
	event(TRACE_RECEIVED, 1, "from a 1\none\n");
	event(TRACE_SENT, 1, "ok 0\nok\n");
	ck_assert(promise_copy(&copy, &promise));
	promise_free(&promise);
	promise = copy;
	assert_log(ONCE(1, "one") P(2) P(3) P(4), 1, NULL);
	assert_log(P(1) P(2) P(3), 0, "line 1 of a is lost");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("promise");
	tcase_add_checked_fixture(cases, scratch_enter, end);
	tcase_add_test(cases, lines_that_are_ok);
	tcase_add_test(cases, echoes);
	tcase_add_test(cases, numbers);
	tcase_add_test(cases, copies);
	int status = unit_main("promise", cases, NULL);
	scratch_remove();
	return status;
}
