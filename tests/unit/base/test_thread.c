/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

static size_t stack_of(size_t wanted)
{
	pthread_attr_t attributes;
	size_t stack = 0;
	ck_assert_int_eq(thread_attributes_init(&attributes, wanted), 0);
	ck_assert_int_eq(pthread_attr_getstacksize(&attributes, &stack), 0);
	ck_assert_int_eq(pthread_attr_destroy(&attributes), 0);
	return stack;
}

START_TEST(a_stack_is_as_small_as_allowed)
{
	long smallest = sysconf(_SC_THREAD_STACK_MIN);
	ck_assert_uint_eq(stack_of(1 << 20), 1 << 20);
	ck_assert_int_gt(smallest, 1);
	ck_assert_uint_eq(stack_of(1), (size_t)smallest);
}
END_TEST

static void *set(void *argument)
{
	*(int *)argument = 1;
	return NULL;
}

START_TEST(a_thread_runs)
{
	pthread_t thread;
	int ran = 0;
	ck_assert_int_eq(thread_start(&thread, 65536, set, &ran), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(ran, 1);
}
END_TEST

static int refuse(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *argument),
		  void *argument)
{
	(void)thread, (void)attributes, (void)run, (void)argument;
	return EAGAIN;
}

START_TEST(an_error_is_returned)
{
	pthread_t thread;
	thread_create = refuse;
	ck_assert_int_eq(thread_start(&thread, 65536, set, NULL), EAGAIN);
}
END_TEST

enum { DEEP = 40000, THREAD_STACK = 256 * 1024 };

/* Uses the stack. Returns a page that was touched, which is below all later frames. */
__attribute__((noinline)) static uintptr_t go_deep(void)
{
	volatile char bytes[DEEP];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	return ((uintptr_t)bytes + page - 1) / page * page;
}

static bool is_resident(uintptr_t page)
{
	unsigned char resident = 0;
	ck_assert_int_eq(mincore((void *)page, (size_t)sysconf(_SC_PAGESIZE), &resident), 0);
	return resident & 1;
}

static void *trim(void *argument)
{
	char kept[DEEP];
	memset(kept, 'k', sizeof kept);
	uintptr_t page = go_deep();
	((bool *)argument)[0] = is_resident(page);
	thread_trim_stack();
	((bool *)argument)[1] = is_resident(page);
	for (size_t i = 0; i < sizeof kept; i++)
		ck_assert_int_eq(kept[i], 'k');
	return NULL;
}

START_TEST(a_stack_is_trimmed_below_the_caller)
{
	pthread_t thread;
	bool resident[2];
	ck_assert_int_eq(thread_start(&thread, THREAD_STACK, trim, resident), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(resident[0]);
	ck_assert(!resident[1]);
}
END_TEST

int main(void)
{
	TCase *threads = tcase_create("thread");
	tcase_add_test(threads, a_stack_is_as_small_as_allowed);
	tcase_add_test(threads, a_thread_runs);
	tcase_add_test(threads, an_error_is_returned);
	tcase_add_test(threads, a_stack_is_trimmed_below_the_caller);
	return unit_main("thread", threads, NULL);
}
