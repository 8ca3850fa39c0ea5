/* SPDX-License-Identifier: MIT */
/* What a relay and a next server with the service once agree on, and when another name is needed;
 * and the IDs of relays that lines come through. */
#include "relay/once_link.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define NAME "web/0123456789abcdef"
#define ONE "1111111111111111"
#define TWO "2222222222222222"

static struct once_link link;
static struct buffer said;

/* The link says this, and nothing else. */
static void assert_said(const char *words)
{
	ck_assert_uint_eq(said.length, strlen(words));
	ck_assert_int_eq(memcmp(said.bytes, words, said.length), 0);
	said.length = 0;
}

static void begin(uint64_t max)
{
	struct relay_route route;
	size_t count;
	link = (struct once_link){.name = NAME, .max = max};
	route_init(&route);
	route_add_own(&route, relay_name_id(link.name));
	ck_assert(once_link_begin(&link, &route, &said, &count));
	ck_assert_uint_eq(count, 1);
	assert_said("via 0123456789abcdef\nfrom " NAME " ?\n");
	ck_assert_int_eq(link.phase, ONCE_VIA);
	link.phase = ONCE_ASKED;
	route_free(&route);
}

/* Why another name is needed; NULL: it is not. */
static const char *take(uint64_t last, uint64_t acknowledged, bool differs)
{
	const struct once_answer answer = {.last = last, .differs = differs};
	const char *why;
	ck_assert(once_link_take(&link, &answer, acknowledged, &said, &why));
	return why;
}

START_TEST(it_goes_on_behind_what_the_next_server_has)
{
	begin(20);
	ck_assert_ptr_null(take(17, 10, false));
	assert_said("from " NAME " 18\n");
	ck_assert_ptr_null(take(18, 10, false)); /* one was under way */
	assert_said("from " NAME " 19\n");
	ck_assert_ptr_null(take(18, 10, false));
	ck_assert_int_eq(link.phase, ONCE_AGREED);
	ck_assert_uint_eq(link.had, 18);
	begin(20);
	ck_assert_ptr_null(take(0, 10, false)); /* it knows nothing: there are others before */
	assert_said("from " NAME " 11\n");
	ck_assert_ptr_null(take(0, 10, false));
	ck_assert_int_eq(link.phase, ONCE_AGREED);
	ck_assert_uint_eq(link.had, 10);
	buffer_free(&said);
}
END_TEST

/* Another ID, of which nothing was sent; lines up to `had` are there. */
static void assert_renamed(const char *why, uint64_t had)
{
	ck_assert_ptr_nonnull(why);
	ck_assert_str_ne(link.name, NAME);
	ck_assert(relay_name_is_of(link.name, "web"));
	ck_assert_int_eq(link.phase, ONCE_ASKED);
	ck_assert_uint_eq(link.max, 0);
	ck_assert_ptr_null(take(0, 10, false));
	ck_assert_ptr_null(take(0, 10, false));
	ck_assert_int_eq(link.phase, ONCE_AGREED);
	ck_assert_uint_eq(link.had, had);
	buffer_free(&said);
}

START_TEST(numbers_that_may_mean_other_lines_end_a_name)
{
	begin(20);
	assert_renamed(take(21, 10, false), 20); /* never sent from this log */
	begin(20);
	assert_renamed(take(9, 10, false), 10); /* acknowledged, and lost */
	begin(20);
	assert_renamed(take(15, 10, true), 10); /* of another one */
}
END_TEST

START_TEST(no_lines_are_believed_to_be_there_under_a_new_name)
{
	const struct once_answer none = {0}, some = {.last = 1};
	begin(20);
	ck_assert(once_link_believes(&link, &some));
	ck_assert_ptr_nonnull(take(21, 10, false));
	ck_assert(once_link_believes(&link, &none));
	ck_assert(!once_link_believes(&link, &some));
	ck_assert_ptr_null(take(0, 10, false));
	ck_assert_ptr_null(take(0, 10, false));
	ck_assert_int_eq(link.phase, ONCE_AGREED);
	ck_assert(once_link_believes(&link, &some)); /* it may have got some */
	buffer_free(&said);
}
END_TEST

START_TEST(names_are_read_from_notes)
{
	static const char *const wrong[] = {"forwards as web behind line 7",
					    "forwards as " NAME " behind line ",
					    "forwards as " NAME " behind line 7x",
					    "forwards as web-0123456789abcdef behind line 7",
					    "forwards as /0123456789abcdef",
					    "acknowledged up to 7"};
	char name[RELAY_NAME_SIZE];
	uint64_t behind;
	ck_assert(relay_name_read(slice_of("forwards as " NAME " behind line 7"), name, &behind));
	ck_assert_str_eq(name, NAME);
	ck_assert_uint_eq(behind, 7);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(!relay_name_read(slice_of(wrong[i]), name, &behind), "%s", wrong[i]);
	ck_assert(relay_name_is_of(NAME, "web"));
	ck_assert(!relay_name_is_of(NAME, "we"));
	ck_assert(!relay_name_is_of(NAME, "wob"));
}
END_TEST

START_TEST(routes_grow_and_find_back)
{
	struct relay_route route;
	size_t count;
	route_init(&route);
	route_add_own(&route, ONE);
	ck_assert_int_eq(route_hear(&route, slice_of("via " TWO)), ROUTE_HEARD);
	ck_assert_int_eq(route_hear(&route, slice_of("via " TWO)), ROUTE_HEARD);
	ck_assert_uint_eq(route_count(&route), 2);
	ck_assert(route_say(&route, &said, &count));
	ck_assert_uint_eq(count, 2);
	assert_said("via " ONE "," TWO "\n");
	ck_assert_int_eq(route_hear(&route, slice_of("via 3333333333333333," ONE)), ROUTE_BACK);
	ck_assert_uint_eq(route_count(&route), 2); /* nothing comes from there */
	static const char *const wrong[] = {"via ",
					    "via x",
					    "via " ONE "0",
					    "via " TWO ",,",
					    "via " TWO " " TWO,
					    "via 222222222222222A"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(route_hear(&route, slice_of(wrong[i])) == ROUTE_MALFORMED, "%s",
			      wrong[i]);
	ck_assert_uint_eq(route_count(&route), 2);
	for (int i = 0; i < 2 * ROUTE_MAX; i++) {
		char line[64];
		(void)snprintf(line, sizeof line, "via %016x", i);
		ck_assert_int_eq(route_hear(&route, slice_of(line)), ROUTE_HEARD);
	}
	ck_assert_uint_eq(route_count(&route), ROUTE_MAX);
	ck_assert(route_say(&route, &said, &count));
	ck_assert_uint_le(said.length, 4096 + 1);
	buffer_free(&said);
	route_free(&route);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("link");
	tcase_add_test(cases, it_goes_on_behind_what_the_next_server_has);
	tcase_add_test(cases, numbers_that_may_mean_other_lines_end_a_name);
	tcase_add_test(cases, no_lines_are_believed_to_be_there_under_a_new_name);
	tcase_add_test(cases, names_are_read_from_notes);
	tcase_add_test(cases, routes_grow_and_find_back);
	return unit_main("once_link", cases, NULL);
}
