/* SPDX-License-Identifier: MIT */
/* Lines that are begun and not finished, in a group and without one. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_clock.h"
#include "receiver_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

#define LIMIT (50 * CLOCK_MILLISECOND)

/* Groups or none; a connection that has begun no line may stay for ever. */
static void begin_world(int groups)
{
	fake_clock_ahead = 0;
	receiver_open((size_t)groups);
	world.settings.unfinished = LIMIT;
}

static void assert_unfinished(size_t lines)
{
	assert_logged("WARNING\t| ", 2 * lines);
	assert_logged(" closed: line not finished within 0.05 s\n", lines);
	assert_logged(" incomplete last line: ", lines);
}

START_TEST(an_unfinished_line_ends_its_connection)
{
	begin_world(_i);
	int silent = world_connect(), one = world_connect(), two = world_connect();
	(void)receiver_of(one); /* after a whole line, too */
	peer_send(one, "half", 4);
	peer_send(two, "half", 4);
	world_await(1);
	assert_last(one, "");
	assert_last(two, "");
	assert_unfinished(2);
	peer_send(one = world_connect(), "half", 4); /* beside one that was never looked at */
	world_await(1);
	assert_last(one, "");
	(void)receiver_of(silent);
	(void)close(silent);
	world_await(0);
	assert_unfinished(3);
	world_close();
}
END_TEST

/* A byte every seven seconds, until the connection is closed: so it is never silent for long. */
static void drip(int peer)
{
	unsigned bytes = 0;
	char byte = 'x';
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	xor_bytes(&byte, 1);
	while (world.table->count) {
		fake_clock_ahead += 7 * CLOCK_SECOND;
		bytes += send(peer, &byte, 1, MSG_NOSIGNAL) == 1;
		for (int i = 0; i < 20 && world.table->count; i++)
			world_turn(1);
		ck_assert_msg(fake_clock_real() < deadline, "open after %u bytes", bytes);
	}
}

static void begin_drip(int groups)
{
	begin_world(groups);
	world.settings.unfinished = 60 * CLOCK_SECOND;
}

static void end_drip(int peer)
{
	fake_clock_ahead = 0; /* what waits below waits on the real clock */
	world_await(0);
	assert_logged(" closed: line not finished within 60 s\n", 1);
	(void)close(peer);
	world_close();
}

START_TEST(a_line_that_drips_ends_its_connection)
{
	begin_drip(_i);
	int peer = world_connect();
	drip(peer);
	end_drip(peer);
}
END_TEST

/* More than what another thread would keep: its own thread receives it. */
START_TEST(a_long_line_that_drips_does_as_well)
{
	static char half[40000];
	begin_drip(_i);
	memset(half, 'x', sizeof half);
	int peer = world_connect();
	(void)receiver_of(peer);
	peer_send(peer, half, sizeof half);
	receiver_await_receipt(peer, 1);
	drip(peer);
	end_drip(peer);
}
END_TEST

/* A limit for each line, and for each 64 KiB of one. */
START_TEST(lines_that_go_on_are_no_matter)
{
	static char much[32768];
	begin_drip(_i);
	memset(much, 'x', sizeof much);
	int peer = world_connect();
	(void)receiver_of(peer);
	peer_send(peer, "w", 1);
	for (int i = 0; i < 5; i++) { /* a line is always begun */
		receiver_await_receipt(peer, 1);
		fake_clock_ahead += 40 * CLOCK_SECOND;
		peer_send(peer, "ho\nw", 4);
		(void)receiver_answer(peer);
	}
	for (int i = 0; i < 3; i++) {
		receiver_await_receipt(peer, 1);
		fake_clock_ahead += 28 * CLOCK_SECOND;
		peer_send(peer, much, sizeof much);
	}
	peer_send(peer, "\n", 1);
	(void)receiver_answer(peer);
	fake_clock_ahead = 0; /* what waits below waits on the real clock */
	assert_logged("WARNING", 0);
	(void)close(peer);
	world_await(0);
	world_close();
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void), void (*use_busy_poll)(void))
{
	TCase *tests = tcase_create(name);
	tcase_add_checked_fixture(tests, use_type, NULL);
	tcase_add_checked_fixture(tests, use_busy_poll, NULL);
	tcase_add_checked_fixture(tests, scratch_enter, NULL);
	tcase_add_loop_test(tests, an_unfinished_line_ends_its_connection, 0, 2);
	tcase_add_loop_test(tests, a_line_that_drips_ends_its_connection, 0, 2);
	tcase_add_loop_test(tests, a_long_line_that_drips_does_as_well, 0, 2);
	tcase_add_loop_test(tests, lines_that_go_on_are_no_matter, 0, 2);
	return tests;
}

int main(void)
{
	fake_clock_use();
	scratch_make();
	int status = unit_main("receiver_deadlines", make("sleep", tcp_use, receiver_use_sleep),
			       make("busy-poll", tcp_use, receiver_use_busy_poll),
			       make("xor", xor_use, receiver_use_busy_poll), NULL);
	scratch_remove();
	return status;
}
