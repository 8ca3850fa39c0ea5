/* SPDX-License-Identifier: MIT */
/* What runall believes of the result that a client reports. */
#include "measure/client_result.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "measure/client_result_writer.h"
#include "unit.h"

static const char whole[] = "plan 2 10 3 shared\n"
			    "connection 0 127.0.0.1:4000\n"
			    "connection 0 [::1]:4001 18\n"
			    "thread 0 10 9 2\n"
			    "thread 1 9 9 1\n"
			    "end\n";

static int read_text(struct client_result *account, const char *text, struct error *error)
{
	*account = (struct client_result){0};
	return client_result_read(account, text, strlen(text), error);
}

START_TEST(whole_account_is_read)
{
	struct client_result account;
	struct error error;
	ck_assert_int_eq(read_text(&account, whole, &error), 0);
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
	ck_assert_int_eq(account.planned, 20);
	ck_assert_int_eq(account.total.sent, 19);
	ck_assert_int_eq(account.total.acknowledged, 18);
	ck_assert_int_eq(account.total.resent, 3);
	client_result_free(&account);
	client_result_free(&account); /* of an empty one: nothing */
}
END_TEST

START_TEST(each_thread_may_have_connections)
{
	struct client_result account;
	struct error error;
	ck_assert_int_eq(read_text(&account,
				   "plan 2 1 1 each\nconnection 1 a:1\nconnection 0 a:2\n"
				   "connection 1 a:3\nconnection 0 a:4\nconnection 1 a:5\n"
				   "thread 1 1 1 0\nthread 0 1 1 0\nend\n",
				   &error),
			 0);
	ck_assert(account.complete && account.each);
	ck_assert_uint_eq(account.connection_count, 5);
	ck_assert_int_eq(account.connections[4].thread, 1);
	client_result_free(&account);
}
END_TEST

START_TEST(what_was_sent_can_be_the_plan)
{
	struct client_result account;
	struct error error;
	ck_assert_int_eq(read_text(&account,
				   "plan 2 9 1 each free open\nthread 0 9 9 0\n"
				   "thread 1 4 4 0\nend\n",
				   &error),
			 0);
	ck_assert(account.complete && account.free && account.open);
	ck_assert_int_eq(account.planned, 13);
	client_result_free(&account);
	ck_assert_int_eq(
		read_text(&account, "plan 1 9 1 shared open\nthread 0 3 2 0\nend\n", &error), 0);
	ck_assert(account.complete && !account.free && account.open);
	ck_assert_int_eq(account.planned, 3);
	client_result_free(&account);
}
END_TEST

