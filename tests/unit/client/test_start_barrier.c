/* SPDX-License-Identifier: MIT */
#include "client/start_barrier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "unit.h"

enum { THREADS = 20, LIMIT = 3 };

static struct start_barrier barrier;
static atomic_size_t inside, most, come, begun, early;

static void setup(void)
{
	start_barrier_init(&barrier, THREADS, LIMIT);
}

static void teardown(void)
{
	start_barrier_destroy(&barrier);
}

static void begin(void *context)
{
	ck_assert_ptr_eq(context, &begun);
	ck_assert_uint_eq(come, THREADS);
	begun++;
}

/* Comes through the door; returns its argument if it may go on. */
static void *come_in(void *argument)
{
	if (!start_barrier_enter(&barrier))
		return NULL;
	size_t count = ++inside, before = most;
	while (count > before && !atomic_compare_exchange_weak(&most, &before, count))
		;
	inside--;
	start_barrier_leave(&barrier);
	come++;
	if (!start_barrier_arrive(&barrier, begin, &begun))
		return NULL;
	early += begun != 1;
	return argument;
}

static void start(pthread_t *threads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, come_in, (void *)(uintptr_t)(i + 1)), 0);
}

static size_t join(const pthread_t *threads, size_t count)
{
	size_t went_on = 0;
	for (size_t i = 0; i < count; i++) {
		void *result;
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		went_on += result != NULL;
	}
	return went_on;
}

START_TEST(all_begin_together)
{
	pthread_t threads[THREADS];
	start(threads, THREADS);
	ck_assert_uint_eq(join(threads, THREADS), THREADS);
	ck_assert_uint_eq(begun, 1);
	ck_assert_uint_eq(early, 0);
	ck_assert_uint_le(most, LIMIT);
}
END_TEST

START_TEST(no_thread_goes_on_before_the_last_has_arrived)
{
	pthread_t threads[THREADS - 1];
	start(threads, THREADS - 1);
	while (come < THREADS - 1)
		;
	ck_assert_uint_eq(begun, 0);
	start_barrier_stop(&barrier);
	ck_assert_uint_eq(join(threads, THREADS - 1), 0);
}
END_TEST

START_TEST(at_the_limit_a_thread_waits_until_one_leaves)
{
	pthread_t thread;
	for (size_t i = 0; i < LIMIT; i++)
		ck_assert(start_barrier_enter(&barrier));
	start(&thread, 1);
	ck_assert_uint_eq(come, 0);
	start_barrier_leave(&barrier);
	while (come < 1)
		;
	start_barrier_stop(&barrier);
	ck_assert_uint_eq(join(&thread, 1), 0);
}
END_TEST

START_TEST(a_stop_ends_waits_at_the_limit)
{
	pthread_t threads[2];
	for (size_t i = 0; i < LIMIT; i++)
		ck_assert(start_barrier_enter(&barrier));
	start(threads, 2);
	start_barrier_stop(&barrier);
	ck_assert_uint_eq(join(threads, 2), 0);
	ck_assert_uint_eq(come, 0);
	ck_assert(!start_barrier_enter(&barrier));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("start_barrier");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, all_begin_together);
	tcase_add_test(tests, no_thread_goes_on_before_the_last_has_arrived);
	tcase_add_test(tests, at_the_limit_a_thread_waits_until_one_leaves);
	tcase_add_test(tests, a_stop_ends_waits_at_the_limit);
	return unit_main("start_barrier", tests, NULL);
}
