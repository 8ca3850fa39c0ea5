/* SPDX-License-Identifier: MIT */
#include "net/line_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

enum { SERVER, OTHER, COUNT };

static struct line_stream lines;
static struct stream *far;

static void connect_both(void)
{
	struct error error;
	int port, listener = tcp_listen(&port);
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	const struct connect_target target = {
		.host = "127.0.0.1", .port = port, .deadline = deadline, .wake = -1};
	ck_assert_int_eq(line_stream_open(&lines, stream_connect(stream_type, &target, &error), 10),
			 0);
	far = stream_open(stream_type, accept(listener, NULL, NULL), STREAM_SERVER);
	ck_assert_int_eq(stream_handshake(far, deadline, -1, &error), 0);
	(void)close(listener);
}

static void close_both(void)
{
	stream_close(far, 0);
	line_stream_close(&lines);
}

/* Waits for what is wanted. Returns the events. */
static short await(short wanted, int64_t deadline)
{
	struct pollfd waiting[COUNT] = {[OTHER] = {.fd = -1}};
	ck_assert_int_ge(line_stream_poll(&lines, wanted, waiting, COUNT, deadline), 0);
	return waiting[SERVER].revents;
}

static void far_send(const char *bytes)
{
	size_t done = 0, length = strlen(bytes);
	while (done < length || stream_owed(far)) {
		ssize_t sent = stream_send(far, bytes + done, length - done);
		ck_assert_int_ge((int)sent, 0);
		done += (size_t)sent;
	}
}

static void assert_line(const char *expected)
{
	struct slice line;
	enum line_result result;
	while ((result = line_next(&lines.received, &line.bytes, &line.length)) == LINE_NONE) {
		ck_assert(await(POLLIN | POLLOUT, clock_after(20 * CLOCK_SECOND)) & POLLIN);
		ck_assert_int_gt((int)line_stream_receive(&lines), 0);
	}
	ck_assert_int_eq(result, expected ? LINE_FOUND : LINE_TOO_LONG);
	if (expected)
		ck_assert_msg(slice_equals(line, expected), "not %s", expected);
}

START_TEST(lines_are_received)
{
	far_send("one\r\n\ntwo\nlonger than that\nthree\n");
	assert_line("one");
	assert_line("");
	assert_line("two");
	assert_line(NULL);
	assert_line("three");
	errno = 0;
	ck_assert_int_eq((int)line_stream_receive(&lines), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(await(POLLIN | POLLOUT, clock_now()), 0); /* there is nothing to send */
	stream_end(far);
	ck_assert(await(POLLIN, clock_after(20 * CLOCK_SECOND)) & POLLIN);
	ck_assert_int_eq((int)line_stream_receive(&lines), 0);
}
END_TEST

START_TEST(all_bytes_are_sent)
{
	char bytes[16];
	size_t received = 0;
	ck_assert(!line_stream_has_unsent(&lines));
	ck_assert(buffer_append_string(&lines.unsent, "one\ntwo\n"));
	while (line_stream_has_unsent(&lines)) {
		ck_assert(await(POLLOUT, clock_after(20 * CLOCK_SECOND)) & POLLOUT);
		ck_assert_int_eq(line_stream_send(&lines), 0);
	}
	while (received < 8) {
		ssize_t length = stream_receive(far, bytes + received, sizeof bytes - received);
		ck_assert_int_gt((int)length, 0);
		received += (size_t)length;
	}
	ck_assert_mem_eq(bytes, "one\ntwo\n", 8);
}
END_TEST

START_TEST(a_closed_one_waits_for_the_others)
{
	struct line_stream closed = {0};
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	struct pollfd waiting[COUNT] = {[OTHER] = {.fd = ends[0], .events = POLLIN}};
	ck_assert_int_eq(line_stream_poll(&closed, 0, waiting, COUNT, clock_now()), 0);
	ck_assert_int_eq((int)write(ends[1], "x", 1), 1);
	ck_assert_int_eq(line_stream_poll(&closed, 0, waiting, COUNT, CLOCK_NEVER), 1);
	ck_assert_int_eq(waiting[SERVER].revents, 0);
	ck_assert_int_eq(waiting[OTHER].revents, POLLIN);
	line_stream_close(&closed);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, connect_both, close_both);
	tcase_add_test(cases, lines_are_received);
	tcase_add_test(cases, all_bytes_are_sent);
}

int main(void)
{
	TCase *plain = tcase_create("tcp"), *xor = tcase_create("xor");
	tcase_add_test(plain, a_closed_one_waits_for_the_others);
	add_tests(plain);
	tcase_add_checked_fixture(xor, xor_use, NULL);
	add_tests(xor);
	return unit_main("line_stream", plain, xor, NULL);
}
