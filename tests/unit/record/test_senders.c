/* SPDX-License-Identifier: MIT */
/* Records of lines that their senders have numbered, in all formats. */
#include <stdlib.h>
#include <string.h>

#include "record/escape.h"
#include "record/format.h"
#include "unit.h"

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};
static struct record_format csv, csv_both;

static void begin(void)
{
	csv = csv_both = record_csv;
	record_add_senders(&csv);
	record_add_certificates(&csv_both);
	record_add_senders(&csv_both);
}

static char *line_of(const struct record_format *format, const struct record *record)
{
	struct buffer text = {0};
	ck_assert(record_append(format, &text, &stamp, record));
	text.bytes[text.length - 1] = '\0'; /* the line end */
	return text.bytes;
}

/* A line of a sender; NULL: another record. */
static char *numbered(const struct record_format *format, const char *subject, const char *sender,
		      const char *number, const char *bytes)
{
	const struct record record = {.subject = subject,
				      .bytes = bytes,
				      .length = strlen(bytes),
				      .sender = sender,
				      .number = strtoull(number, NULL, 10)};
	return line_of(format, &record);
}

static void assert_line(const struct record_format *format, const char *sender,
			const char *expected)
{
	char *line = numbered(format, "1.2.3.4:5 (s7)", sender, "17", "hello");
	ck_assert_str_eq(line, expected);
	free(line);
}

START_TEST(the_formats_are_exact)
{
#define TIME "2026-11-21T07:40:08.003456-03:30"
	assert_line(&record_text, "web1",
		    "INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (s7) web1#17 received: hello");
	assert_line(&csv, "web1", TIME ",INFO,1.2.3.4:5,web1,17,received,hello");
	assert_line(&csv, NULL, TIME ",INFO,1.2.3.4:5,,,received,hello");
	assert_line(&csv_both, "a,b", TIME ",INFO,1.2.3.4:5,s7,\"a,b\",17,received,hello");
	assert_line(&csv_both, NULL, TIME ",INFO,1.2.3.4:5,s7,,,received,hello");
	assert_line(&record_csv, "web1", TIME ",INFO,1.2.3.4:5,received,hello");
	assert_line(&record_json, "web\"1",
		    "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"1.2.3.4:5\","
		    "\"certificate\":\"s7\",\"sender\":\"web\\\"1\",\"number\":17,"
		    "\"event\":\"received\",\"text\":\"hello\"}");
	assert_line(&record_plain, "web1", "hello");
	ck_assert_str_eq(csv.header, "time,level,peer,sender,number,event,text\n");
	ck_assert_str_eq(csv_both.header, "time,level,peer,certificate,sender,number,event,text\n");
	ck_assert(record_is_header(csv.header, strlen(csv.header) - 1));
	ck_assert(record_is_header(csv_both.header, strlen(csv_both.header) - 1));
	ck_assert(!record_is_header("time,level,peer,sender", 22));
}
END_TEST

static const char *const names[] = {"web1",  "a#1",	"#",	     "(x)", "(x",	"sent:",
				    "a,\"b", "\\x41\\", "received:", "?",   "ignored:", "server"};
static const char *const subjects[] = {"1.2.3.4:5", "[::1]:5 (s7)"};
static const char *const texts[] = {
	"", "hello", "a) received: b", " received: x", "x#1 received: y", "\",\"", "(a) sent: ok"};

static void assert_read(const struct record_format *format, const char *subject, const char *name,
			const char *text)
{
	struct record_view view;
	char *line = numbered(format, subject, name, "9223372036854775808", text), bytes[64];
	ck_assert_msg(record_read(line, strlen(line), &view), "%s", line);
	ck_assert_int_eq(view.event, RECORD_RECEIVED);
	ck_assert_msg(slice_begins(slice_of(subject), "1") ? !view.certificate.length
							   : slice_equals(view.certificate, "s7"),
		      "%s", line);
	ck_assert_uint_eq(view.number, UINT64_C(9223372036854775808));
	memcpy(bytes, view.sender.bytes, view.sender.length);
	size_t length = record_unescape(bytes, view.sender.length);
	ck_assert_msg(slice_equals((struct slice){bytes, length}, name), "%s", line);
	memcpy(bytes, view.bytes.bytes, view.bytes.length);
	length = record_unescape(bytes, view.bytes.length);
	ck_assert_msg(slice_equals((struct slice){bytes, length}, text), "%s", line);
	free(line);
}

/* Whatever its peer chooses, a record has one meaning. */
START_TEST(they_are_read_back)
{
	const struct record_format *const formats[] = {&record_text, &csv_both, &record_json};
	for (size_t f = 0; f < 3; f++)
		for (size_t s = 0; s < 2; s++)
			for (size_t n = 0; n < sizeof names / sizeof *names; n++)
				for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
					assert_read(formats[f], subjects[s], names[n], texts[t]);
}
END_TEST

