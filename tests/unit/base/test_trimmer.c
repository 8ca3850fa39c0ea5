/* SPDX-License-Identifier: MIT */
#include "base/trimmer.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support.h"
#include "unit.h"

#define SOON CLOCK_MILLISECOND

static struct timer_queue *timer_queue;
static struct trimmer trimmer;
static atomic_int trims;
static bool no_memory;

static void count_trim(void)
{
	trims++;
}

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static void begin(void)
{
	struct error error;
	trims = 0;
	no_memory = false;
	timer_queue = timer_queue_start(&error);
	ck_assert_ptr_nonnull(timer_queue);
}

static void end(void)
{
	timer_queue_free(timer_queue);
}

static bool have_trimmed(void *count)
{
	return trims >= *(int *)count;
}

static void await_trims(int count)
{
	ck_assert_msg(eventually(have_trimmed, &count), "%d of %d", trims, count);
}

START_TEST(what_is_noted_is_trimmed_and_again_when_noted_again)
{
	trimmer_init(&trimmer, timer_queue, SOON);
	for (int i = 1; i <= 3; i++) {
		trimmer_note(&trimmer);
		await_trims(i);
	}
}
END_TEST

START_TEST(many_notes_are_one_trim)
{
	/* so late that none of the notes comes behind it */
	trimmer_init(&trimmer, timer_queue, 3600 * CLOCK_SECOND);
	for (int i = 0; i < 1000; i++)
		trimmer_note(&trimmer);
	ck_assert(trimmer.is_scheduled);
	ck_assert_int_eq(trims, 0);
	trimmer.task.run(&trimmer.task); /* in the queue's place */
	ck_assert_int_eq(trims, 1);
	ck_assert(!trimmer.is_scheduled);
}
END_TEST

START_TEST(without_memory_the_next_note_tries_again)
{
	trimmer_init(&trimmer, timer_queue, SOON);
	no_memory = true;
	trimmer_note(&trimmer);
	ck_assert(!trimmer.is_scheduled);
	no_memory = false;
	trimmer_note(&trimmer);
	await_trims(1);
}
END_TEST

START_TEST(after_the_end_of_the_queue_notes_are_ignored)
{
	trimmer_init(&trimmer, timer_queue, SOON);
	timer_queue_stop(timer_queue);
	trimmer_note(&trimmer);
	ck_assert(!trimmer.is_scheduled);
	trimmer_note(NULL);
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	memory_trim = count_trim;
	TCase *cases = tcase_create("trimmer");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, what_is_noted_is_trimmed_and_again_when_noted_again);
	tcase_add_test(cases, many_notes_are_one_trim);
	tcase_add_test(cases, without_memory_the_next_note_tries_again);
	tcase_add_test(cases, after_the_end_of_the_queue_notes_are_ignored);
	return unit_main("trimmer", cases, NULL);
}
