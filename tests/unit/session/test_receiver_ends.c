/* SPDX-License-Identifier: MIT */
/* Leaders end, and others lead: one by one, several at once, at a drain, at every line. */
#include "session/receiver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "receiver_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

/* Connections that are still open, by their numbers. */
enum { MAX = 6 };
static int peers[MAX + 1];

static void connect_peers(int count)
{
	receiver_open(1);
	memset(peers, 0xff, sizeof peers);
	for (int number = 1; number <= count; number++)
		peers[number] = receiver_connect(1);
}

static void send_to_all(void)
{
	for (int number = 1; number <= MAX; number++)
		if (peers[number] >= 0)
			peer_send(peers[number], "x\n", 2);
}

static void close_peer(int number)
{
	(void)close(peers[number]);
	peers[number] = -1;
}

/* One of those that are open received all of it. */
static void assert_one_leads(void)
{
	size_t leader = 0;
	send_to_all();
	for (int number = 1; number <= MAX; number++) {
		if (peers[number] < 0)
			continue;
		size_t by = receiver_answer(peers[number]);
		ck_assert_uint_le(by, MAX);
		ck_assert_int_ge(peers[by], 0);
		ck_assert(!leader || by == leader);
		leader = by;
	}
}

/* The n-th order of 1 to 4. */
static void permute(int n, int order[4])
{
	for (int i = 0; i < 4; i++)
		order[i] = i + 1;
	for (int i = 0; i < 4; i++) {
		int radix = 4 - i, at = i + n % radix, taken = order[at];
		n /= radix;
		memmove(order + i + 1, order + i, sizeof *order * (size_t)(at - i));
		order[i] = taken;
	}
}

START_TEST(one_after_the_other_in_any_order)
{
	for (int n = 0; n < 24; n++) {
		int order[4];
		permute(n, order);
		connect_peers(4);
		for (int i = 0; i < 4; i++) {
			send_to_all();
			close_peer(order[i]);
			for (int number = 1; number <= 4; number++)
				if (peers[number] >= 0)
					(void)receiver_answer(peers[number]);
			world_await((size_t)(3 - i));
			assert_one_leads();
		}
		world_close();
	}
}
END_TEST

/* Some of six, the leader and perhaps the one that would follow it, in a round of their own. */
static void end_at_once(int some, bool down)
{
	connect_peers(6);
	receiver_block(peers[2], 1);
	size_t left = 6;
	for (int i = 1; i <= 6; i++) {
		int number = down ? 7 - i : i;
		if (some & 1 << (number - 1)) {
			close_peer(number);
			left--;
		}
	}
	receiver_open_gate();
	if (peers[2] >= 0)
		ck_assert_uint_eq(receiver_answer(peers[2]), 1);
	world_await(left);
	assert_one_leads();
	world_close();
}

START_TEST(several_in_one_round)
{
	for (int some = 1; some < 63; some += 2)
		end_at_once(some, _i);
}
END_TEST

/* The one that was to lead next ends with the leader. */
START_TEST(the_next_leader_ends_too)
{
	for (int i = 0; i < 50; i++)
		end_at_once(1 | 1 << 5, false);
}
END_TEST

/* --- a drain --- */

static void send_pending(int peer)
{
	peer_send(peer, "pending\npending\n", 16);
	receiver_await_arrival(peer);
}

/* The leader (1) and the own thread of one that left (4) are held; all have lines pending. Another
 * one (5) does not read. */
static void make_pending(void)
{
	static char half[20000];
	struct session *slow;
	memset(half, 'x', sizeof half);
	connect_peers(4);
	peers[5] = world_connect_slow(&slow);
	assert_received_by(peers[5], 1);
	world_fill_queue(slow, peers[5]);
	peer_send(peers[4], half, sizeof half);
	receiver_await_receipt(peers[4], 4);
	peer_send(peers[4], "\ngate\n", 6);
	receiver_await_gate(1);
	receiver_block(peers[2], 2);
	for (int number = 1; number <= 4; number++)
		send_pending(peers[number]);
}

static void assert_last_answers(int number, size_t lines)
{
	char *answers = peer_all(peers[number]);
	ck_assert_msg(count_of(answers, "\n") == lines, "%d had, instead of %zu, the answers\n%s",
		      number, lines, answers);
	free(answers);
	(void)close(peers[number]);
}

