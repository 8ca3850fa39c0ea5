/* SPDX-License-Identifier: MIT */
/* The monitor of a relay: order, bounds, the window of lines that may be sent, and when all is
 * done. */
#include "relay/queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "fake_clock.h"
#include "unit.h"

static struct relay_queue *queue;
static struct error error;

static void make(size_t workers, uint64_t acknowledged)
{
	const struct relay_queue_start start = {
		.workers = workers, .acknowledged = acknowledged, .committed = 1 << 30};
	queue = relay_queue_make(&start, &error);
	ck_assert_msg(queue != NULL, "%s", error.message);
}

static struct relay_job *add(uint64_t number, size_t length)
{
	struct relay_job *job = calloc(1, sizeof *job);
	ck_assert(job && buffer_reserve(&job->line, length + 1));
	job->line.length = length;
	job->start = (int64_t)number;
	relay_queue_add(queue, job, (int64_t)number + 1);
	ck_assert_uint_eq(job->number, number);
	return job;
}

static uint64_t next_number(uint64_t sent, bool probing)
{
	const struct relay_job *job = relay_queue_next(queue, sent, probing);
	return job ? job->number : 0;
}

static int64_t deadline;
static bool lifts;

/* The number; 0: no note is due. */
static uint64_t begin_note(void)
{
	uint64_t number;
	return relay_queue_begin_note(queue, &number, &lifts, &deadline) ? number : 0;
}

static void note(void)
{
	ck_assert_uint_ne(begin_note(), 0);
	(void)relay_queue_end_note(queue, true);
}

static atomic_bool changed;

static void *wait_for_log(void *unused)
{
	struct relay_file file;
	int64_t limit;
	(void)unused;
	ck_assert(relay_queue_wait_log(queue, &file, &limit));
	ck_assert(changed);
	return NULL;
}

static void *wait_for_space(void *unused)
{
	(void)unused;
	ck_assert(relay_queue_reserve(queue, 0, true));
	ck_assert(changed);
	return NULL;
}

/* The thread waits until something has changed. Another fault than one in the queue cannot fail
 * here; a fault in it may be missed where the thread comes late. */
static void assert_waits(void *(*wait)(void *), void (*change)(struct relay_job *),
			 struct relay_job *job)
{
	pthread_t thread;
	changed = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, wait, NULL), 0);
	for (int i = 0; i < 1000; i++)
		(void)sched_yield();
	changed = true;
	change(job);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void acknowledge(struct relay_job *job)
{
	(void)job;
	relay_queue_acknowledge(queue);
}

static void drain(struct relay_job *job)
{
	(void)job;
	relay_queue_drain(queue);
}

static void shorten(struct relay_job *job)
{
	buffer_clear(&job->line, 0);
	ck_assert(buffer_reserve(&job->line, 11));
	job->line.length = 10;
	relay_job_done(job);
}

START_TEST(what_is_done_early_waits)
{
	make(10, 16);
	struct relay_job *one = add(17, 1), *two = add(18, 1);
	(void)add(19, 1);
	ck_assert_uint_eq(next_number(16, false), 0);
	relay_job_done(two);
	ck_assert_uint_eq(next_number(16, false), 0);
	ck_assert_uint_eq(next_number(17, false), 18);
	relay_job_done(one);
	ck_assert_uint_eq(next_number(16, false), 17);
	ck_assert_uint_eq(next_number(18, false), 0);
	ck_assert_uint_eq(next_number(19, false), 0); /* not there yet */
	relay_queue_free(queue);
}
END_TEST

/* Any order of work, many times round the ring. */
START_TEST(order_holds_whatever_is_done_first)
{
	struct relay_job *in_work[8];
	uint64_t state = 7, added = 0, sent = 0;
	size_t working = 0;
	make(8, 0);
	for (int round = 0; round < 20000; round++) {
		while (working < 8)
			in_work[working++] = add(++added, 3);
		size_t one = random_next(&state) % working;
		relay_job_done(in_work[one]);
		in_work[one] = in_work[--working];
		while (next_number(sent, false)) {
			ck_assert_uint_eq(next_number(sent, false), sent + 1);
			sent++;
			relay_queue_acknowledge(queue);
			note();
		}
	}
	ck_assert_uint_ge(sent, 20000 - 4096);
	relay_queue_free(queue);
}
END_TEST

