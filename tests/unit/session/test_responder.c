/* SPDX-License-Identifier: MIT */
/* What services do with peers beyond answering at once: later answers, and messages to all. */
#include "session/responder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support.h"
#include "unit.h"
#include "world.h"

/* A service of which the test gives the answers: each line is held. */
static struct responder *held;
static atomic_size_t holds;

static bool take(void *state, struct responder *responder, struct log_item *items, size_t count)
{
	ck_assert_ptr_eq(state, &holds);
	if (!responder_submit(responder, items, count, true))
		return false;
	for (size_t i = 0; i < count; i++)
		responder_reference(responder);
	held = responder;
	holds += count;
	return true;
}

static const struct handler later = {.protocol = &protocol_lines, .take = take};

static void begin(void)
{
	scratch_enter();
	held = NULL;
	holds = 0;
	world_open("log", 10, 100, 0);
	world.settings.handler = &later;
	world.settings.service = &holds;
}

static bool are_held(void *count)
{
	return holds == *(size_t *)count;
}

static void await_holds(size_t count)
{
	ck_assert(eventually(are_held, &count));
}

static atomic_bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

/* A line without an answer would have the next one's. */
START_TEST(each_line_that_is_not_logged_has_its_error)
{
	enum { LINES = 1000 };
	int peer = world_connect();
	peer_send(peer, "one\n", 4);
	await_holds(1);
	for (int i = 1; i < LINES; i++)
		responder_reference(held);
	no_memory = true;
	held->target.refuse(&held->target, "no reason", LINES);
	no_memory = false;
	char *answers = peer_lines(peer, LINES);
	ck_assert_uint_eq(count_of(answers, "error: not logged: no reason\n"), LINES);
	free(answers);
	(void)close(peer);
	world_await(0);
	world_close();
}
END_TEST

START_TEST(a_long_reason_is_cut_and_still_a_line)
{
	char reason[1000];
	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	int peer = world_connect();
	peer_send(peer, "one\ntwo\n", 8);
	await_holds(2);
	held->target.refuse(&held->target, reason, 2);
	char *answers = peer_lines(peer, 2);
	ck_assert_uint_lt(strlen(answers), 400);
	ck_assert_uint_eq(count_of(answers, "error: not logged: rrr"), 2);
	ck_assert_uint_eq(count_of(answers, "r\n"), 2);
	free(answers);
	(void)close(peer);
	world_await(0);
	world_close();
}
END_TEST

static struct log_item message(const char *words)
{
	return (struct log_item){.event = RECORD_SENT,
				 .bytes = words,
				 .length = strlen(words),
				 .answer = words,
				 .answer_length = strlen(words),
				 .is_sent_record = true};
}

static bool push(const struct log_item *item)
{
	return log_try_submit(world.settings.log, &held->target, item, 1);
}

START_TEST(a_held_answer_comes_later_and_is_recorded_once)
{
	int peer = world_connect();
	peer_send(peer, "one\ntwo\n", 8);
	await_holds(2);
	struct log_item first = message("first"), second = message("second");
	ck_assert(push(&first));
	assert_answers(peer, 1, "first\n");
	ck_assert(push(&second));
	assert_answers(peer, 1, "second\n");
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "");
	world_await(0);
	assert_logged(" received: one\n", 1);
	assert_logged(" sent: first\n", 1);
	assert_logged(" sent: second\n", 1);
	assert_logged("\n", 4);
	world_close();
}
END_TEST

START_TEST(a_connection_stays_for_what_is_held)
{
	int peer = world_connect();
	peer_send(peer, "one\ntwo\n", 8);
	(void)shutdown(peer, SHUT_WR);
	await_holds(2);
	world_turn(20);
	ck_assert_uint_eq(world.table->count, 1);
	responder_unreference(held);
	struct log_item last = message("last");
	ck_assert(push(&last));
	assert_last(peer, "last\n");
	world_await(0);
	world_close();
}
END_TEST

START_TEST(connections_are_numbered_as_they_were_accepted)
{
	for (uint64_t number = 1; number <= 3; number++) {
		int peer = world_connect();
		peer_send(peer, "who\n", 4);
		await_holds(number);
		ck_assert_uint_eq(held->number, number);
		responder_unreference(held);
		(void)close(peer);
		world_await(0);
	}
	world_close();
}
END_TEST

START_TEST(everyone_is_all_that_are_connected)
{
	struct reply_target *broadcast = &world.table->broadcast;
	int addresses_seen[] = {world_connect(), world_connect(), world_connect()};
	(void)close(addresses_seen[1]);
	world_await(2);
	struct log_item news = message("news");
	ck_assert(log_try_submit(world.log, broadcast, &news, 1));
	assert_answers(addresses_seen[0], 1, "news\n");
	assert_answers(addresses_seen[2], 1, "news\n");
	(void)close(addresses_seen[0]);
	(void)close(addresses_seen[2]);
	world_await(0);
	ck_assert(log_try_submit(world.log, broadcast, &news, 1)); /* to nobody */
	assert_logged("--everyone sent: news\n", 2);
	assert_logged("\n", 2);
	world_close();
}
END_TEST

static void *post_news(void *stop)
{
	struct log_item news = message("news");
	/* no more than a peer that is about to be read can take */
	for (int i = 0; i < 10000 && !atomic_load((atomic_bool *)stop); i++) {
		(void)log_try_submit(world.log, &world.table->broadcast, &news, 1);
		(void)log_flush(world.log, clock_after(CLOCK_SECOND));
	}
	return NULL;
}

/* Connections come and go while everybody is written to: nobody meets one that is freed. */
START_TEST(peers_may_leave_while_all_are_written_to)
{
	pthread_t thread;
	atomic_bool stop = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, post_news, &stop), 0);
	for (int i = 0; i < 100; i++) {
		int peer = world_connect();
		(void)close(peer);
		world_await(0);
	}
	atomic_store(&stop, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	world_close();
}
END_TEST

static atomic_size_t stored;

static void count_stored(struct log_watcher *watcher, size_t bytes, size_t settled)
{
	stored += bytes;
	watcher->pending -= settled;
}

static struct log_watcher watcher = {.settle = count_stored};

START_TEST(who_follows_the_log_is_told_every_byte)
{
	size_t length;
	stored = 0;
	log_watch(world.log, &watcher);
	int peer = world_connect();
	peer_send(peer, "one\ntwo\n", 8);
	await_holds(2);
	responder_unreference(held);
	responder_unreference(held);
	log_note(world.log, RECORD_INFO, "someone", "a note");
	free(world_log());
	char *log = file_read("log", &length);
	ck_assert_uint_eq(stored, length);
	ck_assert_uint_eq(watcher.pending, 0);
	free(log);
	(void)close(peer);
	world_await(0);
	world_close();
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	scratch_make();
	TCase *cases = tcase_create("peer");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, a_held_answer_comes_later_and_is_recorded_once);
	tcase_add_test(cases, each_line_that_is_not_logged_has_its_error);
	tcase_add_test(cases, a_long_reason_is_cut_and_still_a_line);
	tcase_add_test(cases, a_connection_stays_for_what_is_held);
	tcase_add_test(cases, connections_are_numbered_as_they_were_accepted);
	tcase_add_test(cases, everyone_is_all_that_are_connected);
	tcase_add_test(cases, peers_may_leave_while_all_are_written_to);
	tcase_add_test(cases, who_follows_the_log_is_told_every_byte);
	int status = unit_main("peer", cases, NULL);
	scratch_remove();
	return status;
}
