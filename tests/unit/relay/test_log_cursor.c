/* SPDX-License-Identifier: MIT */
/* Lines read back from a relay's log, and where it goes on after a restart; and what -next takes.
 */
#include "relay/log_cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "relay/recovery.h"
#include "relay/relay.h"
#include "support.h"
#include "unit.h"

#define LOG "relay.log"
#define TIME "2019-02-24 15:10:14.000123"
#define RECORD "INFO\t| " TIME " --"
#define GOT(line) RECORD "127.0.0.1:4000 received: " line "\n"
#define NOTE(words) RECORD words "\n"
#define ACKED(n) NOTE("127.0.0.1:7001 acknowledged up to " #n)
#define TORN                                                                                       \
	"WARNING\t| " TIME " --server the line before this one is torn: the server was stopped "   \
	"while it wrote it\n"

static struct log_cursor cursor = {.log.descriptor = -1};
static struct recovery recovery;
static struct error error;

/* Goes to the first line that is not acknowledged, as a start does. */
static int go_on(const char *name)
{
	struct relay_file file = {0};
	int result = recovery_read(&recovery, name, false, &error);
	if (result == 0) {
		const struct log_reader *log = &recovery.back.files[0].log;
		file.id = descriptor_file(log->descriptor);
		file.old = log->limit;
		cursor.received = recovery.acknowledged;
		result =
			log_cursor_enter(&cursor, name, &file, recovery.offset, log->limit, &error);
	}
	recovery_end(&recovery);
	return result;
}

static void open_log(const char *log)
{
	file_write(LOG, log);
	ck_assert_msg(go_on(LOG) == 0, "%s", error.message);
}

static void recover(const char *log, uint64_t acknowledged)
{
	open_log(log);
	ck_assert_uint_eq(cursor.received, acknowledged);
}

static void append(const char *more)
{
	FILE *file = fopen(LOG, "a");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(more, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* The next line has that number and those bytes. */
static void assert_next(uint64_t number, const char *bytes)
{
	ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_RECORD);
	ck_assert_uint_eq(cursor.received, number);
	ck_assert_msg(slice_equals(cursor.log.record.bytes, bytes), "%.*s instead of %s",
		      (int)cursor.log.record.bytes.length, cursor.log.record.bytes.bytes, bytes);
	ck_assert_str_eq(cursor.time, TIME);
}

static void assert_end(void)
{
	ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_END);
}