START_TEST(no_more_is_sent_than_the_log_allows)
{
	make(100, 0);
	for (uint64_t i = 1; i <= 2 * RELAY_WINDOW; i++)
		relay_job_done(add(i, 1));
	ck_assert_uint_eq(next_number(RELAY_WINDOW - 1, false), RELAY_WINDOW);
	ck_assert_uint_eq(next_number(RELAY_WINDOW, false), 0);
	ck_assert_uint_eq(next_number(0, true), 1);
	ck_assert_uint_eq(next_number(1, true), 0);
	ck_assert_uint_eq(begin_note(), 0); /* there is nothing new */
	ck_assert_int_eq(deadline, CLOCK_NEVER);
	relay_queue_acknowledge(queue);
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(next_number(2, true), 3);
	ck_assert_uint_eq(next_number(RELAY_WINDOW, false), 0); /* the log does not say so yet */
	ck_assert_uint_eq(begin_note(), 2);
	ck_assert_uint_eq(begin_note(), 0); /* one at a time */
	ck_assert_uint_eq(next_number(RELAY_WINDOW, false), 0);
	(void)relay_queue_end_note(queue, true);
	ck_assert_uint_eq(next_number(RELAY_WINDOW, false), RELAY_WINDOW + 1);
	ck_assert_uint_eq(next_number(RELAY_WINDOW + 2, false), 0);
	relay_queue_free(queue);
}
END_TEST

/* A next server that knows what it has: no window, but lines that came later wait for a note. */
START_TEST(with_numbers_there_is_no_window)
{
	static const char name[RELAY_NAME_SIZE] = "a/0123456789abcdef";
	fake_clock_use();
	fake_clock_stop();
	make(100, 0);
	relay_queue_number(queue, name, 3);
	for (uint64_t i = 1; i <= 2 * RELAY_WINDOW; i++)
		relay_job_done(add(i, 1));
	ck_assert_uint_eq(next_number(2 * RELAY_WINDOW - 1, false), 2 * RELAY_WINDOW);
	ck_assert_uint_eq(relay_queue_max(queue), 3);
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(begin_note(), 1);
	ck_assert(!lifts); /* it was not asked yet */
	(void)relay_queue_end_note(queue, true);
	ck_assert_uint_eq(relay_queue_max(queue), 3);
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(begin_note(), 0); /* once a second */
	ck_assert_int_ne(deadline, CLOCK_NEVER);
	relay_queue_greet(queue);
	ck_assert_uint_eq(begin_note(), 2);
	ck_assert(lifts);
	(void)relay_queue_end_note(queue, false);
	ck_assert_uint_eq(relay_queue_max(queue), 3);
	ck_assert_uint_eq(begin_note(), 0); /* not at once */
	fake_clock_stopped = 0;
	while (!begin_note())
		ck_assert(relay_queue_pause(queue, CLOCK_MILLISECOND));
	ck_assert(lifts);
	(void)relay_queue_end_note(queue, true);
	ck_assert_uint_eq(relay_queue_max(queue), UINT64_MAX);
	relay_queue_acknowledge(queue);
	relay_queue_drain(queue);
	ck_assert_uint_eq(begin_note(), 3); /* the end does not wait */
	(void)relay_queue_end_note(queue, true);
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(begin_note(), 4);
	(void)relay_queue_end_note(queue, true);
	relay_queue_free(queue);
}
END_TEST

START_TEST(a_note_that_fails_is_tried_again)
{
	struct relay_rest rest;
	make(10, 0);
	relay_queue_add(queue, NULL, 1 << 30);
	relay_job_done(add(1, 1));
	relay_queue_add(queue, NULL, 1 << 30);
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(begin_note(), 1);
	(void)relay_queue_end_note(queue, false);
	ck_assert(!relay_queue_wait_finished(queue, 0, &rest));
	ck_assert_uint_eq(rest.jobs, 0);
	while (!begin_note()) {
		ck_assert_int_ne(deadline, CLOCK_NEVER);
		ck_assert(relay_queue_pause(queue, CLOCK_MILLISECOND));
	}
	(void)relay_queue_end_note(queue, true);
	ck_assert(relay_queue_wait_finished(queue, 0, &rest));
	relay_queue_free(queue);
}
END_TEST

START_TEST(the_reader_waits_for_space)
{
	make(RELAY_JOBS_MAX + 1, 0);
	for (uint64_t i = 1; i <= RELAY_JOBS_MAX; i++)
		relay_job_done(add(i, 1));
	assert_waits(wait_for_log, acknowledge, NULL);
	relay_queue_free(queue);

	make(2, 0);
	(void)add(1, 1);
	assert_waits(wait_for_log, relay_job_done, add(2, 1)); /* both workers work */
	relay_queue_free(queue);

	make(10, 0);
	assert_waits(wait_for_log, shorten, add(1, RELAY_JOBS_BYTES_MAX)); /* any size */
	relay_job_done(add(2, RELAY_JOBS_BYTES_MAX));
	relay_queue_acknowledge(queue);
	assert_waits(wait_for_log, acknowledge, NULL);
	relay_queue_free(queue);
}
END_TEST

