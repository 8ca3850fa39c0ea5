/* SPDX-License-Identifier: MIT */
#include "base/timer_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "support.h"
#include "unit.h"

enum { MANY = 1000 };

struct noted {
	struct task task; /* first, so that the one is the other */
	int64_t ran;
};

static struct timer_queue *timer_queue;
static struct error error;
static struct noted noted[MANY];
static struct noted *sequence[MANY]; /* in which they ran */
static atomic_int ran, dropped;

static void run(struct task *task)
{
	struct noted *one = (struct noted *)task;
	one->ran = clock_now();
	sequence[ran] = one;
	ran++;
}

static void drop(struct task *task)
{
	(void)task;
	dropped++;
}

static void begin(void)
{
	ran = dropped = 0;
	for (int i = 0; i < MANY; i++)
		noted[i] = (struct noted){.task = {.run = run, .drop = drop}};
	timer_queue = timer_queue_start(&error);
	ck_assert_ptr_nonnull(timer_queue);
}

static void end(void)
{
	timer_queue_free(timer_queue);
}

static bool have_run(void *count)
{
	return ran >= *(int *)count;
}

static void await_run(int count)
{
	ck_assert_msg(eventually(have_run, &count), "%d of %d ran", ran, count);
}

START_TEST(tasks_run_in_the_order_of_their_deadlines)
{
	uint64_t state = 42;
	int64_t from = clock_now();
	for (int i = 0; i < MANY; i++) {
		int64_t deadline =
			from + random_in(&state, &(struct range){0, 50 * CLOCK_MILLISECOND});
		ck_assert_int_eq(timer_queue_at(timer_queue, &noted[i].task, deadline), 0);
	}
	await_run(MANY);
	int early = 0, crossed = 0;
	for (int i = 0; i < MANY; i++) {
		early += sequence[i]->ran < sequence[i]->task.deadline;
		/* one that was scheduled when a later one had run already may come after it */
		crossed += i && sequence[i]->task.deadline < sequence[i - 1]->task.deadline &&
			   sequence[i]->task.deadline > sequence[i - 1]->ran;
	}
	ck_assert_int_eq(early, 0);
	ck_assert_int_eq(crossed, 0);
}
END_TEST

START_TEST(of_the_same_deadline_the_first_scheduled_runs_first)
{
	int64_t deadline = clock_after(20 * CLOCK_MILLISECOND);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(timer_queue_at(timer_queue, &noted[i].task, deadline), 0);
	await_run(MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_ptr_eq(sequence[i], &noted[i]);
}
END_TEST

/* The thread sleeps for the far one when the near one comes. */
START_TEST(a_nearer_deadline_wakes_it)
{
	ck_assert_int_eq(timer_queue_at(timer_queue, &noted[0].task, CLOCK_NEVER), 0);
	ck_assert_int_eq(
		timer_queue_at(timer_queue, &noted[1].task, clock_after(CLOCK_SECOND * 3600)), 0);
	ck_assert_int_eq(timer_queue_at(timer_queue, &noted[2].task, clock_now()), 0);
	await_run(1);
	ck_assert_ptr_eq(sequence[0], &noted[2]);
	timer_queue_stop(timer_queue);
	ck_assert_int_eq(dropped, 2);
	ck_assert_int_eq(ran, 1);
}
END_TEST

static void run_again(struct task *task)
{
	run(task);
	if (ran < 5)
		ck_assert_int_eq(timer_queue_at(timer_queue, task, clock_now()), 0);
}

START_TEST(a_task_can_schedule_itself)
{
	noted[0].task.run = run_again;
	ck_assert_int_eq(timer_queue_at(timer_queue, &noted[0].task, clock_now()), 0);
	await_run(5);
	timer_queue_stop(timer_queue);
	ck_assert_int_eq(ran, 5);
	ck_assert_int_eq(dropped, 0);
}
END_TEST

struct from_the_heap {
	struct task task;
};

static void run_and_free(struct task *task)
{
	free(task);
	ran++;
}

START_TEST(a_task_can_free_itself)
{
	for (int i = 0; i < 10; i++) {
		struct from_the_heap *one = calloc(1, sizeof *one);
		one->task.run = run_and_free;
		ck_assert_int_eq(timer_queue_at(timer_queue, &one->task, clock_now()), 0);
	}
	await_run(10);
}
END_TEST

START_TEST(nothing_is_scheduled_after_the_stop)
{
	timer_queue_stop(timer_queue);
	ck_assert_int_eq(timer_queue_at(timer_queue, &noted[0].task, 0), -1);
	timer_queue_stop(timer_queue);
	ck_assert_int_eq(ran + dropped, 0);
	timer_queue_stop(NULL);
	timer_queue_free(NULL);
}
END_TEST

static void *schedule_quarter(void *first)
{
	struct noted *one = first;
	for (int i = 0; i < MANY / 4; i++)
		ck_assert_int_eq(timer_queue_at(timer_queue, &one[i].task,
						clock_after((i % 7) * CLOCK_MILLISECOND)),
				 0);
	return NULL;
}

START_TEST(many_threads_may_schedule)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, schedule_quarter, &noted[i * (MANY / 4)]),
			0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	await_run(MANY);
	timer_queue_stop(timer_queue);
	ck_assert_int_eq(dropped, 0);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("scheduler");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, tasks_run_in_the_order_of_their_deadlines);
	tcase_add_test(cases, of_the_same_deadline_the_first_scheduled_runs_first);
	tcase_add_test(cases, a_nearer_deadline_wakes_it);
	tcase_add_test(cases, a_task_can_schedule_itself);
	tcase_add_test(cases, a_task_can_free_itself);
	tcase_add_test(cases, nothing_is_scheduled_after_the_stop);
	tcase_add_test(cases, many_threads_may_schedule);
	return unit_main("scheduler", cases, NULL);
}
