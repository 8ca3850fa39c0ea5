/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct flights flights;

static void setup(void)
{
	ck_assert(flights_init(&flights, 3));
}

static void teardown(void)
{
	flights_free(&flights);
}

static void add(uint32_t connection, unsigned number)
{
	char line[32];
	int length = snprintf(line, sizeof line, "line %u\n", number);
	struct flight *flight = flights_add(&flights, connection, number, line, (size_t)length);
	ck_assert_ptr_nonnull(flight);
	ck_assert_int_eq(flight->sent, 0);
}

static void assert_line(const struct flight *flight, unsigned number)
{
	char line[32];
	int length = snprintf(line, sizeof line, "line %u\n", number);
	ck_assert_ptr_nonnull(flight);
	ck_assert_uint_eq(flight->thread, number);
	ck_assert_uint_eq(flight->length, (size_t)length);
	ck_assert_mem_eq(flights_line(&flights, flight), line, flight->length);
}

START_TEST(answers_take_out_the_oldest)
{
	/* many more than fit at first, with the ring wrapped and the bytes moved again and again */
	unsigned said = 0, answered = 0;
	ck_assert_ptr_null(flights_oldest(&flights));
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 40; i++)
			add(0, said++);
		for (int i = 0; i < 30; i++, answered++) {
			assert_line(flights_oldest(&flights), answered);
			flights_answer(&flights, 0);
		}
		ck_assert_uint_eq(flights.waiting, said - answered);
	}
	for (; answered < said; answered++) {
		assert_line(flights_oldest_of(&flights, 0), answered);
		flights_answer(&flights, 0);
	}
	ck_assert_ptr_null(flights_oldest(&flights));
	ck_assert_ptr_null(flights_oldest_of(&flights, 0));
	ck_assert_uint_eq(flights.lines.length, 0);
}
END_TEST

START_TEST(connections_answer_in_any_order)
{
	for (unsigned i = 0; i < 300; i++)
		add(i % 3, i);
	for (unsigned i = 2; i < 300; i += 3) {
		assert_line(flights_oldest_of(&flights, 2), i);
		flights_answer(&flights, 2);
	}
	ck_assert_ptr_null(flights_oldest_of(&flights, 2));
	assert_line(flights_oldest(&flights), 0);
	for (unsigned i = 0; i < 300; i += 3)
		flights_answer(&flights, 0);
	assert_line(flights_oldest(&flights), 1);
	add(0, 300);
	for (unsigned i = 1; i < 300; i += 3)
		flights_answer(&flights, 1);
	assert_line(flights_oldest(&flights), 300);
	ck_assert_uint_eq(flights.waiting, 1);
}
END_TEST

START_TEST(lines_of_one_connection_can_be_walked)
{
	for (unsigned i = 0; i < 200; i++)
		add(i % 2, i);
	flights_answer(&flights, 1);
	unsigned expected = 3;
	const struct flight *flight = flights_oldest_of(&flights, 1);
	for (; flight; flight = flights_next_of(&flights, flight), expected += 2)
		assert_line(flight, expected);
	ck_assert_uint_eq(expected, 201);
}
END_TEST

int main(void)
{
	TCase *order = tcase_create("order");
	tcase_add_checked_fixture(order, setup, teardown);
	tcase_add_test(order, answers_take_out_the_oldest);
	tcase_add_test(order, connections_answer_in_any_order);
	tcase_add_test(order, lines_of_one_connection_can_be_walked);
	return unit_main("flight", order, NULL);
}
