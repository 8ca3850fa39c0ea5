/* SPDX-License-Identifier: MIT */
/* Records of requests with their answers. */
#include <stdlib.h>
#include <string.h>

#include "record/exchange.h"
#include "unit.h"

static const struct stamp asked = {1, "2026-11-21 23:59:59", "+00:00", 987654};
static const struct stamp answered = {2, "2026-11-22 00:00:00", "+00:00", 5123};
static struct buffer text;

static void end(void)
{
	buffer_free(&text);
}

/* Appends one and compares it. */
static void assert_record(const struct record *record, const char *expected)
{
	text.length = 0;
	ck_assert(record_append(&record_exchange, &text, &answered, record));
	ck_assert(buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes, expected);
}

static const struct record_field *request(const char *line)
{
	static struct exchange_request request;
	exchange_request_init(&request, &asked, line, strlen(line));
	return request.fields;
}

static struct record record(enum record_event event, const char *bytes,
			    const struct record_field *of)
{
	return (struct record){.event = event,
			       .subject = "127.0.0.1:5",
			       .bytes = bytes,
			       .length = strlen(bytes),
			       .fields = of};
}

START_TEST(a_request_and_its_answer)
{
	const struct record_field *ping = request("[7] PING");
	struct record pong = record(RECORD_SENT, "[12/7] PONG (1)", ping);
	assert_record(&pong, "2026-11-21;23:59:59.987;[7] PING;00:00:00.005;[12/7] PONG (1)\n");
	struct record ignored = record(RECORD_IGNORED, "[7] PING", ping);
	assert_record(&ignored, "2026-11-21;23:59:59.987;[7] PING;(ignored);(ignored)\n");
	struct record late = record(RECORD_RECEIVED, EXCHANGE_TIMEOUT, ping);
	assert_record(&late, "2026-11-21;23:59:59.987;[7] PING;00:00:00.005;(timeout)\n");
}
END_TEST

START_TEST(a_message_without_a_request)
{
	struct record message = record(RECORD_SENT, "[13] keepalive", NULL);
	assert_record(&message, "2026-11-22;;;00:00:00.005;[13] keepalive\n");
}
END_TEST

START_TEST(a_line_is_told_with_its_answer)
{
	struct record line = record(RECORD_RECEIVED, "[7] PING", NULL);
	assert_record(&line, "");
}
END_TEST

START_TEST(notes)
{
	struct record note = record(RECORD_NOTE, "connected", NULL);
	assert_record(&note, "2026-11-22;00:00:00.005;127.0.0.1:5 connected;;\n");
	note = record(RECORD_NOTE, "malformed line: x", NULL);
	note.level = RECORD_WARNING;
	assert_record(&note, "2026-11-22;00:00:00.005;WARNING: 127.0.0.1:5 malformed line: x;;\n");
}
END_TEST

/* Nothing that comes in can make a field or a record of its own. */
START_TEST(fields_cannot_be_forged)
{
	const struct record_field *ping = request("a;b\n;\x1b");
	struct record pong = record(RECORD_SENT, ";", ping);
	assert_record(&pong, "2026-11-21;23:59:59.987;a\\x3bb\\x0a\\x3b\\x1b;00:00:00.005;\\x3b\n");
}
END_TEST

START_TEST(other_formats_leave_the_request_out)
{
	const struct record_field *ping = request("[7] PING");
	struct record ignored = record(RECORD_IGNORED, "[7] PING", ping);
	text.length = 0;
	ck_assert(record_append(&record_text, &text, &answered, &ignored));
	ck_assert(record_append(&record_microseconds, &text, &answered, &ignored));
	ck_assert(record_append(&record_csv, &text, &answered, &ignored));
	ck_assert(buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes,
			 "INFO\t| 2026-11-22 00:00:00 --127.0.0.1:5 ignored: [7] PING\n"
			 "INFO\t| 2026-11-22 00:00:00.005123 --127.0.0.1:5 ignored: [7] PING\n"
			 "2026-11-22T00:00:00.005123+00:00,INFO,127.0.0.1:5,ignored,[7] PING\n");
	char *line = text.bytes, *feed = strchr(line, '\n');
	for (int i = 0; i < 3; i++, line = feed + 1, feed = strchr(line, '\n')) {
		struct record_view view;
		ck_assert(record_read(line, (size_t)(feed - line), &view));
		ck_assert_int_eq(view.event, RECORD_IGNORED);
		ck_assert_uint_eq(view.bytes.length, 8);
		ck_assert_mem_eq(view.bytes.bytes, "[7] PING", 8);
		ck_assert_uint_eq(view.time.length, i == 0 ? 19 : i == 1 ? 26 : 32);
	}
}
END_TEST

static void assert_field(const struct slice *field, const char *expected)
{
	ck_assert_uint_eq(field->length, strlen(expected));
	ck_assert_mem_eq(field->bytes, expected, field->length);
}

START_TEST(records_are_read)
{
	struct exchange pair;
	static const char answer[] =
		"2026-11-21;23:59:59.987;[7] PING;00:00:00.005;[12/7] PONG (1)";
	ck_assert(exchange_read(slice_of(answer), &pair));
	assert_field(&pair.date, "2026-11-21");
	assert_field(&pair.time, "23:59:59.987");
	assert_field(&pair.request, "[7] PING");
	assert_field(&pair.answer_time, "00:00:00.005");
	assert_field(&pair.answer, "[12/7] PONG (1)");
	static const char *const good[] = {
		"2026-11-21;23:59:59.987;x;(ignored);(ignored)",
		"2026-11-21;23:59:59.987;x;00:00:00.005;(timeout)",
		"2026-11-22;;;00:00:00.005;[13] keepalive",
		"2026-11-22;00:00:00.005;server stopped;;",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(exchange_read(slice_of(good[i]), &pair), "%s", good[i]);
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
	static const char *const bad[] = {
		"",
		";;;;",
		"2026-11-22;;;;",
		"2026-11-22;;;00:00:00.005;",
		"2026-11-22;;;(ignored);(ignored)",
		"2026-11-22;;x;00:00:00.005;y",
		"2026-11-22;00:00:00.005;;00:00:00.005;y",
		"2026-11-22;00:00:00.005;x;(ignored);y",
		"2026-11-22;00:00:00.005;x;;y",
		"2026-11-22;00:00:00.005;x;;;",
		"2026-11-22;00:00:00.005;x;",
		"2026-11-22;00:00:00.05;x;;",
		"2026-11-22;00:00:00;x;;",
		"2026-1-22;00:00:00.005;x;;",
		"2026-11-22T00:00:00.005123+00:00,INFO,a,received,;;;;",
	};
	struct exchange pair;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!exchange_read(slice_of(bad[i]), &pair), "%s", bad[i]);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("exchange");
	tcase_add_checked_fixture(cases, NULL, end);
	tcase_add_test(cases, a_request_and_its_answer);
	tcase_add_test(cases, a_message_without_a_request);
	tcase_add_test(cases, a_line_is_told_with_its_answer);
	tcase_add_test(cases, notes);
	tcase_add_test(cases, fields_cannot_be_forged);
	tcase_add_test(cases, other_formats_leave_the_request_out);
	tcase_add_test(cases, records_are_read);
	tcase_add_test(cases, what_is_no_record_is_refused);
	return unit_main("exchange", cases, NULL);
}
