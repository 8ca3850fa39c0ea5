/* SPDX-License-Identifier: MIT */
/* Who receives for whom, and how much in a round. */
#include "session/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "fake_clock.h"
#include "receiver_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

enum { CONNECTIONS = 10, LINES = 10 };

static void assert_all_received_by(const int *peers, size_t groups)
{
	for (size_t number = 1; number <= CONNECTIONS; number++)
		for (int line = 0; line < LINES; line++)
			peer_send(peers[number], "line\n", 5);
	for (size_t number = 1; number <= CONNECTIONS; number++)
		for (int line = 0; line < LINES; line++)
			ck_assert_uint_eq(receiver_answer(peers[number]),
					  groups ? (number - 1) % groups + 1 : number);
}

/* 0: each in its own thread. */
static const size_t group_counts[] = {1, 2, 3, CONNECTIONS, 0};

START_TEST(one_thread_receives_for_a_group)
{
	int peers[CONNECTIONS + 1];
	size_t groups = group_counts[_i];
	receiver_open(groups);
	for (size_t number = 1; number <= CONNECTIONS; number++)
		peers[number] = receiver_connect(groups ? (number - 1) % groups + 1 : number);
	for (int i = 0; i < 3; i++)
		assert_all_received_by(peers, groups);
	world_close();
	assert_last(peers[1], "");
}
END_TEST

/* --- a round --- */

enum { CROWD = 30, BULK = 60000, BULK_LINE = 100 };

/* of the thread that leads */
static size_t bulk_before;
static _Atomic size_t bulk_lines;

static void count_bulk(const struct frame *frame)
{
	if (frame->length == BULK_LINE - 1)
		bulk_lines++;
	if (frame->length == 4 && !memcmp(frame->bytes, "late", 4))
		bulk_before = bulk_lines;
}

static void send_bulk(int peer)
{
	static char bulk[BULK];
	memset(bulk, 'x', sizeof bulk);
	for (size_t i = BULK_LINE - 1; i < sizeof bulk; i += BULK_LINE)
		bulk[i] = '\n';
	peer_send(peer, bulk, sizeof bulk);
}

/* Many bytes of one or of a crowd have arrived, and then one line, before any of it is received. */
START_TEST(a_line_does_not_wait_for_all_that_others_have_sent)
{
	int peers[CROWD + 1];
	int senders = _i ? CROWD - 2 : 1, bulks = _i ? 1 : 3;
	receiver_on_line = count_bulk;
	receiver_open(1);
	for (int i = 1; i <= CROWD; i++)
		peers[i] = receiver_connect(1);
	receiver_block(peers[2], 1);
	for (int i = 0; i < senders; i++)
		for (int j = 0; j < bulks; j++)
			send_bulk(peers[3 + i]);
	peer_send(peers[1], "late\n", 5);
	receiver_await_arrival(peers[1]);
	receiver_open_gate();
	ck_assert_uint_eq(receiver_answer(peers[1]), 1);
	/* INTAKE_SPACE for one, eight times that for all */
	ck_assert_uint_le(bulk_before, (size_t)(_i ? 8 : 1) * INTAKE_SPACE / BULK_LINE);
	for (int i = 0; i < senders; i++) {
		char *answers = peer_lines(peers[3 + i], (size_t)bulks * BULK / BULK_LINE);
		ck_assert_uint_eq(strlen(answers), 2 * (size_t)bulks * BULK / BULK_LINE);
		free(answers);
	}
	world_close();
}
END_TEST

/* --- what a connection owns --- */

static struct line_splitter seen;

/* By the leader, so that no other thread uses it. */
static void look_at_second(const struct frame *frame)
{
	if (frame->length == 4 && !memcmp(frame->bytes, "look", 4))
		seen = receiver_session(2)->received;
}

static void look(int peer)
{
	memset(&seen, 0x55, sizeof seen);
	peer_send(peer, "look\n", 5);
	ck_assert_uint_eq(receiver_answer(peer), 1);
}

static void assert_owns(size_t bytes)
{
	ck_assert_uint_eq(seen.capacity, bytes);
	ck_assert_uint_eq(seen.end - seen.start, bytes);
	ck_assert((seen.bytes != NULL) == (bytes > 0));
	ck_assert(!seen.lent);
}

START_TEST(half_a_line_is_all_that_is_owned)
{
	static char half[15000];
	memset(half, 'x', sizeof half);
	receiver_on_line = look_at_second;
	receiver_open(1);
	int first = receiver_connect(1), second = receiver_connect(1);
	look(first);
	assert_owns(0);
	for (int i = 0; i < 3; i++) {
		peer_send(second, "whole\nhalf", 10);
		ck_assert_uint_eq(receiver_answer(second), 1);
		receiver_await_receipt(second, 2);
		look(first);
		assert_owns(4);
		peer_send(second, half, sizeof half);
		receiver_await_receipt(second, 2);
		look(first);
		assert_owns(4 + sizeof half);
		assert_received_by(second, 1);
		look(first);
		assert_owns(0);
	}
	world_close();
}
END_TEST

/* --- silence --- */

