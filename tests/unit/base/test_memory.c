/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

#include "unit.h"

static bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

START_TEST(arrays_grow)
{
	int *numbers = NULL;
	size_t capacity = 0;
	for (int i = 0; i < 10000; i++) {
		numbers = memory_grow(numbers, (size_t)i, &capacity, sizeof *numbers);
		ck_assert(numbers && capacity > (size_t)i);
		numbers[i] = i;
	}
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(numbers[i], i);
	free(numbers);
}
END_TEST

START_TEST(without_memory_only_the_space_counts)
{
	size_t capacity = 0;
	int *numbers = memory_grow(NULL, 0, &capacity, sizeof *numbers);
	size_t before = capacity;
	no_memory = true;
	ck_assert_ptr_eq(memory_grow(numbers, capacity - 1, &capacity, sizeof *numbers), numbers);
	ck_assert_ptr_null(memory_grow(numbers, capacity, &capacity, sizeof *numbers));
	ck_assert_uint_eq(capacity, before);
	free(numbers);
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	TCase *cases = tcase_create("memory");
	tcase_add_test(cases, arrays_grow);
	tcase_add_test(cases, without_memory_only_the_space_counts);
	return unit_main("memory", cases, NULL);
}
