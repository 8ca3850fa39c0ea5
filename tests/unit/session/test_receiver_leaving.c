/* SPDX-License-Identifier: MIT */
/* A connection that would hold up its group leaves it, is served by its own thread, and comes back.
 * The first one leads, the second one leaves, a third one is served meanwhile. */
#include "session/receiver.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "receiver_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

static int first, second, third;

static void begin(void)
{
	scratch_enter();
	receiver_open(1);
}

static void connect_three(void)
{
	first = receiver_connect(1);
	second = receiver_connect(1);
	third = receiver_connect(1);
}

static bool its_thread_waits(struct session *session)
{
	struct send_queue *queue = &session->responder.queue;
	pthread_mutex_lock(&queue->lock);
	bool waits = queue->max_waiting;
	pthread_mutex_unlock(&queue->lock);
	return waits;
}

static struct session *connect_slow_one(void)
{
	struct session *slow;
	first = receiver_connect(1);
	second = world_connect_slow(&slow);
	assert_received_by(second, 1);
	third = receiver_connect(1);
	return slow;
}

/* Until its own thread waits for its peer. */
static void fill_queue(size_t *total)
{
	struct session *session = receiver_session(2);
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	while (!its_thread_waits(session)) {
		peer_send_until_stuck(second, total);
		assert_received_by(third, 1);
		ck_assert(clock_now() < deadline);
	}
}

/* Once all is read it may wait in its own thread for one line more. */
static void assert_comes_back(void)
{
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	while (receiver_of(second) != 1)
		ck_assert(clock_now() < deadline);
	for (int i = 0; i < 10; i++)
		assert_received_by(second, 1);
	assert_received_by(third, 1);
	assert_received_by(first, 1);
}

START_TEST(one_that_does_not_read)
{
	size_t total = 0;
	(void)connect_slow_one();
	fill_queue(&total);
	for (int i = 0; i < 20; i++) {
		assert_received_by(third, 1);
		assert_received_by(first, 1);
	}
	char *answers = peer_lines(second, total / 2);
	ck_assert_uint_eq(strlen(answers), total / 2 * 2);
	ck_assert(answers[0] == '1');
	size_t by_itself = count_of(answers, "2\n");
	ck_assert_uint_gt(by_itself, 0);
	ck_assert_uint_eq(count_of(answers, "1\n") + by_itself, total / 2);
	free(answers);
	if (total % 2) {
		peer_send(second, "\n", 1);
		(void)receiver_answer(second);
	}
	assert_comes_back();
	world_close();
}
END_TEST

/* Whether the queue has bytes that nothing but its peer can move: the socket takes not a single one
 * more, also of the flusher if that has just been woken. Where it does, the peer gets one more. */
static bool is_stuck(struct send_queue *queue)
{
	char line = '\n';
	xor_bytes(&line, 1);
	pthread_mutex_lock(&queue->lock);
	bool stuck = queue->unsent.length &&
		     send(stream_pollfd(queue->stream, POLLOUT).fd, &line, 1, MSG_DONTWAIT) < 0;
	pthread_mutex_unlock(&queue->lock);
	return stuck;
}

static void push_until_stuck(struct send_queue *queue)
{
	static char answers[4096];
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	memset(answers, '\n', sizeof answers);
	while (!is_stuck(queue)) {
		if (!send_queue_is_full(queue, 1, SIZE_MAX))
			send_queue_push(queue, answers, sizeof answers);
		ck_assert(clock_now() < deadline);
	}
}

START_TEST(one_that_has_not_read_all)
{
	int accepted, peer;
	slow_pair(&accepted, &peer);
	struct session *session = session_new(stream_open(stream_type, accepted, STREAM_SERVER),
					      "slow", 1, &world.settings);
	struct send_queue *queue = &session->responder.queue;
	ck_assert(intake_is_calm(session));
	push_until_stuck(queue);
	ck_assert(!intake_is_calm(session));
	while (send_queue_is_full(queue, 1, SIZE_MAX)) /* so at least one line is to come */
		free(peer_lines(peer, 1));
	ck_assert(intake_is_calm(session));
	(void)close(peer); /* the stream may still owe it bytes, and the session waits for them */
	session_drop(session);
	world_close();
}
END_TEST

/* --- a service that holds back --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* under the lock */
static bool holds;
static int waiting;

static bool admit(void *service, size_t frames, size_t bytes, bool wait)
{
	(void)service;
	(void)frames;
	(void)bytes;
	pthread_mutex_lock(&lock);
	waiting += wait;
	while (wait && holds)
		pthread_cond_wait(&changed, &lock);
	waiting -= wait;
	bool admitted = !holds;
	pthread_mutex_unlock(&lock);
	return admitted;
}

