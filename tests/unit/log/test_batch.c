/* SPDX-License-Identifier: MIT */
#include "batch_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit.h"

/* How many more times realloc() works, -1: always. */
static int reallocs = -1;

static void *faulty_realloc(void *bytes, size_t size)
{
	if (!reallocs)
		return NULL;
	reallocs -= reallocs > 0;
	return realloc(bytes, size);
}

START_TEST(records_and_answers_of_several)
{
	ck_assert(batch_take(&a, "one") && batch_take(&b, "two") && batch_take(&a, "three"));
	assert_text(&batch.records,
		    AT "a received: one\n" AT "b received: two\n" AT "a received: three\n");
	ck_assert_uint_eq(batch.count, 3);
	ck_assert_uint_eq(batch.lines, 3);
	ck_assert(fake_has(&a, "") && fake_has(&b, ""));
	batch_deliver(0);
	ck_assert(fake_has(&a, "ok\nok\n") && fake_has(&b, "ok\n"));
	ck_assert_uint_eq(a.lines, 2);
	ck_assert_uint_eq(b.lines, 1);
	assert_text(&sent, AT "a sent: ok\n" AT "b sent: ok\n" AT "a sent: ok\n");
	batch_clear(&batch);
	ck_assert_uint_eq(batch.count + batch.lines + batch.records.length, 0);
	ck_assert_uint_eq(batch.answers.length, 0);
}
END_TEST

/* An answer like the one before has the same record, and no other has. */
START_TEST(neighbours_are_delivered_in_one)
{
	struct log_item items[] = {item_line("one"), item_line("two"), item_line("three")};
	items[0].answer = "o";
	items[0].answer_length = 1;
	items[1].answer = "error: two";
	items[1].answer_length = 10;
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, items, 3));
	ck_assert(batch_take(&a, "four") && batch_take(&a, "five"));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert(batch_take(&b, "six"));
	ck_assert_uint_eq(batch.count, 2);
	batch_deliver(0);
	ck_assert_uint_eq(a.calls, 1);
	ck_assert_uint_eq(a.lines, 5);
	ck_assert(fake_has(&a, "o\nerror: two\nok\nok\nok\n"));
	assert_text(&sent, AT "a sent: o\n" AT "a sent: error: two\n" AT "a sent: ok\n" AT
			      "a sent: ok\n" AT "a sent: ok\n" AT "b sent: ok\n");
}
END_TEST

START_TEST(lines_without_an_answer)
{
	struct log_item items[] = {item_line("one"), item_line("two")};
	items[0].answer_length = items[1].answer_length = 0;
	items[0].level = RECORD_WARNING;
	items[0].event = RECORD_NOTE;
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, items, 2));
	assert_text(&batch.records,
		    "WARNING\t| 2019-02-24 15:10:14 --a one\n" AT "a received: two\n");
	ck_assert_uint_eq(batch.count + batch.lines, 0);
	items[1] = item_line("three");
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, items, 2));
	ck_assert_uint_eq(batch.lines, 1);
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, NULL, 0));
	batch_deliver(0);
	ck_assert(fake_has(&a, "ok\n"));
	ck_assert_uint_eq(a.lines, 1);
}
END_TEST

START_TEST(errors_say_the_reason_and_leave_no_record)
{
	ck_assert(batch_take(&a, "one") && batch_take(&a, "two") && batch_take(&b, "three"));
	ck_assert(buffer_append_string(&sent, "before\n"));
	batch_deliver(ENOSPC);
	ck_assert(fake_has(&a, "error: not logged: No space left on device\n"
			       "error: not logged: No space left on device\n"));
	ck_assert(fake_has(&b, "error: not logged: No space left on device\n"));
	ck_assert_uint_eq(a.lines, 2);
	ck_assert_uint_eq(a.calls, 1);
	assert_text(&sent, "before\n");
}
END_TEST

START_TEST(a_connection_that_is_gone_leaves_no_sent_record)
{
	a.gone = true;
	ck_assert(batch_take(&b, "one") && batch_take(&a, "two") && batch_take(&a, "three") &&
		  batch_take(&b, "four"));
	batch_deliver(0);
	ck_assert_uint_eq(a.lines, 2); /* they were delivered to it all the same */
	assert_text(&sent, AT "b sent: ok\n" AT "b sent: ok\n");
}
END_TEST

