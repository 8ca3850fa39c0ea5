/* SPDX-License-Identifier: MIT */
/* The send queue with slow readers and those that are gone; test_send_queue_faults.c is for the
 * rest. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "send_queue_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

START_TEST(answers_are_sent_at_once)
{
	int next = 0;
	ck_assert(reserve(3));
	ck_assert(send_numbers(&next, 1));
	ck_assert(send_numbers(&next, 2));
	assert_numbers(3);
	ck_assert(reserve(5));
	send_queue_cancel(&queue, 5); /* else the close would wait for them */
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

START_TEST(a_slow_reader_gets_all_in_order)
{
	int count = fill();
	ck_assert_uint_ge(unsent(), SEND_QUEUE_HIGH_WATER);
	ck_assert_uint_lt(unsent(), SEND_QUEUE_HIGH_WATER + 800);
	ck_assert(!reserve(1));
	assert_numbers(count);
	wait_and_reserve(1);
	send_queue_cancel(&queue, 1);
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

/* What waits goes first, even where the peer takes more already. */
START_TEST(nothing_overtakes_what_waits)
{
	ck_assert(buffer_append_string(&queue.unsent, "0000000\n"));
	int next = 1;
	ck_assert(reserve(2));
	ck_assert(send_numbers(&next, 2));
	assert_numbers(3);
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

static atomic_bool returned;

static void *wait_room(void *argument)
{
	wait_and_reserve(1);
	send_queue_cancel(&queue, 1);
	returned = true;
	return argument;
}

START_TEST(who_waits_for_room_is_woken)
{
	pthread_t thread;
	int count = fill();
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_room, NULL), 0);
	ck_assert(!returned); /* nothing is read yet */
	assert_numbers(count);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

START_TEST(who_waits_for_room_is_woken_by_the_end)
{
	pthread_t thread;
	(void)fill();
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_room, NULL), 0);
	(void)close(peer);
	peer = -1;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(reserve(1)); /* its lines are still read and logged */
	ck_assert(!send_queue_send(&queue, "ok\n", 3, 1));
	ck_assert_uint_gt(send_queue_close(&queue), 0);
}
END_TEST

static void *close_it(void *left)
{
	*(size_t *)left = send_queue_close(&queue);
	returned = true;
	return NULL;
}