/* A line's memory counts, not its length: the work may have left it a large buffer. */
START_TEST(memory_counts)
{
	enum { SPACE = 65536, SO_MANY = RELAY_JOBS_BYTES_MAX / SPACE };
	make(RELAY_JOBS_MAX, 0);
	for (uint64_t i = 1; i <= SO_MANY; i++) {
		struct relay_job *job = add(i, 1);
		buffer_free(&job->line);
		ck_assert(buffer_reserve(&job->line, SPACE));
		relay_job_done(job);
	}
	assert_waits(wait_for_log, acknowledge, NULL);
	relay_queue_free(queue);
}
END_TEST

static void settle_refused(struct relay_job *job)
{
	struct log_watcher *watcher = relay_queue_watcher(queue);
	(void)job;
	watcher->settle(watcher, 0, 1);
}

static void release(struct relay_job *job)
{
	(void)job;
	relay_queue_release(queue, 1);
}

static void read_more(struct relay_job *job)
{
	(void)job;
	relay_queue_add(queue, NULL, 1 << 30);
}

static void make_full(int64_t left)
{
	make(10, 0);
	relay_queue_add(queue, NULL, (1 << 30) - RELAY_LOG_BEHIND_MAX + left);
}

START_TEST(clients_wait_while_too_much_of_the_log_is_left)
{
	make(10, 0);
	assert_waits(wait_for_space, drain, NULL);
	relay_queue_free(queue);

	make_full(0);
	ck_assert(relay_queue_reserve(queue, 0, true));
	relay_job_done(add(1, 1));
	relay_queue_add(queue, NULL, 1 << 30);
	assert_waits(wait_for_space, acknowledge, NULL);
	relay_queue_free(queue);

	make_full(-1);
	assert_waits(wait_for_space, read_more, NULL);
	relay_queue_free(queue);
}
END_TEST

/* From when a session is about to submit it, until the log has it or has refused it. */
START_TEST(what_is_on_its_way_into_the_log_counts)
{
	make_full(0);
	ck_assert(relay_queue_reserve(queue, 1, false));
	ck_assert(!relay_queue_reserve(queue, 0, false));
	assert_waits(wait_for_space, release, NULL);

	struct log_watcher *watcher = relay_queue_watcher(queue);
	watcher->pending = 1;
	ck_assert(!relay_queue_reserve(queue, 0, false));
	assert_waits(wait_for_space, settle_refused, NULL);

	ck_assert(relay_queue_reserve(queue, 0, false));
	watcher->pending = 1;
	watcher->settle(watcher, 1, 1);
	ck_assert_uint_eq(watcher->pending, 0);
	ck_assert(!relay_queue_reserve(queue, 0, false)); /* committed, but not forwarded */
	relay_queue_free(queue);
}
END_TEST

/* One after the other is woken, as long as there is space for it. */
START_TEST(all_that_wait_come_in)
{
	enum { THREADS = 20 };
	pthread_t threads[THREADS];
	make_full(-1);
	changed = false;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_space, NULL), 0);
	for (int i = 0; i < 1000; i++)
		(void)sched_yield();
	changed = true;
	read_more(NULL);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	relay_queue_free(queue);
}
END_TEST

START_TEST(each_job_goes_to_one_worker)
{
	make(10, 0);
	(void)add(1, 1);
	(void)add(2, 1);
	ck_assert_uint_eq(relay_queue_wait_job(queue)->number, 1);
	ck_assert_uint_eq(relay_queue_wait_job(queue)->number, 2);
	(void)add(3, 1);
	relay_queue_stop(queue);
	ck_assert_ptr_null(relay_queue_wait_job(queue));
	ck_assert(relay_queue_arm(queue) == -1 && !relay_queue_pause(queue, CLOCK_NEVER));
	relay_queue_free(queue);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("queue");
	tcase_add_test(cases, what_is_done_early_waits);
	tcase_add_test(cases, order_holds_whatever_is_done_first);
	tcase_add_test(cases, no_more_is_sent_than_the_log_allows);
	tcase_add_test(cases, with_numbers_there_is_no_window);
	tcase_add_test(cases, a_note_that_fails_is_tried_again);
	tcase_add_test(cases, the_reader_waits_for_space);
	tcase_add_test(cases, memory_counts);
	tcase_add_test(cases, clients_wait_while_too_much_of_the_log_is_left);
	tcase_add_test(cases, what_is_on_its_way_into_the_log_counts);
	tcase_add_test(cases, all_that_wait_come_in);
	tcase_add_test(cases, each_job_goes_to_one_worker);
	return unit_main("relay_queue", cases, NULL);
}
