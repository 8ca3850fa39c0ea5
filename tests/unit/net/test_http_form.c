/* SPDX-License-Identifier: MIT */
#include "net/http.h"

#include <string.h>

#include "unit.h"

static const char *value_of(const char *form, const char *name)
{
	static char value[16];
	return http_form_value(slice_of(form), name, value, sizeof value) ? value : NULL;
}

START_TEST(values_are_found_and_decoded)
{
	ck_assert_str_eq(value_of("a=1&b=2", "a"), "1");
	ck_assert_str_eq(value_of("a=1&b=2", "b"), "2");
	ck_assert_str_eq(value_of("b=", "b"), "");
	ck_assert_str_eq(value_of("burst=1%3A20", "burst"), "1:20");
	ck_assert_str_eq(value_of("x=a+b%2b%2B", "x"), "a b++");
	ck_assert_str_eq(value_of("x=1=2", "x"), "1=2");
	ck_assert_str_eq(value_of("&&x=1", "x"), "1");
}
END_TEST

START_TEST(others_are_not)
{
	ck_assert_ptr_null(value_of("", "a"));
	ck_assert_ptr_null(value_of("a", "a"));
	ck_assert_ptr_null(value_of("ab=1", "a"));
	ck_assert_ptr_null(value_of("A=1", "a"));
	ck_assert_ptr_null(value_of("b=a=1", "a"));
}
END_TEST

START_TEST(what_is_not_encoded_well_has_no_value)
{
	ck_assert_ptr_null(value_of("a=%", "a"));
	ck_assert_ptr_null(value_of("a=%4", "a"));
	ck_assert_ptr_null(value_of("a=%4&b=1", "a"));
	ck_assert_ptr_null(value_of("a=%zz", "a"));
	ck_assert_ptr_null(value_of("a=%00", "a"));
	ck_assert_ptr_null(value_of("a=x%00y", "a"));
}
END_TEST

START_TEST(what_is_too_long_has_no_value)
{
	ck_assert_str_eq(value_of("a=123456789012345", "a"), "123456789012345");
	ck_assert_ptr_null(value_of("a=1234567890123456", "a"));
	ck_assert_ptr_null(value_of("a=%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31", "a"));
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("http_form");
	tcase_add_test(all, values_are_found_and_decoded);
	tcase_add_test(all, others_are_not);
	tcase_add_test(all, what_is_not_encoded_well_has_no_value);
	tcase_add_test(all, what_is_too_long_has_no_value);
	return unit_main("http_form", all, NULL);
}
