/* SPDX-License-Identifier: MIT */
#include "net/busy_poll.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream.h"
#include "fake_clock.h"
#include "support.h"
#include "unit.h"

#define LONG (10 * CLOCK_SECOND) /* no spin of this length ends in vain in here */

static struct stream *stream;
static int peer;
static struct busy_poll busy;
static char bytes[16];

/* What happens during a busy-poll. */
static int yields;
static void (*at_yield)(void);

static int yield(void)
{
	yields++;
	if (at_yield)
		at_yield();
	return 0;
}

static void begin(void)
{
	int accepted;
	tcp_pair(&accepted, &peer);
	stream = stream_open(&stream_tcp, accepted, STREAM_SERVER);
	ck_assert_ptr_nonnull(stream);
	busy = (struct busy_poll){.time = LONG};
	yields = 0;
	at_yield = NULL;
	busy_poll_yield = yield;
}

static void end(void)
{
	(void)close(peer);
	stream_close(stream, 0);
}

static ssize_t receive(void)
{
	return busy_poll_receive(&busy, stream, bytes, sizeof bytes, CLOCK_NEVER);
}

static void let_time_pass(void)
{
	if (yields == 3)
		fake_clock_ahead = 2 * LONG;
}

static void send_once(void)
{
	if (yields == 3)
		peer_send(peer, "one", 3);
}

/* Once a busy-poll was in vain. */
static void *send_then(void *argument)
{
	(void)argument;
	while (!atomic_load(&busy.paused_until))
		(void)usleep(1000);
	peer_send(peer, "two", 3);
	return NULL;
}