static void keep(void *context, const char *answers, size_t length)
{
	(void)buffer_append(context, answers, length);
}

/* The records come before that is known; each answer has one, or is reported. */
START_TEST(answers_that_cannot_be_sent_have_their_records)
{
	struct buffer unsent = {0};
	a.gone = true;
	a.recipient.is_gone = NULL;
	a.recipient.on_undelivered = keep;
	a.recipient.context = &unsent;
	ck_assert(batch_take(&a, "one") && batch_take(&b, "two"));
	batch_deliver(0);
	assert_text(&sent, AT "a sent: ok\n" AT "b sent: ok\n");
	ck_assert_uint_eq(unsent.length, 0);
}
END_TEST

/* on_undelivered takes the answers that were not sent. */
START_TEST(what_was_not_sent_is_reported)
{
	struct buffer unsent = {0};
	a.recipient.on_undelivered = b.recipient.on_undelivered = keep;
	a.recipient.context = b.recipient.context = &unsent;
	a.gone = true;
	ck_assert(batch_take(&a, "one") && batch_take(&a, "two") && batch_take(&b, "three"));
	batch_deliver(0);
	assert_text(&unsent, "ok\nok\n");
	unsent.length = 0;
	batch_clear(&batch);
	a.gone = false;
	b.recipient.refuse = NULL;
	ck_assert(batch_take(&a, "one") && batch_take(&b, "two"));
	ck_assert_uint_eq(batch.lines, 1); /* only so many lines can be answered with an error */
	batch_deliver(EIO);
	assert_text(&unsent, "ok\nok\n");
	ck_assert(fake_has(&b, "ok\n")); /* that of before */
	buffer_free(&unsent);
}
END_TEST

/* Whichever allocation fails: a batch that has not taken the lines has not changed. */
START_TEST(out_of_memory_adds_nothing)
{
	enum { TARGETS = 200 };
	static struct fake targets[TARGETS];
	for (int i = 0; i < TARGETS; i++)
		fake_init(&targets[i], "client");
	int refused = 0;
	for (int i = 0; i < TARGETS; i++) {
		struct log_item items[] = {item_line("some words to fill it with"),
					   item_line("and more of them")};
		size_t count = batch.count, lines = batch.lines;
		size_t records = batch.records.length, answers = batch.answers.length;
		for (int spare = 0;; spare++) {
			reallocs = spare;
			bool added = batch_add(&batch, &record_text, &batch_stamp,
					       &targets[i].recipient, items, 2);
			reallocs = -1;
			if (added)
				break;
			refused++;
			if (batch.count != count || batch.lines != lines ||
			    batch.records.length != records || batch.answers.length != answers)
				ck_abort_msg("target %d, spare %d", i, spare);
		}
		if (batch.count != count + 1 || batch.lines != lines + 2)
			ck_abort_msg("target %d", i);
	}
	ck_assert_int_gt(refused, 6); /* all three kinds of memory have grown more than once */
	batch_deliver(0);
	for (int i = 0; i < TARGETS; i++) {
		if (!fake_has(&targets[i], "ok\nok\n"))
			ck_abort_msg("target %d", i);
		fake_free(&targets[i]);
	}
}
END_TEST

static struct log_item item_sent_record(const char *message)
{
	struct log_item item = item_line(message);
	item.event = RECORD_SENT;
	item.answer = message;
	item.answer_length = strlen(message);
	item.is_sent_record = true;
	return item;
}

/* Its record is there before it leaves: there is no second one. */
START_TEST(a_sent_record_is_recorded_once)
{
	struct log_item news = item_sent_record("news"), more = item_sent_record("more news");
	ck_assert(batch_take(&a, "one"));
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, &news, 1));
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, &more, 1));
	ck_assert(batch_take(&a, "two"));
	assert_text(&batch.records, AT "a received: one\n" AT "a sent: news\n" AT
				       "a sent: more news\n" AT "a received: two\n");
	batch_deliver(0);
	ck_assert(fake_has(&a, "ok\nnews\nmore news\nok\n"));
	ck_assert_uint_eq(a.lines, 4);
	ck_assert_uint_eq(a.calls, 3);
	assert_text(&sent, AT "a sent: ok\n" AT "a sent: ok\n");
}
END_TEST