/* A client can be killed at any byte: that is no damage, but nothing is proved by it. */
START_TEST(cut_account_is_incomplete)
{
	for (size_t length = 0; length < strlen(whole); length++) {
		struct client_result account = {0};
		struct error error;
		ck_assert_int_eq(client_result_read(&account, whole, length, &error), 0);
		ck_assert(!account.complete);
		client_result_free(&account);
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
	"expected met\n",
	"expected perhaps 5\n",
	"expected met -5\n",
	"expected met 5x\n",
	"expected met inf\n",
	"plan 2 10 1 shared\nconnection 1 a:1\n",
	"plan 2 10 1 shared\nconnection 0 \n",
	"plan 2 10 1 shared\nconnection 0 a:1 -1\n",
	"plan 2 10 1 shared\nconnection 0 a:1 5 5\n",
	"plan 2 10 1 each\nconnection 2 a:1\n",
	"plan 2 10 1 shared\nconnection 0 "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	"plan 2 10 1 shared\nthread 2 1 1 0\n",
	"plan 2 10 1 shared\nthread 0 11 1 0\n",
	"plan 2 10 1 shared\nthread 0 5 6 0\n",
	"plan 2 10 1 shared\nthread 0 5 5 -1\n",
	"plan 2 10 1 shared\nthread 0 5 5\n",
	"plan 2 10 1 shared\nthread 0 5 5 0\nthread 0 5 5 0\n",
	"plan 2 10 1 shared\nthread 0 5 5 0\nend\n",
	"plan 1 1 1 shared\nthread 0 1 1 0\nend\nend\n",
	"plan 1 1 1 shared\nthread 0 1 1 0\nend now\n",
	"measured 1 2 sorted 0\n",
	"measured 1 strict\n",
	"measured 1 2 3 strict\n",
	"measured 1 2 strict\n",
	"histogram latency 1 2\n",
	"histogram other 1 2 3\n",
	"histogram latency 1 2 3 4\n",
	"bucket latency 99999 1\n",
	"bucket latency 1\n",
	"bucket latency 1 -1\n",
	"bucket latency 1 2 more\n",
	"bucket averyveryverylongname 1 2\n",
	"plan "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
};

START_TEST(damaged_account_is_refused)
{
	struct client_result account;
	struct error error = {""};
	ck_assert_int_eq(read_text(&account, damaged[_i], &error), -1);
	ck_assert(!account.complete);
	ck_assert_ptr_nonnull(strstr(error.message, "damaged client result at '"));
	client_result_free(&account);
}
END_TEST

START_TEST(damage_is_shown_escaped)
{
	struct client_result account;
	struct error error = {""};
	ck_assert_int_eq(read_text(&account, "no\x1b[31m\n", &error), -1);
	ck_assert_str_eq(error.message, "damaged client result at 'no\\x1b[31m'");
	client_result_free(&account);
}
END_TEST

/* Reads what a client with one thread writes that has measured this. */
static void add_measured(struct result *sum, const struct result *measured)
{
	enum { TEXT = 65536 };
	static char text[TEXT];
	const struct assertion_outcome outcomes[] = {{true, true, 999.7}, {false, false, 0}};
	const struct counters counters = {.sent = 10, .acknowledged = 9, .resent = 1};
	struct client_result_writer writer = {.plan = {1, 10, 1, false, false},
					      .counters = &counters};
	struct client_result result = {.measured = sum};
	struct error error;
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	client_result_writer_connection(&writer, 0, "127.0.0.1:4000");
	ck_assert(client_result_writer_write(&writer, ends[1], measured, outcomes, 2, &error));
	ssize_t length = read(ends[0], text, TEXT);
	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(client_result_read(&result, text, (size_t)length, &error), 0);
	ck_assert(result.complete);
	ck_assert_int_eq(result.total.acknowledged, 9);
	ck_assert_int_eq(result.connections[0].answered, 9);
	ck_assert_uint_eq(result.outcome_count, 2);
	ck_assert(result.outcomes[0].met && result.outcomes[0].measured);
	ck_assert_double_eq(result.outcomes[0].value, 999.7);
	ck_assert(!result.outcomes[1].met && !result.outcomes[1].measured);
	(void)close(ends[0]);
	client_result_free(&result);
	buffer_free(&writer.connections);
}

/* Two results, added up, are what one client would have measured. */
START_TEST(measurements_add_up)
{
	struct histogram *histograms = calloc(5, sizeof *histograms);
	ck_assert_ptr_nonnull(histograms);
	struct histogram *latency = &histograms[2], *raw = &histograms[3], *other = &histograms[4];
	struct result sum = {
		.strict = true, .latency = &histograms[0], .uncorrected = &histograms[1]};
	for (int64_t i = 1; i <= 10; i++)
		histogram_record(latency, i * CLOCK_MILLISECOND, 1);
	add_measured(
		&sum,
		&(struct result){.elapsed = 4 * CLOCK_SECOND, .strict = true, .latency = latency});
	ck_assert_uint_eq(sum.uncorrected->count, 0);
	ck_assert(sum.strict);
	histogram_record(other, 7, 1);
	histogram_record(other, CLOCK_SECOND, 1);
	histogram_record(raw, 3, 1);
	add_measured(&sum, &(struct result){.elapsed = 9 * CLOCK_SECOND,
					    .warmup = CLOCK_SECOND,
					    .unsent = 5,
					    .latency = other,
					    .uncorrected = raw});
	histogram_merge(latency, other);
	ck_assert_uint_eq(sum.unsent, 5);
	ck_assert_mem_eq(sum.latency, latency, sizeof *latency);
	ck_assert_mem_eq(sum.uncorrected, raw, sizeof *raw);
	ck_assert_int_eq(sum.elapsed, 9 * CLOCK_SECOND);
	ck_assert_int_eq(sum.warmup, CLOCK_SECOND);
	ck_assert(!sum.strict);
	free(histograms);
}
END_TEST

START_TEST(nul_is_refused)
{
	static const char text[] = "plan 1 1 1 shared\nthread 0 1\0 1 0\nend\n";
	struct client_result account = {0};
	struct error error;
	ck_assert_int_eq(client_result_read(&account, text, sizeof text - 1, &error), -1);
	client_result_free(&account);
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
	tcase_add_test(account, damage_is_shown_escaped);
	tcase_add_test(account, measurements_add_up);
	tcase_add_test(account, nul_is_refused);
	return unit_main("account", account, NULL);
}
