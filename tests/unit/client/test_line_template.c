/* SPDX-License-Identifier: MIT */
#include "client/line_template.h"

#include <string.h>

#include "unit.h"

static struct error error;

static const char *const composed[][2] = {
	{"Thread %t, iteration %i", "Thread 7, iteration 3"},
	{"%n of client %c", "18446744073709551615 of client 12"},
	{"100%%", "100%"},
	{"%%t%t%%", "%t7%"},
	{"%t%i%n%c", "7318446744073709551615"
		     "12"},
	{"plain", "plain"},
};

START_TEST(escapes_stand_for_values)
{
	const struct line_template_values values = {
		.thread = 7, .iteration = 3, .client = 12, .number = UINT64_MAX};
	struct buffer text = {0};
	ck_assert_msg(
		line_template_check("message", LINE_TEMPLATE_LETTERS, composed[_i][0], &error) == 0,
		"%s", error.message);
	ck_assert(line_template_compose(&text, composed[_i][0], &values));
	ck_assert(buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes, composed[_i][1]);
	buffer_free(&text);
}
END_TEST

static const char *const wrong[][2] = {
	{"%x", "-message: '%x' is not one of %t, %i, %n, %c, %%"},
	{"%t %%%d", "-message: '%d' is not one of %t, %i, %n, %c, %%"},
	{"50%", "-message: nothing stands behind the last '%'; a percent sign is '%%'"},
	{"%%%", "-message: nothing stands behind the last '%'; a percent sign is '%%'"},
	{"one\ntwo", "-message: the text contains a line end"},
	{"one\r", "-message: the text contains a line end"},
};

START_TEST(wrong_one_is_named)
{
	ck_assert_int_eq(
		line_template_check("message", LINE_TEMPLATE_LETTERS, wrong[_i][0], &error), -1);
	ck_assert_str_eq(error.message, wrong[_i][1]);
}
END_TEST

START_TEST(short_ones_are_filled_up)
{
	struct buffer text = {0};
	ck_assert(buffer_append_string(&text, "abc"));
	ck_assert(line_template_pad(&text, 2));
	ck_assert(line_template_pad(&text, 3));
	ck_assert_uint_eq(text.length, 3);
	ck_assert(line_template_pad(&text, 6));
	ck_assert_uint_eq(text.length, 6);
	ck_assert_mem_eq(text.bytes, "abc...", 6);
	ck_assert(line_template_pad(&text, 65536));
	ck_assert_uint_eq(text.length, 65536);
	ck_assert(text.bytes[65535] == '.');
	buffer_free(&text);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *message = tcase_create("message");
	tcase_add_loop_test(message, escapes_stand_for_values, 0, COUNT(composed));
	tcase_add_loop_test(message, wrong_one_is_named, 0, COUNT(wrong));
	tcase_add_test(message, short_ones_are_filled_up);
	return unit_main("message", message, NULL);
}
