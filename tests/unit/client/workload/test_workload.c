/* SPDX-License-Identifier: MIT */
/* What clients say, and how a client's options follow from its role. */
#include "client/workload/workload.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "client/line_template.h"
#include "client/options.h"
#include "service/table.h"
#include "unit.h"

enum { OK, ECHO, PING, CHARS, RELAY };

static struct error error;
static struct client_options options;

static void setup(void)
{
	client_options_init(&options);
}

START_TEST(each_role_has_its_service)
{
	size_t i = 0;
	for (; workloads[i].name; i++) {
		ck_assert_str_eq(workloads[i].name, services[i]->name);
		ck_assert_str_eq(workloads[i].name, workload_names[i]);
		bool turns = workloads[i].message != NULL;
		ck_assert_int_ge(workloads[i].clients, 1);
		ck_assert_int_ge(workloads[i].threads, turns);
		ck_assert_int_ge(workloads[i].iterations, turns);
		ck_assert_int_ge(workloads[i].timeout, CLOCK_MILLISECOND);
		ck_assert(workloads[i].delay.min >= 0 &&
			  workloads[i].delay.min <= workloads[i].delay.max);
	}
	ck_assert_ptr_null(workload_names[i]);
	ck_assert_str_eq(workload_names[OK], "ok");
	ck_assert_str_eq(workload_names[ECHO], "echo");
	ck_assert_str_eq(workload_names[PING], "ping");
	ck_assert_str_eq(workload_names[RELAY], "relay");
	ck_assert_str_eq(workload_names[CHARS], "chars");
}
END_TEST

static void assert_says(int workload, uint64_t client, uint64_t thread, uint64_t iteration,
			const char *expected)
{
	const struct line_template_values values = {
		.thread = thread, .iteration = iteration, .client = client};
	struct buffer line = {0};
	ck_assert_int_eq(line_template_check("message", LINE_TEMPLATE_LETTERS,
					     workloads[workload].message, &error),
			 0);
	ck_assert(line_template_compose(&line, workloads[workload].message, &values));
	ck_assert_uint_eq(line.length, strlen(expected));
	ck_assert_mem_eq(line.bytes, expected, line.length);
	buffer_free(&line);
}

START_TEST(lines_are_exact)
{
	assert_says(OK, 1, 0, 1, "Thread 0, iteration 1");
	assert_says(OK, 7, 4, 10, "Thread 4, iteration 10");
	assert_says(ECHO, 1, 0, 1, "Hello from client 1, message 1");
	assert_says(ECHO, 10, 3, 5, "Hello from client 10, message 5");
	assert_says(RELAY, 1, 0, 1, "Request 1 of client 1");
	assert_says(RELAY, 10, 0, 7, "Request 7 of client 10");
	assert_says(RELAY, INT64_MAX, 0, INT64_MAX,
		    "Request 9223372036854775807 of client 9223372036854775807");
	assert_says(OK, 1, SIZE_MAX, INT64_MAX,
		    "Thread 18446744073709551615, iteration 9223372036854775807");
	assert_says(ECHO, INT64_MAX, 0, INT64_MAX,
		    "Hello from client 9223372036854775807, message 9223372036854775807");
}
END_TEST