/* No line waits for an answer: an error would be the answer to the next one. */
START_TEST(a_push_that_cannot_be_recorded_is_left_out)
{
	struct log_item news = item_sent_record("news");
	a.recipient.refuse = NULL;
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, &news, 1));
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &b.recipient, &news, 1));
	batch_deliver(ENOSPC);
	ck_assert(fake_has(&a, ""));
	ck_assert(fake_has(&b, "error: not logged: No space left on device\n"));
}
END_TEST

static size_t answered; /* lines */
static size_t ends;	/* of answers that came with it */

static bool count_answers(struct reply_target *recipient, const char *answers, size_t length,
			  size_t lines)
{
	(void)recipient;
	for (size_t i = 0; i < length; i++)
		ends += answers[i] == '\n';
	answered += lines;
	return true;
}

static void count_refused(struct reply_target *recipient, const char *reason, size_t lines)
{
	(void)recipient;
	(void)reason;
	answered += lines;
	ends += lines;
}

/* A line without an answer would have the next one's. */
START_TEST(out_of_memory_every_line_is_answered_all_the_same)
{
	enum { LINES = 1000 };
	struct reply_target counter = {
		.name = "counter", .deliver = count_answers, .refuse = count_refused};
	struct log_item item = item_line("one");
	for (int i = 0; i < LINES; i++)
		ck_assert(batch_add(&batch, &record_text, &batch_stamp, &counter, &item, 1));
	reallocs = 0;
	batch_deliver(EIO);
	reallocs = -1;
	ck_assert_uint_eq(answered, LINES);
	ck_assert_uint_eq(ends, LINES);
	reallocs = 0;
	batch_deliver(0); /* the answers are there, the sent records are not */
	reallocs = -1;
	ck_assert_uint_eq(answered, 2 * LINES);
	ck_assert_uint_eq(ends, 2 * LINES);
	ck_assert_uint_eq(sent.length, 0);
}
END_TEST

START_TEST(a_large_batch_gives_its_memory_back)
{
	static char line[100000];
	memset(line, 'x', sizeof line - 1);
	for (int i = 0; i < 50; i++)
		ck_assert(batch_take(&a, line));
	for (int i = 0; i < 17000; i++)
		if (!batch_take(i % 2 ? &a : &b, ""))
			ck_abort_msg("%d", i);
	ck_assert_uint_gt(batch.capacity, 16384);
	batch_clear(&batch);
	ck_assert_uint_eq(batch.capacity + batch.records.capacity, 0);
	ck_assert(batch_take(&a, "one"));
	size_t kept = batch.records.capacity;
	batch_clear(&batch);
	ck_assert_uint_eq(batch.records.capacity, kept);
	ck_assert_uint_gt(batch.capacity, 0);
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	TCase *cases = tcase_create("batch");
	tcase_add_checked_fixture(cases, batch_begin, batch_end);
	tcase_add_test(cases, records_and_answers_of_several);
	tcase_add_test(cases, neighbours_are_delivered_in_one);
	tcase_add_test(cases, lines_without_an_answer);
	tcase_add_test(cases, errors_say_the_reason_and_leave_no_record);
	tcase_add_test(cases, a_connection_that_is_gone_leaves_no_sent_record);
	tcase_add_test(cases, answers_that_cannot_be_sent_have_their_records);
	tcase_add_test(cases, what_was_not_sent_is_reported);
	tcase_add_test(cases, out_of_memory_adds_nothing);
	tcase_add_test(cases, a_sent_record_is_recorded_once);
	tcase_add_test(cases, a_push_that_cannot_be_recorded_is_left_out);
	tcase_add_test(cases, out_of_memory_every_line_is_answered_all_the_same);
	tcase_add_test(cases, a_large_batch_gives_its_memory_back);
	return unit_main("batch", cases, NULL);
}
