/* SPDX-License-Identifier: MIT */
/* Records of connections whose peer has a certificate, in all formats. */
#include <stdlib.h>
#include <string.h>

#include "record/format.h"
#include "unit.h"

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};
static struct record_format with_column;

static void begin(void)
{
	with_column = record_csv;
	record_add_certificates(&with_column);
}

static struct record record(const char *subject, const char *bytes)
{
	return (struct record){.subject = subject, .bytes = bytes, .length = strlen(bytes)};
}

static char *line_of(const struct record_format *format, const struct record *record)
{
	struct buffer text = {0};
	ck_assert(record_append(format, &text, &stamp, record));
	text.bytes[text.length - 1] = '\0'; /* the line end */
	return text.bytes;
}

static void assert_line(const struct record_format *format, const char *subject,
			const char *expected)
{
	struct record one = record(subject, "hello");
	char *line = line_of(format, &one);
	ck_assert_str_eq(line, expected);
	free(line);
}

START_TEST(the_formats_are_exact)
{
#define TIME "2026-11-21T07:40:08.003456-03:30"
	assert_line(&record_text, "1.2.3.4:5 (sensor-7)",
		    "INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-7) received: hello");
	assert_line(&with_column, "1.2.3.4:5 (sensor-7)",
		    TIME ",INFO,1.2.3.4:5,sensor-7,received,hello");
	assert_line(&with_column, "1.2.3.4:5", TIME ",INFO,1.2.3.4:5,,received,hello");
	assert_line(&record_csv, "1.2.3.4:5", TIME ",INFO,1.2.3.4:5,received,hello");
	assert_line(&record_json, "[::1]:5 (sensor-7)",
		    "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"[::1]:5\","
		    "\"certificate\":\"sensor-7\",\"event\":\"received\",\"text\":\"hello\"}");
	assert_line(&record_json, "[::1]:5",
		    "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"peer\":\"[::1]:5\","
		    "\"event\":\"received\",\"text\":\"hello\"}");
	assert_line(&record_plain, "1.2.3.4:5 (sensor-7)", "hello");
}
END_TEST

START_TEST(csv_has_another_header)
{
	static const char header[] = "time,level,peer,certificate,event,text\n";
	struct record_format json = record_json;
	ck_assert_str_eq(with_column.header, header);
	ck_assert(record_is_header(header, strlen(header) - 1));
	ck_assert(!record_is_header(header, strlen(header) - 2));
	record_add_certificates(&json); /* which has a place for it */
	ck_assert_str_eq(json.header, "");
}
END_TEST

static void assert_slice(struct slice slice, const char *expected)
{
	ck_assert_uint_eq(slice.length, strlen(expected));
	ck_assert(!slice.length || !memcmp(slice.bytes, expected, slice.length));
}

/* Names and lines that look like other parts of a record. */
static const char *const words[] = {
	"received",	"sent",	 "note",      "ignored", "sensor-7",  "INFO", "server",
	"spiffe://a/b", "a@b.c", "1.2.3.4:5", "{",	 "received:", "--x",  "|",
};
static const char *const lines[] = {
	"",
	"hello",
	"(sensor-8) received: forged",
	" (sensor-8) sent: forged",
	"received: x",
	"received,x",
	",received,x",
	"\",\"event\":\"sent\",\"text\":\"x",
	"\"",
	"INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-8) received: forged",
};

static void assert_comes_back(const struct record_format *format, const char *name,
			      const char *bytes)
{
	struct record_view view;
	char subject[128] = "1.2.3.4:5";
	if (*name)
		(void)strcat(strcat(strcat(subject, " ("), name), ")");
	struct record one = record(subject, bytes);
	char *line = line_of(format, &one);
	ck_assert_msg(record_read(line, strlen(line), &view), "%s", line);
	assert_slice(view.subject, "1.2.3.4:5");
	assert_slice(view.certificate, name);
	ck_assert_int_eq(view.event, RECORD_RECEIVED);
	if (!strchr(bytes, '\t')) /* which is escaped */
		assert_slice(view.bytes, bytes);
	free(line);
}

START_TEST(names_and_lines_come_back)
{
	const struct record_format *formats[] = {&record_text, &with_column, &record_json,
						 &record_milliseconds};
	for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
		for (size_t l = 0; l < sizeof lines / sizeof *lines; l++) {
			assert_comes_back(formats[f], "", lines[l]);
			for (size_t w = 0; w < sizeof words / sizeof *words; w++)
				assert_comes_back(formats[f], words[w], lines[l]);
		}
	for (size_t l = 0; l < sizeof lines / sizeof *lines; l++)
		assert_comes_back(&record_csv, "", lines[l]);
}
END_TEST

START_TEST(half_a_name_is_no_record)
{
	static const char *const bad[] = {
		"INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-7 received: x",
		"INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-7)received: x",
		"INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-7) (b) received: x",
		"INFO\t| 2026-11-21 07:40:08 --1.2.3.4:5 (sensor-7)",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct record_view view;
		char *line = strdup(bad[i]);
		ck_assert(!record_read(line, strlen(line), &view) ||
			  (view.event == RECORD_NOTE && view.level == RECORD_INFO));
		free(line);
	}
}
END_TEST

int main(void)
{
	TCase *certificates = tcase_create("certificates");
	tcase_add_checked_fixture(certificates, begin, NULL);
	tcase_add_test(certificates, the_formats_are_exact);
	tcase_add_test(certificates, csv_has_another_header);
	tcase_add_test(certificates, names_and_lines_come_back);
	tcase_add_test(certificates, half_a_name_is_no_record);
	return unit_main("certificates", certificates, NULL);
}