START_TEST(others_have_no_sender)
{
	const struct record_format *const formats[] = {&record_text, &record_csv, &csv, &csv_both,
						       &record_json};
	for (size_t f = 0; f < 5; f++)
		for (enum record_event event = RECORD_RECEIVED; event <= RECORD_NOTE; event++) {
			const struct record record = {.event = event,
						      .subject = subjects[1],
						      .bytes = "known a 1",
						      .length = sizeof "known a 1" - 1};
			struct record_view view;
			char *line = line_of(formats[f], &record);
			ck_assert_msg(record_read(line, strlen(line), &view), "%s", line);
			ck_assert_uint_eq(view.sender.length, 0);
			ck_assert_int_eq(view.event, event);
			ck_assert(slice_equals(view.bytes, "known a 1"));
			free(line);
		}
}
END_TEST

/* Of each record only the line, or another part of the head than before, is new. */
static const struct record run[] = {
	{.subject = "1.2.3.4:5", .bytes = "a", .sender = "w", .number = 8},
	{.subject = "1.2.3.4:5", .bytes = "b", .sender = "w", .number = 9},
	{.subject = "1.2.3.4:5", .bytes = "\n", .sender = "w", .number = 10},
	{.subject = "1.2.3.4:5", .bytes = "c", .sender = "w", .number = 98},
	{.subject = "1.2.3.4:5", .bytes = "d", .sender = "w", .number = 99},
	{.subject = "1.2.3.4:5", .bytes = "e", .sender = "w", .number = 100},
	{.subject = "1.2.3.4:5", .bytes = "f", .sender = "w", .number = 101},
	{.subject = "1.2.3.4:5", .bytes = "g", .sender = "w", .number = 101},
	{.subject = "1.2.3.4:5", .bytes = "h", .sender = "w", .number = 7},
	{.subject = "1.2.3.4:5", .bytes = "i", .sender = "\\x", .number = 8},
	{.subject = "1.2.3.4:5", .bytes = "j", .sender = "\\x", .number = 99999},
	{.subject = "1.2.3.4:5", .bytes = "k", .sender = "\\x", .number = 100000},
	{.subject = "1.2.3.4:5", .bytes = "l"},
	{.subject = "1.2.3.4:5", .bytes = "m"},
	{.subject = "1.2.3.4:5", .bytes = "ok", .event = RECORD_SENT},
	{.subject = "[::1]:5", .bytes = "n"},
	{.subject = "[::1]:5", .bytes = "o", .sender = "w", .number = UINT64_C(1) << 63},
	{.subject = "[::1]:5", .bytes = "p", .event = RECORD_NOTE, .level = RECORD_WARNING},
	{.subject = "[::1]:5", .bytes = "q", .event = RECORD_NOTE},
};

/* Each is the same as alone. */
START_TEST(a_run_repeats_what_is_the_same)
{
	const struct record_format *const formats[] = {&record_text, &record_microseconds,
						       &csv_both, &record_json, &record_plain};
	for (size_t f = 0; f < 5; f++) {
		struct buffer alone = {0}, together = {0};
		struct record_before before = {0};
		for (size_t i = 0; i < sizeof run / sizeof *run; i++) {
			struct record record = run[i];
			record.length = strlen(record.bytes);
			ck_assert(record_append(formats[f], &alone, &stamp, &record));
			record.before = &before;
			ck_assert(record_append(formats[f], &together, &stamp, &record));
		}
		ck_assert_uint_eq(together.length, alone.length);
		ck_assert_mem_eq(together.bytes, alone.bytes, alone.length);
		buffer_free(&alone);
		buffer_free(&together);
	}
}
END_TEST

static const char *const bad[] = {
	TIME ",INFO,1.2.3.4:5,web1,,received,hello",
	TIME ",INFO,1.2.3.4:5,web1,017,received,hello",
	TIME ",INFO,1.2.3.4:5,s7,web1,1,2,received,hello",
	TIME ",INFO,1.2.3.4:5,web1,99999999999999999999,received,hello",
	"{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"1.2.3.4:5\",\"sender\":\"web1\","
	"\"number\":,\"event\":\"received\",\"text\":\"hello\"}",
};

START_TEST(half_of_it_is_no_record)
{
	struct record_view view;
	char *line = strdup(bad[_i]);
	ck_assert_msg(!record_read(line, strlen(line), &view), "%s", line);
	ck_assert_str_eq(line, bad[_i]);
	free(line);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("senders");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, the_formats_are_exact);
	tcase_add_test(cases, they_are_read_back);
	tcase_add_test(cases, others_have_no_sender);
	tcase_add_test(cases, a_run_repeats_what_is_the_same);
	tcase_add_loop_test(cases, half_of_it_is_no_record, 0, sizeof bad / sizeof *bad);
	return unit_main("senders", cases, NULL);
}