START_TEST(at_a_drain_all_that_has_come_is_answered)
{
	make_pending();
	world_drain(20 * CLOCK_SECOND);
	receiver_open_gate();
	assert_last_answers(1, 2);
	assert_last_answers(2, 3);
	assert_last_answers(3, 2);
	assert_last_answers(4, 4);
	char *answers = peer_all(peers[5]);
	size_t lines = count_of(answers, "\n");
	free(answers);
	world_await(0);
	assert_logged("received: ", 5 + 2 + 3 + 2 + 4 + lines);
	world_close();
}
END_TEST

START_TEST(a_stop_ends_all)
{
	make_pending();
	atomic_store(&world.settings.stopping, true);
	session_table_stop(world.table);
	receiver_open_gate();
	world_await(0);
	assert_logged("received: gate\n", 2);
	assert_logged("received: pending\n", 0);
	world_close();
}
END_TEST

/* --- a leader for each line --- */

enum { THREADS = 6, LIVES = 30, ROUNDS = 15 };

static atomic_uint admitted;
static atomic_int finished;

/* Every other line is not received in the group, so that its connection leaves. */
static bool admit_every_other(void *service, size_t frames, size_t bytes, bool wait)
{
	(void)service;
	(void)bytes;
	return wait || frames || atomic_fetch_add(&admitted, 1) % 2;
}

static struct slice echo(void *state, const struct frame *frame)
{
	(void)state;
	return (struct slice){frame->bytes, frame->length};
}

static const struct handler restless = {
	.protocol = &protocol_lines, .answer = echo, .admit = admit_every_other};

/* Lines of different lengths, and some in two halves. */
static void exchange_lines(int peer, unsigned thread, unsigned life, unsigned round)
{
	char lines[256];
	int length = snprintf(lines, sizeof lines, "%u %u %u\n%0*u\nlast %u\n", thread, life, round,
			      (int)(round * 7 % 100) + 1, life, thread);
	size_t half = (size_t)length * (round % 4) / 4;
	if (half)
		peer_send(peer, lines, half);
	peer_send(peer, lines + half, (size_t)length - half);
	assert_answers(peer, 3, lines);
}

static void *come_and_go(void *argument)
{
	unsigned thread = *(unsigned *)argument;
	for (unsigned life = 0; life < LIVES; life++) {
		int peer = tcp_connect(world.port);
		for (unsigned round = 0; round < ROUNDS; round++)
			exchange_lines(peer, thread, life, round);
		if (life % 2)
			(void)shutdown(peer, SHUT_WR);
		if (life % 2)
			assert_last(peer, "");
		else
			(void)close(peer);
	}
	atomic_fetch_add(&finished, 1);
	return NULL;
}

START_TEST(leaders_change_at_every_line)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];
	receiver_open(_i ? 3 : 1);
	world.acceptor.max = THREADS * LIVES; /* of which many may wait to be joined */
	world.settings.handler = &restless;
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &numbers[i]), 0);
	}
	while (atomic_load(&finished) < THREADS)
		world_turn(10);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	world_await(0);
	assert_logged("received: ", THREADS * LIVES * ROUNDS * 3);
	assert_logged("sent: ", THREADS * LIVES * ROUNDS * 3);
	assert_logged("WARNING", 0);
	ck_assert_uint_ge(atomic_load(&admitted), THREADS * LIVES * ROUNDS);
	world_close();
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void), void (*use_busy_poll)(void))
{
	TCase *ends = tcase_create(name);
	tcase_add_checked_fixture(ends, use_type, NULL);
	tcase_add_checked_fixture(ends, use_busy_poll, NULL);
	tcase_add_checked_fixture(ends, scratch_enter, NULL);
	tcase_add_test(ends, one_after_the_other_in_any_order);
	tcase_add_loop_test(ends, several_in_one_round, 0, 2);
	tcase_add_test(ends, the_next_leader_ends_too);
	tcase_add_test(ends, at_a_drain_all_that_has_come_is_answered);
	tcase_add_test(ends, a_stop_ends_all);
	tcase_add_loop_test(ends, leaders_change_at_every_line, 0, 2);
	return ends;
}

int main(void)
{
	scratch_make();
	int status = unit_main("receiver, ends", make("sleep", tcp_use, receiver_use_sleep),
			       make("busy-poll", tcp_use, receiver_use_busy_poll),
			       make("xor", xor_use, receiver_use_busy_poll), NULL);
	scratch_remove();
	return status;
}
