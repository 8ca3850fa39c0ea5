/* SPDX-License-Identifier: MIT */
#include "service/charset.h"

#include <string.h>

#include "unit.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static struct charset alphabet;
static struct error error;

static const struct {
	const char *words, *characters;
} good[] = {
	{CHARSET_DEFAULT, LOWER UPPER},
	{"a-z0-9", LOWER DIGITS},
	{"x", "x"},
	{"abcba", "abc"}, /* each once, or it would come more often */
	{"a-cb-d", "abcd"},
	{"q-q", "q"},
	{"-", "-"},
	{"--", "-"},
	{"-a", "-a"},
	{"a-", "a-"},
	{"-a-c-", "-abc"},
	{"a-ce-g", "abcefg"},
	{"!-/", "!\"#$%&'()*+,-./"},
	{" ", " "},
	{"\\x", "\\x"},
};

START_TEST(good_ones_are_read)
{
	ck_assert_msg(charset_read(&alphabet, good[_i].words, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(alphabet.count, strlen(good[_i].characters));
	ck_assert_mem_eq(alphabet.characters, good[_i].characters, alphabet.count);
}
END_TEST

START_TEST(all_that_is_printable_has_room)
{
	ck_assert_int_eq(charset_read(&alphabet, " -~", &error), 0);
	ck_assert_uint_eq(alphabet.count, 95);
	ck_assert_int_eq(charset_read(&alphabet, " -~ -~a-z", &error), 0);
	ck_assert_uint_eq(alphabet.count, 95);
}
END_TEST

static const struct {
	const char *words, *why;
} bad[] = {
	{"", "-alphabet: '' names no character"},
	{"z-a", "-alphabet: 'z-a' has the range 'z-a', which runs backwards"},
	{"a-z9-0", "-alphabet: 'a-z9-0' has the range '9-0', which runs backwards"},
	{"a-c-e", "-alphabet: 'a-c-e' has a '-' that is neither in a range nor at one of its ends"},
	{"--a", "-alphabet: '--a' has a '-' that is neither in a range nor at one of its ends"},
	{"a--", "-alphabet: 'a--' has a range that ends in '-'"},
	{"a\tb", "-alphabet: 'a\tb' has a character that is not printable ASCII"},
	{"a\x7f", "-alphabet: 'a\x7f' has a character that is not printable ASCII"},
	{"gr\xc3\xbcn", "-alphabet: 'gr\xc3\xbcn' has a character that is not printable ASCII"},
};

START_TEST(bad_ones_are_refused)
{
	ck_assert_int_eq(charset_read(&alphabet, bad[_i].words, &error), -1);
	ck_assert_str_eq(error.message, bad[_i].why);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *cases = tcase_create("alphabet");
	tcase_add_loop_test(cases, good_ones_are_read, 0, COUNT(good));
	tcase_add_test(cases, all_that_is_printable_has_room);
	tcase_add_loop_test(cases, bad_ones_are_refused, 0, COUNT(bad));
	return unit_main("alphabet", cases, NULL);
}
