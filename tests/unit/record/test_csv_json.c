/* SPDX-License-Identifier: MIT */
/* Records as CSV and JSON, and what all formats have in common. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/escape.h"
#include "record/format.h"
#include "base/random.h"
#include "support.h"
#include "base/memory.h"
#include "unit.h"

/* realloc() fails while no_memory is set. */
static bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};

#define TIME "2026-11-21T07:40:08.003456-03:30"

static void assert_line(const struct record_format *format, const struct record *record,
			const char *expected)
{
	struct buffer text = {0};
	ck_assert(record_append(format, &text, &stamp, record) && buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes, expected);
	buffer_free(&text);
}

static void assert_received(const char *bytes, const char *csv, const char *json)
{
	char line[256];
	struct record record = {.subject = "[::1]:5", .bytes = bytes, .length = strlen(bytes)};
	(void)snprintf(line, sizeof line, TIME ",INFO,[::1]:5,received,%s\n", csv);
	assert_line(&record_csv, &record, line);
	(void)snprintf(line, sizeof line,
		       "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"[::1]:5\","
		       "\"event\":\"received\",\"text\":\"%s\"}\n",
		       json);
	assert_line(&record_json, &record, line);
}

START_TEST(the_formats_are_exact)
{
	struct record note = {.level = RECORD_WARNING,
			      .event = RECORD_NOTE,
			      .subject = RECORD_SERVER,
			      .bytes = "full",
			      .length = 4};
	struct record sent = {
		.event = RECORD_SENT, .subject = "127.0.0.1:5", .bytes = "ok", .length = 2};
	assert_line(&record_csv, &note, TIME ",WARNING,server,note,full\n");
	assert_line(&record_csv, &sent, TIME ",INFO,127.0.0.1:5,sent,ok\n");
	assert_line(&record_json, &note,
		    "{\"time\":\"" TIME "\",\"level\":\"WARNING\",\"peer\":\"server\","
		    "\"event\":\"note\",\"text\":\"full\"}\n");
	assert_line(&record_json, &sent,
		    "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"127.0.0.1:5\","
		    "\"event\":\"sent\",\"text\":\"ok\"}\n");
	ck_assert_str_eq(record_format_names[1], "csv");
	ck_assert_str_eq(record_format_names[2], "json");
	ck_assert_str_eq(record_format_names[3], "plain");
	ck_assert_ptr_null(record_format_names[4]);
	ck_assert(record_formats[1] == &record_csv && record_formats[2] == &record_json);
	ck_assert(record_formats[3] == &record_plain);
	ck_assert_ptr_null(record_formats[4]);
}
END_TEST

START_TEST(only_what_has_to_be_is_quoted)
{
	assert_received("", "", "");
	assert_received(" a b ", " a b ", " a b ");
	assert_received("a,b", "\"a,b\"", "a,b");
	assert_received(",", "\",\"", ",");
	assert_received("\"", "\"\"\"\"", "\\\"");
	assert_received("a\"b\"", "\"a\"\"b\"\"\"", "a\\\"b\\\"");
	assert_received("C:\\dir\\", "C:\\dir\\", "C:\\\\dir\\\\");
	assert_received("gr\xc3\xbcn", "gr\xc3\xbcn", "gr\xc3\xbcn");
	/* first as in text, then as the format has it */
	assert_received("a\tb\xff", "a\\x09b\\xff", "a\\\\x09b\\\\xff");
	assert_received("\\x41", "\\x5cx41", "\\\\x5cx41");
	assert_received("\r,\"\x1b", "\"\\x0d,\"\"\\x1b\"", "\\\\x0d,\\\"\\\\x1b");
}
END_TEST