START_TEST(lines_received_are_numbered)
{
	open_log(NOTE("server listening") GOT("one") RECORD
		 "127.0.0.1:4000 sent: ok\n" GOT("") "garbage\n" GOT("\\x1b \\x5cx41 \\y"));
	ck_assert_uint_eq(recovery.lines, 3);
	assert_next(1, "one");
	ck_assert_int_eq(cursor.log.start, strlen(NOTE("server listening")));
	assert_next(2, "");
	assert_next(3, "\x1b \\x41 \\y");
	assert_end();
	assert_end();
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(only_what_is_committed_is_read)
{
	open_log("");
	assert_end();
	append(GOT("one") GOT("two"));
	assert_end();
	cursor.log.limit += (int64_t)strlen(GOT("one"));
	assert_next(1, "one");
	assert_end();
	cursor.log.limit += (int64_t)strlen(GOT("two"));
	assert_next(2, "two");
	assert_end();
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(it_goes_on_behind_the_last_acknowledgement)
{
	recover(GOT("one") ACKED(1) GOT("two") GOT("three") ACKED(2) GOT("four"), 2);
	assert_next(3, "three");
	assert_next(4, "four");
	assert_end();
	append(GOT("five"));
	cursor.log.limit += (int64_t)strlen(GOT("five"));
	assert_next(5, "five");
	log_cursor_close(&cursor);
	recover(GOT("one") GOT("two"), 0);
	assert_next(1, "one");
	log_cursor_close(&cursor);
	recover(GOT("one") GOT("two") ACKED(2), 2);
	assert_end();
	log_cursor_close(&cursor);
	recover(GOT("one") ACKED(7), 1); /* somebody has taken lines out */
	assert_end();
	log_cursor_close(&cursor);
	recover("", 0);
	assert_end();
	log_cursor_close(&cursor);
}
END_TEST

/* A line that says such a thing is none of our notes; nor is another note. */
START_TEST(acknowledgements_cannot_be_forged)
{
	recover(GOT("acknowledged up to 2") GOT("two")
			NOTE("127.0.0.1:4000 incomplete last line: acknowledged up to 2")
				NOTE("127.0.0.1:7001 acknowledged up to ")
					NOTE("127.0.0.1:7001 acknowledged up to 2x")
						NOTE("127.0.0.1:7001 acknowledged up to "
						     "99999999999999999999999999"),
		0);
	assert_next(1, "acknowledged up to 2");
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(torn_lines_are_none)
{
	/* torn long ago; and by the crash before this start, of which the note is still to come */
	recover(GOT("one") RECORD "127.0.0.1:4000 received: tw\n" TORN GOT("three") ACKED(1) RECORD
		"127.0.0.1:4000 received: fo",
		1);
	assert_next(2, "three");
	assert_end();
	append("\n" TORN GOT("four"));
	cursor.log.limit += (int64_t)strlen("\n" TORN GOT("four"));
	assert_next(3, "four");
	assert_end();
	log_cursor_close(&cursor);
	/* an acknowledgement that lost its last digit says too little, and nothing */
	recover(GOT("one") GOT("two") ACKED(1) NOTE("127.0.0.1:7001 acknowledged up to 2") TORN, 1);
	assert_next(2, "two");
	log_cursor_close(&cursor);
	/* whole up to the last byte: what comes then is another line */
	recover(GOT("one"), 0);
	append(GOT("two"));
	cursor.log.limit += (int64_t)strlen(GOT("two"));
	assert_next(1, "one");
	assert_next(2, "two");
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(other_formats_and_times)
{
	open_log("time,level,peer,event,text\n"
		 "2019-02-24T15:10:14.000123+01:00,INFO,127.0.0.1:4000,received,\"a, \"\"b\"\"\"\n"
		 "{\"time\":\"2019-02-24T15:10:14.000123+01:00\",\"level\":\"INFO\",\"peer\":"
		 "\"127.0.0.1:4000\",\"event\":\"received\",\"text\":\"\\\"c\\\" \\\\x1b\"}\n"
		 "INFO\t| 2019-02-24 15:10:14 --127.0.0.1:4000 received: d\n"
		 "INFO\t| 2019-02-24 15:10:14.123 --127.0.0.1:4000 received: e\n");
	assert_next(1, "a, \"b\"");
	assert_next(2, "\"c\" \x1b");
	ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_RECORD);
	ck_assert_str_eq(cursor.time, "2019-02-24 15:10:14.000000");
	ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_RECORD);
	ck_assert_str_eq(cursor.time, "2019-02-24 15:10:14.123000");
	assert_end();
	log_cursor_close(&cursor);
}
END_TEST

/* Longer than the buffer, which grows, and many of them, for which it does not. */
START_TEST(long_lines_and_many)
{
	enum { LONG = 300000, MANY = 20000 };
	FILE *file = fopen(LOG, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < MANY; i++) {
		bool large = i == 7 || i == MANY - 1;
		(void)fprintf(file, RECORD "127.0.0.1:4000 received: %0*d\n", large ? LONG : 5, i);
	}
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(go_on(LOG), 0);
	for (int i = 0; i < MANY; i++) {
		bool large = i == 7 || i == MANY - 1;
		ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_RECORD);
		ck_assert_uint_eq(cursor.log.record.bytes.length, large ? LONG : 5);
		ck_assert_int_eq(
			atoi(cursor.log.record.bytes.bytes + cursor.log.record.bytes.length - 5),
			i);
	}
	assert_end();
	ck_assert_uint_le(cursor.log.buffer.capacity, 1 << 20);
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(what_is_no_log_is_refused)
{
	ck_assert_int_eq(go_on("missing"), -1);
	ck_assert_str_eq(error.message, "cannot read missing: No such file or directory");
	ck_assert_int_eq(go_on("/dev/null"), -1);
	ck_assert_str_eq(error.message,
			 "cannot forward from the log /dev/null: it is not a regular file");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(go_on("fifo"), -1);
	open_log(GOT("one"));
	file_write(LOG, "");
	ck_assert_int_eq(log_cursor_next(&cursor, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message, "cannot read " LOG ": it was truncated");
	log_cursor_close(&cursor);
}
END_TEST

START_TEST(next_servers_are_parsed_strictly)
{
	static const char *const wrong[] = {
		"",	     "a",
		"a:",	     ":1",
		"a:0",	     "a:65536",
		"a:1x",	     "a: 1",
		"a b:1",     "::1:1",
		"[::1]",     "[::1]:",
		"[]:1",	     "[a]:1",
		"[::1]x:1",  "[::1:1",
		"a]:1",	     "a\n:1",
		"[[::1]]:1", "a:1:2",
		"a:-1",	     "[127.0.0.1]:1",
	};
	struct relay_address next;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(relay_next_parse(wrong[i], &next, &error) == -1, "taken: '%s'",
			      wrong[i]);
	ck_assert_int_eq(relay_next_parse("save.example:65535", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "save.example");
	ck_assert_int_eq(next.hosts.list[0].port, 65535);
	ck_assert_int_eq(relay_next_parse("[::1]:2005", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "::1");
	ck_assert_int_eq(next.hosts.list[0].port, 2005);
	ck_assert_int_eq(relay_next_parse("127.0.0.1:1", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "127.0.0.1");
	ck_assert(!next.once);
	ck_assert_int_eq(relay_next_parse("once:[::1]:7", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "::1");
	ck_assert_int_eq(next.hosts.list[0].port, 7);
	ck_assert(next.once);
	ck_assert_int_eq(relay_next_parse("once:unix:a.socket", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "unix:a.socket");
	ck_assert(next.once);
	ck_assert_int_eq(relay_next_parse("once:2005", &next, &error), 0); /* a host */
	ck_assert_str_eq(next.hosts.list[0].name, "once");
	ck_assert(!next.once);
	ck_assert_int_eq(relay_next_parse("once:once:2005", &next, &error), 0);
	ck_assert_str_eq(next.hosts.list[0].name, "once");
	ck_assert(next.once);
	ck_assert_int_eq(relay_next_parse("once:once:a:1", &next, &error), -1);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("cursor");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, lines_received_are_numbered);
	tcase_add_test(cases, only_what_is_committed_is_read);
	tcase_add_test(cases, it_goes_on_behind_the_last_acknowledgement);
	tcase_add_test(cases, acknowledgements_cannot_be_forged);
	tcase_add_test(cases, torn_lines_are_none);
	tcase_add_test(cases, other_formats_and_times);
	tcase_add_test(cases, long_lines_and_many);
	tcase_add_test(cases, what_is_no_log_is_refused);
	tcase_add_test(cases, next_servers_are_parsed_strictly);
	int status = unit_main("log_cursor", cases, NULL);
	scratch_remove();
	return status;
}
