/* SPDX-License-Identifier: MIT */
#include "record/ping_message.h"

#include <string.h>

#include "unit.h"

static void assert_same(const char *line, struct ping_message expected)
{
	struct ping_message read;
	char written[PING_MESSAGE_SIZE];
	ck_assert_msg(ping_message_read(slice_of(line), &read), "refused: %s", line);
	ck_assert_int_eq(read.kind, expected.kind);
	ck_assert_uint_eq(read.request, expected.request);
	ck_assert_uint_eq(read.message, expected.message);
	ck_assert_uint_eq(read.client, expected.client);
	ck_assert_uint_eq(ping_message_write(written, &read), strlen(line));
	ck_assert_str_eq(written, line);
}

START_TEST(lines_are_read_and_written)
{
	assert_same("[0] PING", (struct ping_message){.kind = PING_REQUEST});
	assert_same("[18446744073709551615] PING",
		    (struct ping_message){.kind = PING_REQUEST, .request = UINT64_MAX});
	assert_same("[12/7] PONG (1)",
		    (struct ping_message){
			    .kind = PING_ANSWER, .message = 12, .request = 7, .client = 1});
	assert_same("[18446744073709551615/18446744073709551615] PONG (18446744073709551615)",
		    (struct ping_message){.kind = PING_ANSWER,
					  .message = UINT64_MAX,
					  .request = UINT64_MAX,
					  .client = UINT64_MAX});
	assert_same("[10] keepalive", (struct ping_message){.kind = PING_KEEPALIVE, .message = 10});
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const lines[] = {
		"",
		"PING",
		"[] PING",
		"[1 PING",
		"[1] PING ",
		" [1] PING",
		"[1] ping",
		"[1]PING",
		"[1]  PING",
		"[+1] PING",
		"[-1] PING",
		"[01] PING",
		"[00] PING",
		"[0x1] PING",
		"[1.0] PING",
		"[ 1] PING",
		"[18446744073709551616] PING",
		"[99999999999999999999999] PING",
		"[1] PIN",
		"[1] PINGS",
		"[1] PING\r",
		"[1/2] PONG",
		"[1/2] PONG ()",
		"[1/2] PONG (03)",
		"[1/] PONG (3)",
		"[/1] PONG (3)",
		"[1] PONG (3)",
		"[1/2] PONG (3) ",
		"[1] keepaliv",
		"[1] keepalives",
		"[] keepalive",
	};
	struct ping_message read;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(!ping_message_read(slice_of(lines[i]), &read), "taken: '%s'",
			      lines[i]);
	ck_assert(!ping_message_read((struct slice){"[1] PING\0", 9}, &read));
	ck_assert(!ping_message_read((struct slice){"[1] PING", 7},
				     &read)); /* nothing behind the end is read */
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("ping_line");
	tcase_add_test(cases, lines_are_read_and_written);
	tcase_add_test(cases, anything_else_is_refused);
	return unit_main("ping_line", cases, NULL);
}
