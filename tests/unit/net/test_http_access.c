/* SPDX-License-Identifier: MIT */
#include "net/http_access.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static const struct access local = {.host = "127.0.0.1"}, named = {.host = "box.example"},
			   exposed = {.host = "0.0.0.0", .exposed = true};

START_TEST(an_address_is_a_host_of_ours)
{
	static const char *const good[] = {"127.0.0.1",	 "127.0.0.1:8080", "[::1]:80",
					   "[::1]",	 "localhost:9100", "LocalHost",
					   "192.0.2.1:1"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(access_host(&local, good[i]), "%s", good[i]);
}
END_TEST

START_TEST(another_name_is_not)
{
	static const char *const bad[] = {
		"evil.example",
		"evil.example:80",
		"127.0.0.1.evil.org",
		"localhost.evil.org",
		"",
		"1",
		"box.example",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!access_host(&local, bad[i]), "%s", bad[i]);
	ck_assert(!access_host(&local, NULL));
	ck_assert(access_host(&named, "box.example:80"));
	ck_assert(!access_host(&named, "other.example:80"));
	ck_assert(access_host(&exposed, "other.example:80"));
	ck_assert(!access_host(&exposed, NULL));
}
END_TEST

START_TEST(a_change_comes_from_our_own_page)
{
	ck_assert(access_origin("http://127.0.0.1:80", "127.0.0.1:80"));
	ck_assert(access_origin("https://box.example", "box.example"));
	ck_assert(!access_origin("http://127.0.0.1:81", "127.0.0.1:80"));
	ck_assert(!access_origin("http://evil.example", "127.0.0.1:80"));
	ck_assert(!access_origin("http://127.0.0.1:80.evil.example", "127.0.0.1:80"));
	ck_assert(!access_origin("null", "null"));
	ck_assert(!access_origin("", ""));
	ck_assert(!access_origin(NULL, "127.0.0.1:80"));
	ck_assert(!access_origin("http://127.0.0.1:80", NULL));
}
END_TEST

START_TEST(a_browser_tells_of_another_site)
{
	static const char host[] = "127.0.0.1:80", ours[] = "http://127.0.0.1:80",
			  link[] = "http://127.0.0.1:80/?a=b", evil[] = "http://evil.example";
	ck_assert(!access_is_foreign(NULL, NULL, NULL, host));
	ck_assert(!access_is_foreign(ours, "same-origin", link, host));
	ck_assert(!access_is_foreign(NULL, "none", NULL, host)); /* typed in */
	ck_assert(!access_is_foreign(NULL, NULL, ours, host));
	ck_assert(access_is_foreign(evil, NULL, NULL, host));
	ck_assert(access_is_foreign("null", NULL, NULL, host));
	ck_assert(access_is_foreign("", NULL, NULL, host));
	ck_assert(access_is_foreign(NULL, "cross-site", NULL, host));
	ck_assert(access_is_foreign(NULL, "same-site", NULL, host)); /* another port */
	ck_assert(access_is_foreign(NULL, "", NULL, host));
	ck_assert(access_is_foreign(NULL, NULL, evil, host));
	ck_assert(access_is_foreign(NULL, NULL, "http://127.0.0.1:80.evil.example/", host));
	ck_assert(access_is_foreign(NULL, NULL, "http://127.0.0.1:8/", host));
	ck_assert(access_is_foreign(NULL, NULL, "", host));
	ck_assert(access_is_foreign(ours, NULL, NULL, NULL));
	ck_assert(access_is_foreign(NULL, NULL, ours, NULL));
}
END_TEST

START_TEST(a_token_is_presented_in_two_ways)
{
	const struct access access = {.token = "secret-secret-secret"};
	ck_assert(access_token(&access, "Bearer secret-secret-secret"));
	ck_assert(access_token(&access, "bearer secret-secret-secret"));
	/* any:secret-secret-secret */
	ck_assert(access_token(&access, "Basic YW55OnNlY3JldC1zZWNyZXQtc2VjcmV0"));
}
END_TEST

START_TEST(all_else_is_no_token)
{
	const struct access access = {.token = "secret-secret-secret"};
	static const char *const bad[] = {
		"",
		"secret-secret-secret",
		"Bearer ",
		"Bearer secret-secret-secre",
		"Bearer secret-secret-secret ",
		"Bearer secret-secret-secreT",
		"Basic c2VjcmV0LXNlY3JldC1zZWNyZXQ=", /* no colon */
		"Basic YW55OnNlY3JldA==",
		"Basic *",
		"Basic ",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!access_token(&access, bad[i]), "%s", bad[i]);
	ck_assert(!access_token(&access, NULL));
	ck_assert(access_token(&local, NULL));
	char long_one[2000] = "Basic ";
	memset(long_one + 6, 'A', sizeof long_one - 7);
	ck_assert(!access_token(&access, long_one));
}
END_TEST

static int open_with(const char *token, struct access *access, struct error *error)
{
	int listener = access_open(access, "127.0.0.1:0", token, -1, error);
	if (listener < 0)
		return -1;
	(void)close(listener);
	return 0;
}

static int read_token(const char *content, struct access *access, struct error *error)
{
	FILE *file = fopen("token", "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return open_with("token", access, error);
}

START_TEST(a_token_is_the_first_line_of_a_file)
{
	struct access access = {0};
	struct error error;
	ck_assert_int_eq(read_token("0123456789abcdef\nmore\n", &access, &error), 0);
	ck_assert_str_eq(access.token, "0123456789abcdef");
	ck_assert_int_eq(read_token("0123456789abcdef", &access, &error), 0);
	ck_assert_int_eq(read_token("0123456789abcdef\r\n", &access, &error), 0);
	ck_assert_str_eq(access.token, "0123456789abcdef");
}
END_TEST

START_TEST(a_file_without_a_token_is_refused)
{
	struct access access = {0};
	struct error error;
	char too_long[300];
	memset(too_long, 'x', sizeof too_long);
	too_long[257] = '\0';
	const char *const bad[] = {"", "\n", "0123456789abcde\n", "0123456789 abcdef\n", too_long};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(read_token(bad[i], &access, &error), -1);
		ck_assert_ptr_nonnull(strstr(error.message, "-http-token"));
	}
	too_long[256] = '\0';
	ck_assert_int_eq(read_token(too_long, &access, &error), 0);
	ck_assert_int_eq(open_with("gone", &access, &error), -1);
	ck_assert_str_eq(error.message, "cannot read the token 'gone': No such file or directory");
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("access");
	tcase_add_checked_fixture(all, scratch_enter, NULL);
	tcase_add_test(all, an_address_is_a_host_of_ours);
	tcase_add_test(all, another_name_is_not);
	tcase_add_test(all, a_change_comes_from_our_own_page);
	tcase_add_test(all, a_browser_tells_of_another_site);
	tcase_add_test(all, a_token_is_presented_in_two_ways);
	tcase_add_test(all, all_else_is_no_token);
	tcase_add_test(all, a_token_is_the_first_line_of_a_file);
	tcase_add_test(all, a_file_without_a_token_is_refused);
	scratch_make();
	int status = unit_main("access", all, NULL);
	scratch_remove();
	return status;
}
