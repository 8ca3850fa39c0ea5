/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

#include "unit.h"

START_TEST(compares)
{
	struct slice none = {0};
	ck_assert(slice_equals(none, ""));
	ck_assert(slice_begins(none, ""));
	ck_assert(!slice_begins(none, "a"));
	ck_assert(slice_same(none, slice_of("")));
	ck_assert(slice_equals(slice_of("abc"), "abc"));
	ck_assert(!slice_equals(slice_of("abc"), "abcd"));
	ck_assert(!slice_equals(slice_of("abc"), "abd"));
	ck_assert(slice_begins(slice_of("abc"), "ab"));
	ck_assert(!slice_begins(slice_of("abc"), "abcd"));
	ck_assert(slice_ends(slice_of("abc"), "bc") && slice_ends(none, ""));
	ck_assert(!slice_ends(slice_of("abc"), "ab") && !slice_ends(slice_of("bc"), "abc"));
}
END_TEST

START_TEST(counts_lines)
{
	ck_assert_uint_eq(slice_count_lines((struct slice){NULL, 0}), 0);
	ck_assert_uint_eq(slice_count_lines(slice_of("one")), 0);
	ck_assert_uint_eq(slice_count_lines(slice_of("one\ntwo")), 1);
	ck_assert_uint_eq(slice_count_lines(slice_of("\n\ntwo\n")), 3);
}
END_TEST

START_TEST(takes_off_the_front)
{
	struct slice rest = slice_of("error: full;7;"), field;
	ck_assert(!slice_skip(&rest, "ok"));
	ck_assert(slice_skip(&rest, "error: "));
	ck_assert(slice_cut(&rest, ';', &field));
	ck_assert(slice_equals(field, "full"));
	ck_assert(slice_cut(&rest, ';', &field));
	ck_assert(slice_equals(field, "7"));
	ck_assert(!slice_cut(&rest, ';', &field));
	ck_assert_uint_eq(rest.length, 0);
}
END_TEST

START_TEST(reads_numbers)
{
	uint64_t number = 1;
	struct slice rest = slice_of("18446744073709551615 0x");
	ck_assert(slice_number(&rest, &number));
	ck_assert(number == UINT64_MAX);
	ck_assert(slice_skip(&rest, " "));
	ck_assert(slice_number(&rest, &number));
	ck_assert_uint_eq(number, 0);
	ck_assert(slice_equals(rest, "x"));
	static const char *const wrong[] = {"",
					    "x",
					    "-1",
					    "+1",
					    " 1",
					    "01",
					    "00",
					    "18446744073709551616",
					    "99999999999999999999"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		rest = slice_of(wrong[i]);
		if (slice_number(&rest, &number) || !slice_equals(rest, wrong[i]))
			ck_abort_msg("%s", wrong[i]);
	}
}
END_TEST

int main(void)
{
	TCase *slices = tcase_create("slice");
	tcase_add_test(slices, compares);
	tcase_add_test(slices, counts_lines);
	tcase_add_test(slices, takes_off_the_front);
	tcase_add_test(slices, reads_numbers);
	return unit_main("slice", slices, NULL);
}