START_TEST(csv_has_a_header)
{
	ck_assert_str_eq(record_csv.header, "time,level,peer,event,text\n");
	ck_assert_str_eq(record_json.header, "");
	ck_assert(record_is_header("time,level,peer,event,text", 26));
	ck_assert(!record_is_header("time,level,peer,event,text", 25));
	ck_assert(!record_is_header("time,level,peer,event,texT", 26));
	ck_assert(!record_is_header("", 0));
}
END_TEST

/* At whatever point memory runs out: the text is as before. */
START_TEST(out_of_memory_changes_nothing)
{
	static const char bytes[] = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\\\\\\\\\\\\,,,,,\"\"\"\n\n";
	for (const struct record_format *const *format = record_formats; *format; format++)
		for (size_t fill = 0; fill <= 300; fill++) {
			struct buffer text = {0};
			struct record record = {.subject = "127.0.0.1:49030",
						.bytes = bytes,
						.length = sizeof bytes};
			for (size_t i = 0; i < fill; i++)
				if (!buffer_append(&text, "x", 1))
					abort();
			no_memory = true;
			bool added = record_append(*format, &text, &stamp, &record);
			no_memory = false;
			if (added ? text.bytes[text.length - 1] != '\n' : text.length != fill)
				ck_abort_msg("fill %zu, length %zu", fill, text.length);
			buffer_free(&text);
		}
}
END_TEST

/* Written and read, all is as it was; the line is in memory of just its length. */
static bool comes_back(const struct record_format *format, const struct record *record)
{
	struct buffer text = {0};
	struct record_view view;
	if (!record_append(format, &text, &stamp, record))
		abort();
	size_t length = text.length - 1;
	char *line = malloc(length);
	memcpy(line, text.bytes, length);
	bool same = text.bytes[length] == '\n' && !memchr(line, '\n', length) &&
		    record_read(line, length, &view) && view.level == record->level &&
		    view.event == record->event && view.subject.length == strlen(record->subject) &&
		    !memcmp(view.subject.bytes, record->subject, view.subject.length) &&
		    record_unescape(line + (view.bytes.bytes - line), view.bytes.length) ==
			    record->length &&
		    !memcmp(view.bytes.bytes, record->bytes, record->length);
	free(line);
	buffer_free(&text);
	return same;
}

/* Half of it from what matters: quotes, commas, backslashes, and parts of escapes and of UTF-8. */
START_TEST(random_bytes_come_back)
{
	static const char words[] = "\"\"\"\"\"\",,,\\\\\\x09af{}:\n\r\t\xc2\x80\xe2\xa8";
	uint64_t state = 2005;
	for (int i = 0; i < 40000; i++) {
		char bytes[64];
		size_t length = random_next(&state) % sizeof bytes;
		for (size_t j = 0; j < length; j++) {
			uint64_t number = random_next(&state);
			bytes[j] = number % 2 ? (char)(number >> 8)
					      : words[(number >> 8) % (sizeof words - 1)];
		}
		struct record record = {.level = i & 1 ? RECORD_WARNING : RECORD_INFO,
					.event = (enum record_event)(i % 3),
					.subject = i & 2 ? "[::1]:5" : "server",
					.bytes = bytes,
					.length = length};
		for (const struct record_format *const *format = record_formats; *format; format++)
			if ((*format)->read && !comes_back(*format, &record))
				ck_abort_msg("round %d, format %td", i, format - record_formats);
		if (!comes_back(&record_milliseconds, &record))
			ck_abort_msg("round %d, milliseconds", i);
	}
}
END_TEST

START_TEST(every_pair_comes_back)
{
	for (int pair = 0; pair < 65536; pair++) {
		char bytes[2] = {(char)(pair >> 8), (char)(pair & 255)};
		struct record record = {.subject = "a", .bytes = bytes, .length = 2};
		if (!comes_back(&record_csv, &record) || !comes_back(&record_json, &record))
			ck_abort_msg("%04x", (unsigned)pair);
	}
}
END_TEST