static void set_holds(bool value)
{
	pthread_mutex_lock(&lock);
	holds = value;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static bool so_many_wait(void *count)
{
	pthread_mutex_lock(&lock);
	bool all_wait = waiting >= *(int *)count;
	pthread_mutex_unlock(&lock);
	return all_wait;
}

START_TEST(all_while_their_service_holds_back)
{
	receiver_handler.admit = admit;
	connect_three();
	for (int i = 0; i < 10; i++) {
		set_holds(true);
		peer_send(second, "x\n", 2);
		ck_assert(eventually(so_many_wait, &(int){1})); /* in its own thread */
		peer_send(first, "x\n", 2);
		ck_assert(eventually(so_many_wait, &(int){2}));
		peer_send(third, "x\n", 2);
		ck_assert(eventually(so_many_wait, &(int){3}));
		ck_assert_uint_eq(stream_pending(receiver_session(3)->stream), 2);
		set_holds(false);
		size_t leader = receiver_answer(first);
		ck_assert_uint_eq(receiver_answer(second), leader);
		ck_assert_uint_eq(receiver_answer(third), leader);
		ck_assert_uint_eq(receiver_of(second), leader);
	}
	world_close();
}
END_TEST

/* --- frames that are not whole --- */

START_TEST(one_whose_chunk_pauses)
{
	receiver_handler.protocol = &protocol_chunks;
	connect_three();
	for (int i = 0; i < 5; i++) {
		peer_send(second, "no end", 6);
		ck_assert_uint_eq(receiver_answer(second), 2);
		assert_received_by(third, 1);
		assert_received_by(second, 1);
		peer_send(second, "an end\nno end", 13);
		ck_assert_uint_eq(receiver_answer(second), 1);
		ck_assert_uint_eq(receiver_answer(second), 2);
	}
	world_close();
}
END_TEST

enum { LONG = 16384 };

/* Sends a line without its end. */
static void send_half(size_t length)
{
	char *half = malloc(length);
	memset(half, 'x', length);
	peer_send(second, half, length);
	free(half);
	receiver_await_receipt(second, 2);
}

START_TEST(one_with_a_long_line)
{
	connect_three();
	for (int i = 0; i < 5; i++) {
		send_half(LONG);
		assert_received_by(third, 1);
		assert_received_by(second, 1);
		send_half(LONG + 1);
		assert_received_by(third, 1);
		assert_received_by(second, 2);
		assert_received_by(second, 1);
		send_half(LONG);
		send_half(LONG);
		assert_received_by(third, 1);
		assert_received_by(second, 2);
	}
	assert_received_by(second, 1);
	world_close();
}
END_TEST

/* --- a full log --- */

/* While set, whoever writes the log waits. */
static _Atomic bool write_waits, is_waiting;

static bool may_write(void *context)
{
	(void)context;
	return !write_waits;
}

static ssize_t write_later(int descriptor, const struct iovec *parts, int count)
{
	is_waiting = write_waits;
	if (!eventually(may_write, NULL))
		abort();
	return writev(descriptor, parts, count);
}

static bool one_writes(void *context)
{
	(void)context;
	return is_waiting;
}

enum { BULK = 99000, BULK_LINES = 60, BULK_FULL = 23 /* the first that waits for space */ };
static _Atomic size_t bulk_lines;

static void count_bulk(const struct frame *frame)
{
	bulk_lines += frame->length == BULK;
}

static bool log_is_full(void *context)
{
	(void)context;
	return bulk_lines >= BULK_FULL;
}

static void *send_bulk(void *peer)
{
	static char line[BULK + 1];
	memset(line, 'x', BULK);
	line[BULK] = '\n';
	for (int i = 0; i < BULK_LINES; i++)
		peer_send(*(int *)peer, line, sizeof line);
	return NULL;
}

static void assert_answer_count(int peer, size_t lines)
{
	char *answers = peer_lines(peer, lines);
	ck_assert_uint_eq(count_of(answers, "\n"), lines);
	free(answers);
}

START_TEST(none_for_a_log_that_others_have_filled)
{
	pthread_t sender;
	connect_three();
	int fourth = receiver_connect(1);
	receiver_on_line = count_bulk;
	send_half(LONG + 1); /* its own thread will lead the commit, and wait */
	write_waits = true;
	peer_send(second, "\n", 1);
	ck_assert(eventually(one_writes, NULL));
	ck_assert_int_eq(pthread_create(&sender, NULL, send_bulk, &fourth), 0);
	ck_assert(eventually(log_is_full, NULL));
	for (int i = 0; i < 10; i++) { /* the group goes on */
		peer_send(third, "x\n", 2);
		receiver_await_receipt(third, 3);
	}
	write_waits = false;
	ck_assert_int_eq(pthread_join(sender, NULL), 0);
	assert_answer_count(second, 1);
	assert_answer_count(third, 10);
	assert_answer_count(fourth, BULK_LINES);
	world_close();
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void), void (*use_busy_poll)(void))
{
	TCase *leaving = tcase_create(name);
	tcase_add_checked_fixture(leaving, use_type, NULL);
	tcase_add_checked_fixture(leaving, use_busy_poll, NULL);
	tcase_add_checked_fixture(leaving, begin, NULL);
	tcase_add_test(leaving, one_that_does_not_read);
	tcase_add_test(leaving, one_that_has_not_read_all);
	tcase_add_test(leaving, all_while_their_service_holds_back);
	if (use_type == tcp_use) { /* the other's pieces end anywhere */
		tcase_add_test(leaving, one_whose_chunk_pauses);
		tcase_add_test(leaving, one_with_a_long_line);
		tcase_add_test(leaving, none_for_a_log_that_others_have_filled);
	}
	return leaving;
}

int main(void)
{
	append_file_calls.writev = write_later;
	scratch_make();
	int status = unit_main("receiver, leaving", make("sleep", tcp_use, receiver_use_sleep),
			       make("busy-poll", tcp_use, receiver_use_busy_poll),
			       make("xor", xor_use, receiver_use_busy_poll), NULL);
	scratch_remove();
	return status;
}
