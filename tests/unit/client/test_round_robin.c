/* SPDX-License-Identifier: MIT */
#include "client/round_robin.h"

#include <pthread.h>
#include <stdint.h>

#include "unit.h"

enum { THREADS = 7, ROUNDS = 200 };

static struct round_robin *token;
static size_t order[THREADS * ROUNDS]; /* holder of each turn; guarded by the token itself */
static size_t turns;

static void setup(void)
{
	struct error error;
	token = round_robin_make(THREADS, &error);
	ck_assert_ptr_nonnull(token);
	turns = 0;
}

static void teardown(void)
{
	round_robin_free(token);
}

/* Takes ROUNDS turns; one that finds the rotation stopped returns its argument, else NULL. */
static void *take_turns(void *argument)
{
	size_t self = (size_t)(uintptr_t)argument - 1;
	for (size_t i = 0; i < ROUNDS; i++) {
		if (!round_robin_wait(token, self))
			return argument;
		order[turns++] = self;
		round_robin_pass(token);
	}
	return NULL;
}

static void start(pthread_t threads[THREADS])
{
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, take_turns, (void *)(uintptr_t)(i + 1)),
			0);
}

/* How many threads found the rotation stopped. */
static size_t join(pthread_t threads[THREADS])
{
	size_t stopped = 0;
	for (size_t i = 0; i < THREADS; i++) {
		void *result;
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		stopped += result != NULL;
	}
	return stopped;
}

START_TEST(turns_go_round_in_order)
{
	pthread_t threads[THREADS];
	start(threads);
	round_robin_pass(token);
	ck_assert_uint_eq(join(threads), 0);
	ck_assert_uint_eq(turns, THREADS * ROUNDS);
	for (size_t i = 0; i < turns; i++)
		ck_assert_uint_eq(order[i], i % THREADS);
}
END_TEST

START_TEST(no_thread_holds_the_token_at_first)
{
	pthread_t threads[THREADS];
	start(threads);
	round_robin_stop(token);
	ck_assert_uint_eq(join(threads), THREADS);
	ck_assert_uint_eq(turns, 0);
}
END_TEST

START_TEST(stop_ends_all_that_wait_and_all_that_come_later)
{
	pthread_t threads[THREADS];
	round_robin_pass(token);
	ck_assert(round_robin_wait(token, 0));
	start(threads); /* thread 0 among them has the token, as we do: it is taken from both */
	round_robin_stop(token);
	round_robin_stop(token);
	ck_assert_uint_eq(join(threads), THREADS);
	ck_assert(!round_robin_wait(token, 0));
	round_robin_pass(token);
	ck_assert(!round_robin_wait(token, 1));
}
END_TEST

START_TEST(one_thread_passes_to_itself)
{
	struct error error;
	struct round_robin *alone = round_robin_make(1, &error);
	ck_assert_ptr_nonnull(alone);
	for (int i = 0; i < 3; i++) {
		round_robin_pass(alone);
		ck_assert(round_robin_wait(alone, 0));
	}
	round_robin_free(alone);
	round_robin_free(NULL);
}
END_TEST

int main(void)
{
	TCase *rotation = tcase_create("rotation");
	tcase_add_checked_fixture(rotation, setup, teardown);
	tcase_add_test(rotation, turns_go_round_in_order);
	tcase_add_test(rotation, no_thread_holds_the_token_at_first);
	tcase_add_test(rotation, stop_ends_all_that_wait_and_all_that_come_later);
	tcase_add_test(rotation, one_thread_passes_to_itself);
	return unit_main("round_robin", rotation, NULL);
}
