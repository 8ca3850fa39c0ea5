/* SPDX-License-Identifier: MIT */
#include "net/busy_poll.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream_tcp.h"
#include "support.h"
#include "unit.h"

#define LONG (10 * CLOCK_SECOND) /* no spin of this length ends in vain in here */

static struct stream *stream;
static int peer;
static struct busy_poll spin;
static char bytes[16];

/* What happens during a spin: linked with --wrap. */
static int yields;
static void (*at_yield)(void);

int __wrap_sched_yield(void);

int __wrap_sched_yield(void)
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
	spin = (struct busy_poll){.time = LONG};
	yields = 0;
	at_yield = NULL;
}

static void end(void)
{
	(void)close(peer);
	stream_close(stream, 0);
}

static ssize_t receive(void)
{
	return busy_poll_receive(&spin, stream, bytes, sizeof bytes);
}

static void send_once(void)
{
	if (yields == 3)
		peer_send(peer, "one", 3);
}

/* Once a spin was in vain. */
static void *send_then(void *argument)
{
	(void)argument;
	while (!atomic_load(&spin.paused_until))
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
	ck_assert(!atomic_load(&spin.taken));
	ck_assert_int_eq(atomic_load(&spin.paused_until), 0);
}
END_TEST

START_TEST(after_a_spin_in_vain_it_sleeps_and_there_is_a_pause)
{
	pthread_t sender;
	spin.time = CLOCK_MILLISECOND;
	int64_t before = clock_now();
	ck_assert_int_eq(pthread_create(&sender, NULL, send_then, NULL), 0);
	ck_assert_int_eq((int)receive(), 3); /* blocked, and woken by the sender */
	pthread_join(sender, NULL);
	ck_assert_mem_eq(bytes, "two", 3);
	ck_assert_int_ge(yields, 1);
	ck_assert(!atomic_load(&spin.taken));
	ck_assert_int_ge(atomic_load(&spin.paused_until), before + 2 * CLOCK_MILLISECOND);

	atomic_store(&spin.paused_until, clock_after(LONG));
	assert_sleeps();

	spin.time = LONG;
	atomic_store(&spin.paused_until, clock_now());
	at_yield = send_once;
	ck_assert_int_eq((int)receive(), 3);
	ck_assert_int_ge(yields, 3);
}
END_TEST

START_TEST(pauses_grow_until_a_spin_is_not_in_vain)
{
	stream_set_idle(stream, CLOCK_MILLISECOND);
	spin.time = CLOCK_MILLISECOND;
	for (int i = 0; i < 12; i++) {
		int64_t pause = CLOCK_MILLISECOND << (i < 7 ? i : 7);
		atomic_store(&spin.paused_until, 0);
		int64_t before = clock_now();
		ck_assert_int_eq((int)receive(), -1);
		int64_t until = atomic_load(&spin.paused_until);
		ck_assert_int_ge(until, before + spin.time + pause);
		ck_assert_int_le(until, clock_now() + pause);
	}
	atomic_store(&spin.paused_until, 0);
	peer_send(peer, "one", 3);
	ck_assert_int_eq((int)receive(), 3);
	ck_assert_int_eq(spin.vain, 0);
}
END_TEST

START_TEST(only_one_spins)
{
	atomic_store(&spin.taken, true);
	assert_sleeps();
	ck_assert(atomic_load(&spin.taken));
}
END_TEST

START_TEST(without_a_time_nobody_spins)
{
	spin.time = 0;
	assert_sleeps();
}
END_TEST

START_TEST(the_silence_limit_holds_after_a_spin)
{
	spin.time = CLOCK_MILLISECOND;
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
	ck_assert(!atomic_load(&spin.taken));
}
END_TEST

START_TEST(a_broken_connection_is_seen_meanwhile)
{
	at_yield = break_off;
	ck_assert_int_eq((int)receive(), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert(!atomic_load(&spin.taken));
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("spin");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, what_comes_meanwhile_is_received_at_once);
	tcase_add_test(cases, after_a_spin_in_vain_it_sleeps_and_there_is_a_pause);
	tcase_add_test(cases, pauses_grow_until_a_spin_is_not_in_vain);
	tcase_add_test(cases, only_one_spins);
	tcase_add_test(cases, without_a_time_nobody_spins);
	tcase_add_test(cases, the_silence_limit_holds_after_a_spin);
	tcase_add_test(cases, the_end_is_seen_meanwhile);
	tcase_add_test(cases, a_broken_connection_is_seen_meanwhile);
	return unit_main("spin", cases, NULL);
}