static void assert_sleeps(void)
{
	yields = 0;
	stream_set_idle(stream, 10 * CLOCK_MILLISECOND);
	ck_assert_int_eq((int)receive(), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(yields, 0);
}

START_TEST(what_comes_meanwhile_is_received_at_once)
{
	at_yield = send_once;
	ck_assert_int_eq((int)receive(), 3);
	ck_assert_mem_eq(bytes, "one", 3);
	ck_assert_int_ge(yields, 3);
	ck_assert(!atomic_load(&busy.taken));
	ck_assert_int_eq(atomic_load(&busy.paused_until), 0);
}
END_TEST

START_TEST(after_one_in_vain_it_sleeps_and_there_is_a_pause)
{
	pthread_t sender;
	int64_t before = clock_now();
	at_yield = let_time_pass;
	ck_assert_int_eq(pthread_create(&sender, NULL, send_then, NULL), 0);
	ck_assert_int_eq((int)receive(), 3); /* blocked, and woken by the sender */
	pthread_join(sender, NULL);
	ck_assert_mem_eq(bytes, "two", 3);
	ck_assert_int_eq(yields, 3);
	ck_assert(!atomic_load(&busy.taken));
	ck_assert_int_ge(atomic_load(&busy.paused_until), before + LONG);

	fake_clock_ahead = 0;
	atomic_store(&busy.paused_until, clock_after(LONG));
	assert_sleeps();

	busy.time = LONG;
	atomic_store(&busy.paused_until, clock_now());
	at_yield = send_once;
	ck_assert_int_eq((int)receive(), 3);
	ck_assert_int_ge(yields, 3);
}
END_TEST

START_TEST(pauses_grow_until_one_is_not_in_vain)
{
	stream_set_idle(stream, CLOCK_MILLISECOND);
	busy.time = CLOCK_MILLISECOND;
	for (int i = 0; i < 12; i++) {
		int64_t pause = CLOCK_MILLISECOND << (i < 7 ? i : 7);
		atomic_store(&busy.paused_until, 0);
		int64_t before = clock_now();
		ck_assert_int_eq((int)receive(), -1);
		int64_t until = atomic_load(&busy.paused_until);
		ck_assert_int_ge(until, before + busy.time + pause);
		ck_assert_int_le(until, clock_now() + pause);
	}
	atomic_store(&busy.paused_until, 0);
	peer_send(peer, "one", 3);
	ck_assert_int_eq((int)receive(), 3);
	ck_assert_int_eq(busy.vain, 0);
}
END_TEST

START_TEST(only_one_busy_polls)
{
	atomic_store(&busy.taken, true);
	assert_sleeps();
	ck_assert(atomic_load(&busy.taken));
}
END_TEST

START_TEST(without_a_time_it_never_busy_polls)
{
	busy.time = 0;
	assert_sleeps();
}
END_TEST

START_TEST(the_idle_limit_holds_afterwards)
{
	busy.time = CLOCK_MILLISECOND;
	stream_set_idle(stream, 10 * CLOCK_MILLISECOND);
	ck_assert_int_eq((int)receive(), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

static void break_off(void)
{
	struct linger now = {.l_onoff = 1};
	if (yields == 1) {
		(void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		(void)close(peer);
		peer = -1;
	}
}

static void close_peer(void)
{
	if (yields == 1)
		(void)shutdown(peer, SHUT_WR);
}

START_TEST(the_end_is_seen_meanwhile)
{
	at_yield = close_peer;
	ck_assert_int_eq((int)receive(), 0);
	ck_assert(!atomic_load(&busy.taken));
}
END_TEST

START_TEST(a_broken_connection_is_seen_meanwhile)
{
	at_yield = break_off;
	ck_assert_int_eq((int)receive(), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert(!atomic_load(&busy.taken));
}
END_TEST

static int tries, needed;

static bool try_often(void *context)
{
	ck_assert_ptr_eq(context, bytes);
	return ++tries >= needed;
}

static bool poll_until(int needed_tries)
{
	tries = yields = 0;
	needed = needed_tries;
	return busy_poll(&busy, try_often, bytes);
}

START_TEST(anything_can_be_tried_until_it_is_done)
{
	ck_assert(poll_until(1));
	ck_assert_int_eq(yields, 0);
	ck_assert(poll_until(5));
	ck_assert_int_eq(tries, 5);
	ck_assert_int_eq(yields, 4);
	ck_assert(!atomic_load(&busy.taken));
	busy.time = CLOCK_MILLISECOND;
	ck_assert(!poll_until(INT_MAX)); /* not in time */
	ck_assert_int_ge(tries, 1);
	ck_assert_int_eq(yields, tries - 1);
	ck_assert(!atomic_load(&busy.taken));
	ck_assert_int_eq(busy.vain, 1);
}
END_TEST

START_TEST(nothing_is_tried_where_it_is_not_to_be_polled)
{
	atomic_store(&busy.paused_until, clock_after(LONG));
	ck_assert(!poll_until(1));
	atomic_store(&busy.paused_until, 0);
	atomic_store(&busy.taken, true);
	ck_assert(!poll_until(1));
	atomic_store(&busy.taken, false);
	busy.time = 0;
	ck_assert(!poll_until(1));
	ck_assert_int_eq(tries, 0);
}
END_TEST

int main(void)
{
	fake_clock_use();
	TCase *cases = tcase_create("busy_poll");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, what_comes_meanwhile_is_received_at_once);
	tcase_add_test(cases, after_one_in_vain_it_sleeps_and_there_is_a_pause);
	tcase_add_test(cases, pauses_grow_until_one_is_not_in_vain);
	tcase_add_test(cases, only_one_busy_polls);
	tcase_add_test(cases, without_a_time_it_never_busy_polls);
	tcase_add_test(cases, the_idle_limit_holds_afterwards);
	tcase_add_test(cases, the_end_is_seen_meanwhile);
	tcase_add_test(cases, a_broken_connection_is_seen_meanwhile);
	tcase_add_test(cases, anything_can_be_tried_until_it_is_done);
	tcase_add_test(cases, nothing_is_tried_where_it_is_not_to_be_polled);
	return unit_main("busy_poll", cases, NULL);
}