/* No address is like this; still nothing of it may become another field. */
START_TEST(subjects_are_quoted_too)
{
	struct record record = {
		.event = RECORD_SENT, .subject = "a,\"b\":1", .bytes = "ok", .length = 2};
	assert_line(&record_csv, &record, TIME ",INFO,\"a,\"\"b\"\":1\",sent,ok\n");
	ck_assert(comes_back(&record_csv, &record) && comes_back(&record_json, &record));
}
END_TEST

static bool is_record(const char *words, size_t length)
{
	struct record_view view;
	char *line = malloc(length ? length : 1); /* so that reading behind it is seen */
	memcpy(line, words, length);
	bool is = record_read(line, length, &view);
	ck_assert_msg(is || !memcmp(line, words, length), "was changed: %s", words);
	free(line);
	return is;
}

#define CSV TIME ",INFO,a,"
#define JSON "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"a\",\"event\":"

START_TEST(other_lines_are_no_records)
{
	static const char *const lines[] = {
		"time,level,peer,event,text",
		TIME,
		"2026-11-21 07:40:08.003456-03:30,INFO,a,sent,ok",
		"2026-11-21T07:40:08-03:30,INFO,a,sent,ok",
		"2026-11-21T07:40:08.003456Z,INFO,a,sent,ok",
		TIME ",DEBUG,a,sent,ok",
		TIME ",INFO,,sent,ok",
		TIME ",INFO,\"\",sent,ok",
		CSV "other,ok",
		CSV "sent",
		CSV "sent,ok,ok",
		CSV "sent,\"ok",
		CSV "sent,\"ok\"\"",
		CSV "sent,\"",
		CSV "sent,\"ok\"x",
		CSV "sent,o\"k",
		CSV "sent,ok\"",
		"{}",
		"{",
		JSON "\"sent\",\"text\":\"ok\"",
		JSON "\"sent\",\"text\":\"ok\"}}",
		JSON "\"sent\",\"text\":\"o\"k\"}",
		JSON "\"sent\",\"text\":\"ok\\\"}",
		JSON "\"sent\",\"text\":\"\\n\"}",
		JSON "\"other\",\"text\":\"ok\"}",
		JSON "\"sent\"}",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(!is_record(lines[i], strlen(lines[i])), "%s", lines[i]);
	ck_assert(is_record(CSV "sent,ok", strlen(CSV "sent,ok")));
	ck_assert(is_record(CSV "sent,\"ok\"", strlen(CSV "sent,\"ok\"")));
}
END_TEST

/* Torn at any place JSON is none; CSV is one as soon as the last field has begun, unless it was
 * quoted. */
START_TEST(torn_lines)
{
	static const char json[] = JSON "\"received\",\"text\":\"a\\\\b \\\"c\\\"\"}";
	static const char csv[] = CSV "received,\"a, \"\"b\"\"";
	for (size_t length = 0; length < sizeof json; length++)
		ck_assert_int_eq(is_record(json, length), length == sizeof json - 1);
	size_t begun = strlen(CSV "received,");
	for (size_t length = 0; length < sizeof csv; length++) {
		bool closed = length == begun + strlen("\"a, \"") ||
			      length == begun + strlen("\"a, \"\"b\"");
		ck_assert_int_eq(is_record(csv, length), length == begun || closed);
	}
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	TCase *writing = tcase_create("writing");
	tcase_add_test(writing, the_formats_are_exact);
	tcase_add_test(writing, only_what_has_to_be_is_quoted);
	tcase_add_test(writing, csv_has_a_header);
	tcase_add_test(writing, out_of_memory_changes_nothing);
	tcase_add_test(writing, subjects_are_quoted_too);
	TCase *reading = tcase_create("reading");
	tcase_add_test(reading, random_bytes_come_back);
	tcase_add_test(reading, every_pair_comes_back);
	tcase_add_test(reading, other_lines_are_no_records);
	tcase_add_test(reading, torn_lines);
	return unit_main("csv_json", writing, reading, NULL);
}