/* The limit is so long that no busy one is silent for it, on a busy machine either. */
START_TEST(silent_ones_are_closed_beside_busy_ones)
{
	int peers[6];
	int64_t deadline = clock_after(60 * CLOCK_SECOND);
	receiver_open(0);
	world.settings.idle = 5 * CLOCK_SECOND;
	/* so that the leader never blocks once there are two */
	int64_t busy_poll = _i ? 200 * CLOCK_MILLISECOND : 0;
	world.settings.receiver = receiver_new(1, busy_poll, &(struct error){0});
	for (int i = 1; i <= 5; i++)
		peers[i] = receiver_connect(1);
	for (size_t leader = 1; world.table->count > 2 || leader == 1; world_turn(0)) {
		leader = receiver_of(peers[4]);
		(void)receiver_of(peers[5]);
		ck_assert_msg(clock_now() < deadline, "%zu are open, %zu leads", world.table->count,
			      leader);
	}
	for (int i = 1; i <= 3; i++)
		assert_last(peers[i], "");
	ck_assert_uint_eq(receiver_of(peers[4]), receiver_of(peers[5]));
	assert_logged(" closed: nothing received for 5 s\n", 3);
	world_close();
}
END_TEST

START_TEST(silent_ones_are_closed_when_all_are_silent)
{
	int peers[4];
	receiver_open(1);
	world.settings.idle = 50 * CLOCK_MILLISECOND;
	for (int i = 1; i <= 3; i++)
		peers[i] = world_connect();
	world_await(0);
	for (int i = 1; i <= 3; i++)
		assert_last(peers[i], "");
	assert_logged(" closed: nothing received for 0.05 s\n", 3);
	world_close();
}
END_TEST

START_TEST(what_waits_for_the_leader_is_not_silent)
{
	receiver_open(1);
	world.settings.idle = 60 * CLOCK_SECOND;
	int first = receiver_connect(1), second = receiver_connect(1);
	receiver_block(first, 1);
	peer_send(second, "line\n", 5);
	receiver_await_arrival(second);
	fake_clock_ahead = 100 * CLOCK_SECOND; /* longer than the limit */
	receiver_open_gate();
	(void)receiver_answer(first);
	ck_assert_uint_eq(receiver_answer(second), 1);
	ck_assert_uint_eq(receiver_of(second), 1);
	fake_clock_ahead = 0; /* what waits below waits on the real clock */
	(void)close(first);
	(void)close(second);
	world_await(0);
	assert_logged(" closed: nothing received", 0);
	world_close();
}
END_TEST

/* --- without the system's help --- */

static _Atomic bool refuse_members;

static int epoll_ctl_or_not(int epoll, int operation, int descriptor, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && refuse_members) {
		errno = ENOSPC;
		return -1;
	}
	return epoll_ctl(epoll, operation, descriptor, event);
}

START_TEST(one_that_cannot_join_receives_itself)
{
	receiver_open(1);
	int first = receiver_connect(1);
	refuse_members = true;
	int second = receiver_connect(2);
	for (int i = 0; i < 10; i++) {
		assert_received_by(second, 2);
		assert_received_by(first, 1);
	}
	refuse_members = false;
	(void)receiver_of(second); /* its thread may wait for it */
	assert_received_by(second, 1);
	refuse_members = true;
	(void)close(first);
	world_await(1);
	assert_received_by(second, 2);
	int third = receiver_connect(3);
	assert_received_by(second, 2);
	assert_received_by(third, 3);
	world_close();
}
END_TEST

static void *no_memory(size_t count, size_t size)
{
	(void)count;
	(void)size;
	errno = ENOMEM;
	return NULL;
}

START_TEST(groups_need_descriptors_and_memory)
{
	struct error error;
	size_t before = descriptors();
	int lowest = dup(STDIN_FILENO);
	ck_assert_int_eq(close(lowest), 0);
	descriptor_limit((size_t)lowest + 2); /* for one or two groups */
	struct receiver *none = receiver_new(3, 0, &error);
	descriptor_unlimit();
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot wait for connections: Too many open files");
	ck_assert_uint_eq(descriptors(), before);
	memory_calloc = no_memory;
	none = receiver_new(1, 0, &error);
	memory_calloc = calloc;
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message,
			 "cannot make groups of connections: Cannot allocate memory");
	struct receiver *three = receiver_new(3, 0, &error);
	ck_assert_ptr_nonnull(three);
	ck_assert_uint_eq(descriptors(), before + 3);
	receiver_free(three);
	receiver_free(NULL);
	ck_assert_uint_eq(descriptors(), before);
	ck_assert_uint_ge(receiver_group_count(), 1);
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void), void (*use_busy_poll)(void))
{
	TCase *tests = tcase_create(name);
	tcase_add_checked_fixture(tests, use_type, NULL);
	tcase_add_checked_fixture(tests, use_busy_poll, NULL);
	tcase_add_checked_fixture(tests, scratch_enter, NULL);
	tcase_add_loop_test(tests, one_thread_receives_for_a_group, 0,
			    sizeof group_counts / sizeof *group_counts);
	tcase_add_loop_test(tests, a_line_does_not_wait_for_all_that_others_have_sent, 0, 2);
	tcase_add_test(tests, half_a_line_is_all_that_is_owned);
	tcase_add_test(tests, silent_ones_are_closed_when_all_are_silent);
	tcase_add_test(tests, what_waits_for_the_leader_is_not_silent);
	tcase_add_test(tests, one_that_cannot_join_receives_itself);
	return tests;
}

int main(void)
{
	receiver_epoll_ctl = epoll_ctl_or_not;
	fake_clock_use();
	scratch_make();
	TCase *once = tcase_create("once");
	tcase_add_checked_fixture(once, scratch_enter, NULL);
	tcase_add_loop_test(once, silent_ones_are_closed_beside_busy_ones, 0, 2);
	tcase_add_test(once, groups_need_descriptors_and_memory);
	int status = unit_main("receiver", make("sleep", tcp_use, receiver_use_sleep),
			       make("busy-poll", tcp_use, receiver_use_busy_poll),
			       make("xor", xor_use, receiver_use_busy_poll), once, NULL);
	scratch_remove();
	return status;
}
