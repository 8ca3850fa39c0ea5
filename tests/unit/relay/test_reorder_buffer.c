/* SPDX-License-Identifier: MIT */
/* Items that are finished in any order and leave in the order of their coming. */
#include "relay/reorder_buffer.h"

#include <stdlib.h>

#include "base/random.h"
#include "unit.h"

static int items[64];

static struct reorder_buffer made(uint64_t first, size_t capacity, size_t most)
{
	struct reorder_buffer reorder;
	ck_assert(reorder_buffer_init(&reorder, first, capacity, most));
	return reorder;
}

START_TEST(an_empty_one_has_nothing)
{
	struct reorder_buffer reorder = made(1, 4, 100);
	ck_assert(reorder_buffer_is_empty(&reorder) && !reorder_buffer_is_full(&reorder));
	ck_assert_ptr_null(reorder_buffer_get(&reorder, 0));
	ck_assert_ptr_null(reorder_buffer_get(&reorder, 1));
	ck_assert_ptr_null(reorder_buffer_oldest(&reorder));
	ck_assert_ptr_null(reorder_buffer_take(&reorder));
	reorder_buffer_done(&reorder, 1, 5); /* nobody: nothing happens */
	ck_assert_uint_eq(reorder.bytes, 0);
	reorder_buffer_free(&reorder);
}
END_TEST

START_TEST(what_is_done_early_waits)
{
	struct reorder_buffer reorder = made(17, 4, 100);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(reorder_buffer_add(&reorder, &items[i], 10), 17 + (uint64_t)i);
	reorder_buffer_done(&reorder, 18, 10);
	ck_assert_ptr_null(reorder_buffer_get(&reorder, 17));
	ck_assert_ptr_eq(reorder_buffer_get(&reorder, 18), &items[1]);
	ck_assert_ptr_null(reorder_buffer_get(&reorder, 19));
	ck_assert_ptr_eq(reorder_buffer_oldest(&reorder), &items[0]);
	reorder_buffer_done(&reorder, 17, 10);
	ck_assert_ptr_eq(reorder_buffer_get(&reorder, 17), &items[0]);
	ck_assert_ptr_eq(reorder_buffer_take(&reorder), &items[0]);
	ck_assert_ptr_null(reorder_buffer_get(&reorder, 17)); /* gone */
	ck_assert_ptr_eq(reorder_buffer_take(&reorder), &items[1]);
	ck_assert_ptr_eq(reorder_buffer_take(&reorder), &items[2]);
	ck_assert(reorder_buffer_is_empty(&reorder));
	reorder_buffer_free(&reorder);
}
END_TEST

START_TEST(it_is_full_by_number)
{
	struct reorder_buffer reorder = made(1, 3, 1000);
	for (int i = 0; i < 3; i++) {
		ck_assert(!reorder_buffer_is_full(&reorder));
		(void)reorder_buffer_add(&reorder, &items[i], 1);
	}
	ck_assert(reorder_buffer_is_full(&reorder));
	reorder_buffer_done(&reorder, 2, 1); /* behind the oldest one: makes no room */
	ck_assert(reorder_buffer_is_full(&reorder));
	(void)reorder_buffer_take(&reorder);
	ck_assert(!reorder_buffer_is_full(&reorder));
	reorder_buffer_free(&reorder);
}
END_TEST

START_TEST(it_is_full_by_bytes)
{
	struct reorder_buffer reorder = made(1, 10, 100);
	(void)reorder_buffer_add(&reorder, &items[0], 500); /* one of any size */
	ck_assert(reorder_buffer_is_full(&reorder));
	reorder_buffer_done(&reorder, 1, 40); /* the work has made less of it */
	ck_assert(!reorder_buffer_is_full(&reorder));
	(void)reorder_buffer_add(&reorder, &items[1], 59);
	ck_assert(!reorder_buffer_is_full(&reorder));
	reorder_buffer_done(&reorder, 2, 60); /* or more */
	ck_assert(reorder_buffer_is_full(&reorder));
	(void)reorder_buffer_take(&reorder);
	ck_assert_uint_eq(reorder.bytes, 60);
	(void)reorder_buffer_take(&reorder);
	ck_assert_uint_eq(reorder.bytes, 0);
	reorder_buffer_free(&reorder);
}
END_TEST

/* Any order of endings, many times round the ring. */
START_TEST(order_holds_whatever_ends_first)
{
	uint64_t state = 7, in_work[8], taken = 0;
	size_t working = 0;
	struct reorder_buffer reorder = made(1, 8, 1000000);
	for (int round = 0; round < 20000; round++) {
		while (!reorder_buffer_is_full(&reorder))
			in_work[working++] =
				reorder_buffer_add(&reorder, &items[reorder.next % 64], 3);
		size_t one = (size_t)random_between(&state, 0, (int64_t)working - 1);
		reorder_buffer_done(&reorder, in_work[one], 3);
		in_work[one] = in_work[--working];
		void *item;
		while ((item = reorder_buffer_get(&reorder, taken + 1))) {
			ck_assert_ptr_eq(item, &items[++taken % 64]);
			ck_assert_ptr_eq(reorder_buffer_take(&reorder), item);
		}
	}
	ck_assert_uint_ge(taken, 20000 - 8);
	reorder_buffer_free(&reorder);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("reorder");
	tcase_add_test(cases, an_empty_one_has_nothing);
	tcase_add_test(cases, what_is_done_early_waits);
	tcase_add_test(cases, it_is_full_by_number);
	tcase_add_test(cases, it_is_full_by_bytes);
	tcase_add_test(cases, order_holds_whatever_ends_first);
	return unit_main("reorder", cases, NULL);
}
