/* SPDX-License-Identifier: MIT */
#include "session/address_table.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/memory.h"
#include "unit.h"

static bool no_memory;

static void *faulty_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : calloc(count, size);
}

static struct address_table of_two, *table;

static void begin(void)
{
	no_memory = false;
	of_two = (struct address_table){.max = 2};
	table = &of_two;
}

static enum admission enter(const char *from, struct address **address)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(5)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(5)};
	if (inet_pton(AF_INET, from, &four.sin_addr) == 1)
		return address_table_enter(table, (struct sockaddr *)&four, address);
	ck_assert_int_eq(inet_pton(AF_INET6, from, &six.sin6_addr), 1);
	return address_table_enter(table, (struct sockaddr *)&six, address);
}

static struct address *assert_enters(const char *from)
{
	struct address *address;
	ck_assert_int_eq(enter(from, &address), ADMITTED);
	ck_assert_ptr_nonnull(address);
	return address;
}

static void assert_stays_out(const char *from)
{
	struct address *address;
	ck_assert_int_eq(enter(from, &address), TOO_MANY_OF_ADDRESS);
	ck_assert_ptr_null(address);
}

START_TEST(each_address_has_its_limit)
{
	struct address *one = assert_enters("10.0.0.1");
	ck_assert_ptr_eq(assert_enters("10.0.0.1"), one);
	assert_stays_out("10.0.0.1");
	struct address *other = assert_enters("10.0.0.2");
	address_table_leave(table, one);
	ck_assert_ptr_eq(assert_enters("10.0.0.1"), one);
	assert_stays_out("10.0.0.1");
	address_table_leave(table, one);
	address_table_leave(table, one);
	address_table_leave(table, other);
	address_table_leave(table, NULL);
	assert_enters("10.0.0.1");
	assert_enters("10.0.0.1");
	address_table_free(table);
}
END_TEST

START_TEST(an_ipv6_network_is_one_address)
{
	assert_enters("2001:db8:1:2::1");
	assert_enters("2001:db8:1:2:ffff::2");
	assert_stays_out("2001:db8:1:2:1:2:3:4");
	assert_enters("2001:db8:1:3::1");
	address_table_free(table);
}
END_TEST

START_TEST(a_mapped_address_is_that_of_ipv4)
{
	assert_enters("10.0.0.1");
	assert_enters("::ffff:10.0.0.1");
	assert_stays_out("::ffff:10.0.0.1");
	assert_stays_out("10.0.0.1");
	assert_enters("::ffff:10.0.0.2");
	assert_enters("::1");
	address_table_free(table);
}
END_TEST

START_TEST(no_ipv6_network_is_an_ipv4_address)
{
	/* in whatever order the machine has the bytes of a number */
	assert_enters("1.2.3.4");
	assert_enters("1.2.3.4");
	assert_enters("403:201:ffff::1");
	assert_enters("102:304:ffff::1");
	assert_stays_out("1.2.3.4");
	address_table_free(table);
}
END_TEST

START_TEST(others_are_not_counted)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct address *address;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(address_table_enter(table, (struct sockaddr *)&local, &address),
				 ADMITTED);
		ck_assert_ptr_null(address);
	}
	address_table_free(table);
	table = NULL;
	ck_assert_int_eq(enter("10.0.0.1", &address), ADMITTED);
	ck_assert_ptr_null(address);
	address_table_leave(table, address);
	address_table_free(table);
}
END_TEST

START_TEST(many_addresses_are_told_apart)
{
	enum { ADDRESSES = 1000 };
	struct address *all[ADDRESSES];
	char from[32];
	for (int i = 0; i < ADDRESSES; i++) {
		(void)snprintf(from, sizeof from, "10.0.%d.%d", i / 256, i % 256);
		all[i] = assert_enters(from);
		for (int j = i ? i - 1 : 0; j < i; j++)
			ck_assert_ptr_ne(all[i], all[j]);
	}
	for (int i = 0; i < ADDRESSES; i += 2)
		address_table_leave(table, all[i]);
	for (int i = 0; i < ADDRESSES; i++) {
		(void)snprintf(from, sizeof from, "10.0.%d.%d", i / 256, i % 256);
		assert_enters(from);
		if (i % 2)
			assert_stays_out(from);
		else
			assert_enters(from);
	}
	address_table_free(table);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
	struct address *address;
	no_memory = true;
	ck_assert_int_eq(enter("10.0.0.1", &address), NO_MEMORY_FOR_ADDRESS);
	no_memory = false;
	assert_enters("10.0.0.1");
	address_table_free(table);
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	TCase *cases = tcase_create("address table");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, each_address_has_its_limit);
	tcase_add_test(cases, an_ipv6_network_is_one_address);
	tcase_add_test(cases, a_mapped_address_is_that_of_ipv4);
	tcase_add_test(cases, no_ipv6_network_is_an_ipv4_address);
	tcase_add_test(cases, others_are_not_counted);
	tcase_add_test(cases, many_addresses_are_told_apart);
	tcase_add_test(cases, without_memory_it_says_so);
	return unit_main("address_table", cases, NULL);
}