START_TEST(close_waits_until_all_is_sent)
{
	pthread_t thread;
	size_t left = 5;
	int count = fill();
	ck_assert_int_eq(pthread_create(&thread, NULL, close_it, &left), 0);
	ck_assert(!returned);
	assert_numbers(count);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(close_waits_for_announced_answers)
{
	pthread_t thread;
	size_t left = 5;
	int next = 0;
	ck_assert(reserve(3));
	ck_assert_int_eq(pthread_create(&thread, NULL, close_it, &left), 0);
	ck_assert(send_numbers(&next, 1));
	ck_assert(!returned); /* two are still to come */
	ck_assert(send_numbers(&next, 2));
	assert_numbers(3);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(close_tells_what_was_not_taken)
{
	(void)fill();
	size_t kept = unsent() + stream_owed(stream);
	stream_stop(stream);
	ck_assert_uint_eq(send_queue_close(&queue), kept);
}
END_TEST

START_TEST(a_peer_that_is_gone_takes_nothing)
{
	int next = 0;
	bool taken = true;
	(void)close(peer);
	peer = -1;
	while (taken) {
		ck_assert(reserve(1));
		taken = send_numbers(&next, 1);
	}
	ck_assert(reserve(2)); /* there is room for ever */
	ck_assert(!send_numbers(&next, 2));
	wait_and_reserve(1);
	send_queue_cancel(&queue, 1);
	send_queue_push(&queue, "news\n", 5);
	/* each answer from the first failure on, and no push */
	ck_assert_uint_eq(send_queue_close(&queue), 3 * 8);
}
END_TEST

/* One flusher for many; each gets its own. */
START_TEST(many_slow_readers_at_once)
{
	enum { READERS = 16, ANSWERS = 4000 };
	struct stream *streams[READERS];
	static struct send_queue outboxes[READERS];
	static char answers[ANSWERS * 8 + 1];
	int addresses_seen[READERS];
	for (int i = 0; i < ANSWERS; i++)
		put_number(answers + i * 8, i);
	for (int i = 0; i < READERS; i++) {
		int accepted;
		tcp_pair(&accepted, &addresses_seen[i]);
		streams[i] = stream_open(stream_type, accepted, STREAM_SERVER);
		send_queue_open(&outboxes[i], streams[i], flusher);
		for (int j = 0; j < 20; j++) {
			send_queue_reserve(&outboxes[i], ANSWERS);
			ck_assert(send_queue_send(&outboxes[i], answers, ANSWERS * 8, ANSWERS));
		}
	}
	for (int i = READERS - 1; i >= 0; i--) {
		for (int j = 0; j < 20; j++) {
			char *seen = peer_lines(addresses_seen[i], ANSWERS);
			ck_assert_str_eq(seen, answers);
			free(seen);
		}
		ck_assert_uint_eq(send_queue_close(&outboxes[i]), 0);
		send_queue_free(&outboxes[i]);
		stream_close(streams[i], 0);
		(void)close(addresses_seen[i]);
	}
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

START_TEST(what_is_posted_needs_no_announcement)
{
	send_queue_push(&queue, "news\n", 5);
	ck_assert(reserve(1));
	send_queue_push(&queue, "more\n", 5);
	ck_assert(send_queue_send(&queue, "ok\n", 3, 1));
	char *seen = peer_lines(peer, 3);
	ck_assert_str_eq(seen, "news\nmore\nok\n");
	free(seen);
	ck_assert_uint_eq(send_queue_close(&queue), 0);
	send_queue_push(&queue, "late\n", 5); /* nobody has to know that it is closed */
	ck_assert(queue.state < SEND_QUEUE_BROKEN);
}
END_TEST

/* Else memory would grow as long as it does not read. */
START_TEST(who_does_not_read_what_is_posted_is_cut_off)
{
	char line[1000];
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 1000 && queue.state != SEND_QUEUE_OVERRUN; i++)
		send_queue_push(&queue, line, sizeof line);
	ck_assert(queue.state == SEND_QUEUE_OVERRUN);
	ck_assert_uint_le(queue.unsent.length, SEND_QUEUE_HIGH_WATER);
	send_queue_push(&queue, "more\n", 5);
	ck_assert_uint_gt(send_queue_close(&queue), 0);
	char *seen = peer_all(peer); /* and then the end */
	ck_assert_uint_gt(strlen(seen), 0);
	free(seen);
}
END_TEST

static void *wait_answers(void *most)
{
	send_queue_wait(&queue, *(size_t *)most);
	returned = true;
	return NULL;
}

START_TEST(who_waits_for_answers_is_woken)
{
	pthread_t thread;
	size_t most = 2;
	ck_assert(reserve(4));
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_answers, &most), 0);
	ck_assert(send_queue_send(&queue, "ok\n", 3, 1));
	ck_assert(!returned);
	send_queue_cancel(&queue, 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(send_queue_send(&queue, "ok\nok\n", 6, 2));
	char *seen = peer_lines(peer, 3);
	ck_assert_str_eq(seen, "ok\nok\nok\n");
	free(seen);
	ck_assert_uint_eq(send_queue_close(&queue), 0);
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void))
{
	TCase *cases = tcase_create(name);
	tcase_add_checked_fixture(cases, use_type, NULL);
	tcase_add_checked_fixture(cases, outboxes_begin, outboxes_end);
	tcase_add_test(cases, answers_are_sent_at_once);
	tcase_add_test(cases, a_slow_reader_gets_all_in_order);
	tcase_add_test(cases, nothing_overtakes_what_waits);
	tcase_add_test(cases, who_waits_for_room_is_woken);
	tcase_add_test(cases, who_waits_for_room_is_woken_by_the_end);
	tcase_add_test(cases, close_waits_until_all_is_sent);
	tcase_add_test(cases, close_waits_for_announced_answers);
	tcase_add_test(cases, close_tells_what_was_not_taken);
	tcase_add_test(cases, a_peer_that_is_gone_takes_nothing);
	tcase_add_test(cases, many_slow_readers_at_once);
	tcase_add_test(cases, what_is_posted_needs_no_announcement);
	tcase_add_test(cases, who_does_not_read_what_is_posted_is_cut_off);
	tcase_add_test(cases, who_waits_for_answers_is_woken);
	return cases;
}

int main(void)
{
	return unit_main("send_queue", make("tcp", tcp_use), make("xor", xor_use), NULL);
}