START_TEST(what_was_not_given_is_as_usual)
{
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.threads, 5);
	ck_assert_int_eq(options.iterations, 10);
	ck_assert_int_eq(options.number, 1);
	ck_assert_int_eq(options.connect, CONNECT_SHARED);
	ck_assert_int_eq(options.window, 1);
	ck_assert_int_eq(options.timeout, 5 * CLOCK_SECOND);
	ck_assert_int_eq(options.retry, 0);
	ck_assert(options.delay.min == 0 && options.delay.max == 0);
	client_options_init(&options);
	options.service = ECHO;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.threads, 1);
	ck_assert_int_eq(options.iterations, 5);
	ck_assert_int_eq(options.number, 1);
	ck_assert_int_eq(options.delay.min, 5 * CLOCK_SECOND);
	ck_assert_int_eq(options.delay.max, 10 * CLOCK_SECOND);
	ck_assert_int_eq(workloads[ECHO].clients, 10);
	client_options_init(&options);
	options.service = PING;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.timeout, 2 * CLOCK_SECOND);
	ck_assert_int_eq(options.duration, 300 * CLOCK_SECOND);
	ck_assert_int_eq(options.delay.min, 300 * CLOCK_MILLISECOND);
	ck_assert_int_eq(options.delay.max, 3 * CLOCK_SECOND);
	ck_assert_int_eq(workloads[PING].clients, 2);
	client_options_init(&options);
	options.service = RELAY;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.threads, 1);
	ck_assert_int_eq(options.iterations, 1);
	ck_assert(options.delay.min == 0 && options.delay.max == 0);
	ck_assert(workloads[RELAY].clients == 10 && workloads[RELAY].chain);
	client_options_init(&options);
	options.service = CHARS;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.duration, 0); /* until its user leaves */
	ck_assert_int_eq(options.delay.min, 100 * CLOCK_MILLISECOND);
	ck_assert_int_eq(options.delay.max, CLOCK_SECOND);
	ck_assert_int_eq(workloads[CHARS].clients, 3);
}
END_TEST

START_TEST(what_was_given_stays)
{
	options.service = ECHO;
	options.threads = 1;
	options.iterations = 7;
	options.number = 3;
	options.delay = (struct range){0, 0};
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_int_eq(options.threads, 1);
	ck_assert_int_eq(options.iterations, 7);
	ck_assert_int_eq(options.number, 3);
	ck_assert(options.delay.min == 0 && options.delay.max == 0);
}
END_TEST

START_TEST(lines_of_several_threads_name_them)
{
	options.service = ECHO;
	options.threads = 3;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_str_eq(options.message, "Hello from client %c, thread %t, message %i");
	client_options_init(&options);
	options.service = ECHO;
	ck_assert_int_eq(client_options_complete(&options, &error), 0);
	ck_assert_str_eq(options.message, "Hello from client %c, message %i");
	for (size_t i = 0; workloads[i].name; i++)
		ck_assert(!workloads[i].message || workloads[i].chain || workloads[i].messages);
}
END_TEST

START_TEST(what_is_of_no_use_is_named)
{
	options.duration = CLOCK_SECOND;
	options.iterations = 5;
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-ni: not with -duration");
	client_options_init(&options);
	options.log = "x";
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-log: only with -service ping");
	client_options_init(&options);
	options.service = PING;
	options.window = 1; /* also what would be usual elsewhere */
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-window: only with -service ok or echo or relay or once");
	client_options_init(&options);
	options.service = RELAY;
	options.threads = 2;
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-nt: not with -service relay, which has one thread");
	client_options_init(&options);
	options.service = RELAY;
	options.delay = (struct range){0, 1}; /* work takes its time at the server */
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message,
			 "-delay: only with -service ok or echo or ping or chars or once");
	client_options_init(&options);
	options.service = CHARS;
	options.retry = 0; /* given, if only what it would be */
	ck_assert_int_eq(client_options_complete(&options, &error), -1);
	ck_assert_str_eq(error.message, "-retry: only with -service ok or echo or relay or once");
}
END_TEST

int main(void)
{
	TCase *table = tcase_create("roles");
	tcase_add_test(table, each_role_has_its_service);
	tcase_add_test(table, lines_are_exact);
	TCase *given = tcase_create("options");
	tcase_add_checked_fixture(given, setup, NULL);
	tcase_add_test(given, what_was_not_given_is_as_usual);
	tcase_add_test(given, what_was_given_stays);
	tcase_add_test(given, lines_of_several_threads_name_them);
	tcase_add_test(given, what_is_of_no_use_is_named);
	return unit_main("role", table, given, NULL);
}
