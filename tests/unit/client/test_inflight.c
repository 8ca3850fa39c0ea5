/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct inflight_queue inflight;
static struct inflight_chain chains[3];

static void teardown(void)
{
	inflight_free(&inflight);
	memset(chains, 0, sizeof chains);
}

static void add(uint32_t connection, unsigned number)
{
	char line[32];
	int length = snprintf(line, sizeof line, "line %u\n", number);
	const struct inflight_line added = {
		.connection = connection, .thread = number, .length = (size_t)length};
	struct inflight_line *found = inflight_add(&inflight, &chains[connection], &added, line);
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(found->sent, 0);
}

static void assert_line(const struct inflight_line *found, unsigned number)
{
	char line[32];
	int length = snprintf(line, sizeof line, "line %u\n", number);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found->thread, number);
	ck_assert_uint_eq(found->length, (size_t)length);
	ck_assert_mem_eq(inflight_bytes(&inflight, found), line, found->length);
}

START_TEST(answers_take_out_the_oldest)
{
	/* many more than fit at first, with the ring wrapped and the bytes moved again and again */
	unsigned said = 0, answered = 0;
	ck_assert_ptr_null(inflight_oldest(&inflight));
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 40; i++)
			add(0, said++);
		for (int i = 0; i < 30; i++, answered++) {
			assert_line(inflight_oldest(&inflight), answered);
			inflight_answer(&inflight, &chains[0]);
		}
		ck_assert_uint_eq(inflight.waiting, said - answered);
	}
	for (; answered < said; answered++) {
		assert_line(inflight_first(&inflight, &chains[0]), answered);
		inflight_answer(&inflight, &chains[0]);
	}
	ck_assert_ptr_null(inflight_oldest(&inflight));
	ck_assert_ptr_null(inflight_first(&inflight, &chains[0]));
	ck_assert_uint_eq(inflight.bytes.length, 0);
}
END_TEST

START_TEST(connections_answer_in_any_order)
{
	for (unsigned i = 0; i < 300; i++)
		add(i % 3, i);
	for (unsigned i = 2; i < 300; i += 3) {
		assert_line(inflight_first(&inflight, &chains[2]), i);
		inflight_answer(&inflight, &chains[2]);
	}
	ck_assert_ptr_null(inflight_first(&inflight, &chains[2]));
	assert_line(inflight_oldest(&inflight), 0);
	for (unsigned i = 0; i < 300; i += 3)
		inflight_answer(&inflight, &chains[0]);
	assert_line(inflight_oldest(&inflight), 1);
	add(0, 300);
	for (unsigned i = 1; i < 300; i += 3)
		inflight_answer(&inflight, &chains[1]);
	assert_line(inflight_oldest(&inflight), 300);
	ck_assert_uint_eq(inflight.waiting, 1);
}
END_TEST

START_TEST(lines_of_one_connection_can_be_walked)
{
	for (unsigned i = 0; i < 200; i++)
		add(i % 2, i);
	inflight_answer(&inflight, &chains[1]);
	unsigned expected = 3;
	const struct inflight_line *found = inflight_first(&inflight, &chains[1]);
	for (; found; found = inflight_next_of(&inflight, found), expected += 2)
		assert_line(found, expected);
	ck_assert_uint_eq(expected, 201);
}
END_TEST

int main(void)
{
	TCase *order = tcase_create("order");
	tcase_add_checked_fixture(order, NULL, teardown);
	tcase_add_test(order, answers_take_out_the_oldest);
	tcase_add_test(order, connections_answer_in_any_order);
	tcase_add_test(order, lines_of_one_connection_can_be_walked);
	return unit_main("inflight", order, NULL);
}
