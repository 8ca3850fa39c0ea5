/* SPDX-License-Identifier: MIT */
/* Answers in raw mode: they are sent as they are. */
#include "batch_fixture.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

/* An answer in raw mode, as it came; its record is without the line end. */
static struct log_item item_raw(const char *chunk)
{
	struct log_item item = item_line(chunk);
	item.length -= chunk[item.length - 1] == '\n';
	item.answer = chunk;
	item.answer_length = strlen(chunk);
	item.raw = true;
	return item;
}

START_TEST(raw_answers_get_no_line_end)
{
	struct log_item items[] = {item_raw("one\n"), item_raw("\n"), item_raw("two\r\n"),
				   item_raw("rest")};
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, items, 4));
	ck_assert(batch_take(&b, "other"));
	assert_text(&batch.records,
		    AT "a received: one\n" AT "a received: \n" AT "a received: two\\x0d\n" AT
		       "a received: rest\n" AT "b received: other\n");
	batch_deliver(0);
	ck_assert(fake_has(&a, "one\n\ntwo\r\nrest") && fake_has(&b, "ok\n"));
	ck_assert_uint_eq(a.lines, 4);
	assert_text(&sent, AT "a sent: one\n" AT "a sent: \n" AT "a sent: two\\x0d\n" AT
			      "a sent: rest\n" AT "b sent: ok\n");
}
END_TEST

/* Chunks of a line that are sent together have one record, that of the line. */
START_TEST(raw_chunks_are_merged)
{
	struct log_item first = item_raw("be"), second = item_raw("gin\n");
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, &first, 1));
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, &second, 1));
	batch_deliver(0);
	ck_assert(fake_has(&a, "begin\n"));
	ck_assert_uint_eq(a.lines, 2);
	ck_assert_uint_eq(a.calls, 1);
	assert_text(&batch.records, AT "a received: be\n" AT "a received: gin\n");
	assert_text(&sent, AT "a sent: begin\n");
}
END_TEST

START_TEST(raw_chunks_that_are_not_logged_have_an_error_each)
{
	struct log_item items[] = {item_raw("one\n"), item_raw("rest")};
	ck_assert(batch_add(&batch, &record_text, &batch_stamp, &a.recipient, items, 2));
	batch_deliver(ENOSPC);
	ck_assert(fake_has(&a, "error: not logged: No space left on device\n"
			       "error: not logged: No space left on device\n"));
	ck_assert_uint_eq(a.lines, 2);
	ck_assert_uint_eq(sent.length, 0);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("raw");
	tcase_add_checked_fixture(cases, batch_begin, batch_end);
	tcase_add_test(cases, raw_answers_get_no_line_end);
	tcase_add_test(cases, raw_chunks_are_merged);
	tcase_add_test(cases, raw_chunks_that_are_not_logged_have_an_error_each);
	return unit_main("batch_raw", cases, NULL);
}
