/* SPDX-License-Identifier: MIT */
#include "client/pattern.h"

#include <string.h>

#include "unit.h"

static struct error error;

static const struct {
	const char *pattern, *line;
	bool fits;
} lines[] = {
	{"+PONG", "+PONG", true},
	{"+PONG", "+PONGS", false},
	{"+PONG", "+PON", false},
	{"a.c", "abc", false},
	{"/a.c/", "abc", true},
	{"/a.c/", "xabcx", true},
	{"/^a.c$/", "xabcx", false},
	{"/^\\+PONG$/", "+PONG", true},
	{"/^(OK|END) [0-9]+$/", "END 12", true},
	{"/^(OK|END) [0-9]+$/", "END x", false},
	{"/^$/", "", true},
	{"/^$/", "x", false},
	{"/^/a/b$/", "/a/b", true},
	{"/x/", "", false},
	{"end/", "end/", true},
};

START_TEST(a_line_fits_or_not)
{
	struct pattern *pattern = pattern_make("-answer", lines[_i].pattern, &error);
	ck_assert_ptr_nonnull(pattern);
	/* twice: one that fits is remembered */
	for (int i = 0; i < 2; i++) {
		ck_assert(pattern_fits(pattern, slice_of(lines[_i].line)) == lines[_i].fits);
		ck_assert(!pattern_fits(pattern, slice_of("\x01")));
	}
	pattern_free(pattern);
}
END_TEST

START_TEST(a_line_need_not_end_in_a_nul)
{
	struct pattern *pattern = pattern_make("-answer", "/^ab$/", &error);
	ck_assert(pattern_fits(pattern, (struct slice){"abc", 2}));
	ck_assert(!pattern_fits(pattern, (struct slice){"abc", 3}));
	ck_assert(!pattern_fits(pattern, (struct slice){"ab\0c", 4}));
	pattern_free(pattern);
}
END_TEST

START_TEST(a_long_line_is_not_remembered)
{
	static char line[1000];
	memset(line, 'x', sizeof line);
	struct pattern *pattern = pattern_make("-answer", "/^x*$/", &error);
	for (size_t length = sizeof line; length > 0; length--)
		ck_assert(pattern_fits(pattern, (struct slice){line, length}));
	line[999] = 'y';
	ck_assert(!pattern_fits(pattern, (struct slice){line, sizeof line}));
	pattern_free(pattern);
}
END_TEST

static const char *const wrong[][2] = {
	{"/", "-x: '/' begins with a slash and is no /EXPRESSION/ between two"},
	{"//", "-x: '//' begins with a slash and is no /EXPRESSION/ between two"},
	{"/a", "-x: '/a' begins with a slash and is no /EXPRESSION/ between two"},
	{"/(/", "-x: '/(/' is no regular expression: "},
};

START_TEST(what_is_no_pattern_is_named)
{
	ck_assert_ptr_null(pattern_make("-x", wrong[_i][0], &error));
	ck_assert_msg(!strncmp(error.message, wrong[_i][1], strlen(wrong[_i][1])), "%s",
		      error.message);
}
END_TEST

/* regcomp() would overrun the stack. */
START_TEST(groups_are_limited)
{
	static char text[120000 + 3];
	memset(text + 1, '(', 60000);
	memset(text + 60001, ')', 60000);
	*text = text[120001] = '/';
	ck_assert_ptr_null(pattern_make("-x", text, &error));
	ck_assert_ptr_nonnull(strstr(error.message, " has more than 100 parentheses"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *pattern = tcase_create("pattern");
	tcase_add_loop_test(pattern, a_line_fits_or_not, 0, COUNT(lines));
	tcase_add_test(pattern, a_line_need_not_end_in_a_nul);
	tcase_add_test(pattern, a_long_line_is_not_remembered);
	tcase_add_loop_test(pattern, what_is_no_pattern_is_named, 0, COUNT(wrong));
	tcase_add_test(pattern, groups_are_limited);
	return unit_main("pattern", pattern, NULL);
}
