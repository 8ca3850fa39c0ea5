/* SPDX-License-Identifier: MIT */
/* What runall believes of a client's account. */
#include "measure/client_result.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static const char whole[] = "plan 2 10 3 shared\n"
			    "connection 0 127.0.0.1:4000\n"
			    "connection 0 [::1]:4001 18\n"
			    "thread 0 10 9 2\n"
			    "thread 1 9 9 1\n"
			    "end\n";

static int read_text(struct account *account, const char *text, struct failure *failure)
{
	*account = (struct account){0};
	return account_read(account, text, strlen(text), failure);
}

START_TEST(whole_account_is_read)
{
	struct account account;
	struct failure failure;
	ck_assert_int_eq(read_text(&account, whole, &failure), 0);
	ck_assert(account.complete);
	ck_assert(!account.each);
	ck_assert_int_eq(account.threads, 2);
	ck_assert_int_eq(account.iterations, 10);
	ck_assert_int_eq(account.window, 3);
	ck_assert_uint_eq(account.connection_count, 2);
	ck_assert_str_eq(account.connections[0].name, "127.0.0.1:4000");
	ck_assert_int_eq(account.connections[0].answered, -1);
	ck_assert_str_eq(account.connections[1].name, "[::1]:4001");
	ck_assert_int_eq(account.connections[1].answered, 18);
	ck_assert_int_eq(account.per_thread[1].sent, 9);
	ck_assert_int_eq(account_planned(&account), 20);
	ck_assert_int_eq(account_sent(&account), 19);
	ck_assert_int_eq(account_acknowledged(&account), 18);
	ck_assert_int_eq(account_resent(&account), 3);
	account_free(&account);
	account_free(&account); /* of an empty one: nothing */
}
END_TEST

START_TEST(each_thread_may_have_connections)
{
	struct account account;
	struct failure failure;
	ck_assert_int_eq(read_text(&account,
				   "plan 2 1 1 each\nconnection 1 a:1\nconnection 0 a:2\n"
				   "connection 1 a:3\nconnection 0 a:4\nconnection 1 a:5\n"
				   "thread 1 1 1 0\nthread 0 1 1 0\nend\n",
				   &failure),
			 0);
	ck_assert(account.complete && account.each);
	ck_assert_uint_eq(account.connection_count, 5);
	ck_assert_int_eq(account.connections[4].thread, 1);
	account_free(&account);
}
END_TEST

START_TEST(what_was_sent_can_be_the_plan)
{
	struct account account;
	struct failure failure;
	ck_assert_int_eq(read_text(&account,
				   "plan 2 9 1 each free open\nthread 0 9 9 0\n"
				   "thread 1 4 4 0\nend\n",
				   &failure),
			 0);
	ck_assert(account.complete && account.free && account.open);
	ck_assert_int_eq(account_planned(&account), 13);
	account_free(&account);
	ck_assert_int_eq(
		read_text(&account, "plan 1 9 1 shared open\nthread 0 3 2 0\nend\n", &failure), 0);
	ck_assert(account.complete && !account.free && account.open);
	ck_assert_int_eq(account_planned(&account), 3);
	account_free(&account);
}
END_TEST

/* A client can be killed at any byte: that is no damage, but nothing is proved by it. */
START_TEST(cut_account_is_incomplete)
{
	for (size_t length = 0; length < strlen(whole); length++) {
		struct account account = {0};
		struct failure failure;
		ck_assert_int_eq(account_read(&account, whole, length, &failure), 0);
		ck_assert(!account.complete);
		account_free(&account);
	}
}
END_TEST

static const char *const damaged[] = {
	"plan 0 10 1 shared\n",
	"plan 2 10 1\n",
	"plan 2 10 1 both\n",
	"plan 2 10 1 shared more\n",
	"plan 2 10 1 shared free\n",
	"plan 2 10 1 each open free\n",
	"plan 2 10 1 each free open more\n",
	"plan 2  10 1 shared\n",
	"plan 9999999999 10 1 shared\n",
	"plan -1 10 1 shared\n",
	"plan 2 10 1 shared\nplan 2 10 1 shared\n",
	"connection 0 a:1\n",
	"thread 0 1 1 0\n",
	"end\n",
	"\n",
	"nonsense\n",
	"plan 2 10 1 shared\nconnection 1 a:1\n",
	"plan 2 10 1 shared\nconnection 0 \n",
	"plan 2 10 1 shared\nconnection 0 a:1 -1\n",
	"plan 2 10 1 shared\nconnection 0 a:1 5 5\n",
	"plan 2 10 1 each\nconnection 2 a:1\n",
	"plan 2 10 1 shared\nconnection 0 "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	"plan 2 10 1 shared\nthread 2 1 1 0\n",
	"plan 2 10 1 shared\nthread 0 11 1 0\n",
	"plan 2 10 1 shared\nthread 0 5 6 0\n",
	"plan 2 10 1 shared\nthread 0 5 5 -1\n",
	"plan 2 10 1 shared\nthread 0 5 5\n",
	"plan 2 10 1 shared\nthread 0 5 5 0\nthread 0 5 5 0\n",
	"plan 2 10 1 shared\nthread 0 5 5 0\nend\n",
	"plan 1 1 1 shared\nthread 0 1 1 0\nend\nend\n",
	"plan 1 1 1 shared\nthread 0 1 1 0\nend now\n",
	"plan "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
};

START_TEST(damaged_account_is_refused)
{
	struct account account;
	struct failure failure = {""};
	ck_assert_int_eq(read_text(&account, damaged[_i], &failure), -1);
	ck_assert(!account.complete);
	ck_assert_ptr_nonnull(strstr(failure.words, "damaged account at '"));
	account_free(&account);
}
END_TEST

START_TEST(nul_is_refused)
{
	static const char text[] = "plan 1 1 1 shared\nthread 0 1\0 1 0\nend\n";
	struct account account = {0};
	struct failure failure;
	ck_assert_int_eq(account_read(&account, text, sizeof text - 1, &failure), -1);
	account_free(&account);
}
END_TEST

int main(void)
{
	TCase *account = tcase_create("account");
	tcase_add_test(account, whole_account_is_read);
	tcase_add_test(account, each_thread_may_have_connections);
	tcase_add_test(account, what_was_sent_can_be_the_plan);
	tcase_add_test(account, cut_account_is_incomplete);
	tcase_add_loop_test(account, damaged_account_is_refused, 0,
			    sizeof damaged / sizeof *damaged);
	tcase_add_test(account, nul_is_refused);
	return unit_main("account", account, NULL);
}
