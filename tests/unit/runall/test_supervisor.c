/* SPDX-License-Identifier: MIT */
/* Waiting for programs: shell scripts that write, or do not write, where they listen. */
#include "runall/supervisor.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static struct supervisor watch;
static struct error error;

/* The script gets the number of its pipe as $1. */
static void start(size_t i, const char *script)
{
	struct argument_list list = {0};
	argument_add(&list, "sh", NULL);
	argument_add(&list, "-c", script);
	ck_assert_msg(supervisor_start(&watch, i, "/bin/sh", &list, "-ready", &error) == 0, "%s",
		      error.message);
}

static void set_up(void)
{
	ck_assert_msg(supervisor_open(&watch, 1, 2, &error) == 0, "%s", error.message);
}

static void tear_down(void)
{
	for (size_t i = 0; i < watch.count; i++) {
		process_signal(&watch.children[i], SIGKILL);
		ck_assert(supervisor_until(&watch, supervisor_over, i,
					   clock_after(30 * CLOCK_SECOND)));
	}
	supervisor_close(&watch);
}

static const struct {
	const char *script, *host;
	int port;
	const char *message;
} servers[] = {
	{"echo ::1 2005 >&$1; read x", "::1", 2005, NULL},
	{"printf 127.0. >&$1; echo 0.1 65535 >&$1; read x", "127.0.0.1", 65535, NULL},
	{"echo localhost >&$1; read x", NULL, 0, "cannot read the address that save listens on"},
	{"echo a 65536 >&$1; read x", NULL, 0, "cannot read the address that save listens on"},
	{"echo a 0 >&$1; read x", NULL, 0, "cannot read the address that save listens on"},
	{"echo a 1x >&$1; read x", NULL, 0, "cannot read the address that save listens on"},
	{"printf 'a 1' >&$1; exit 7", NULL, 0, "save ended with status 7 before it listened"},
	{"kill -KILL $$", NULL, 0, "save was killed by signal 9 (Killed) before it listened"},
};

START_TEST(a_server_tells_where_it_listens)
{
	struct server_address address;
	start(0, servers[_i].script);
	int result = supervisor_wait_ready(&watch, 0, "save", &address, &error);
	ck_assert_int_eq(result, servers[_i].message ? -1 : 0);
	if (servers[_i].message) {
		ck_assert_str_eq(error.message, servers[_i].message);
		return;
	}
	ck_assert_str_eq(address.host, servers[_i].host);
	ck_assert_int_eq(address.port, servers[_i].port);
}
END_TEST

START_TEST(a_server_that_does_not_listen_is_told)
{
	struct server_address address;
	watch.ready = 20 * CLOCK_MILLISECOND;
	start(0, "exec sleep 60");
	ck_assert_int_eq(supervisor_wait_ready(&watch, 0, "server", &address, &error), -1);
	ck_assert_str_eq(error.message, "server does not listen after 20 ms");
}
END_TEST

START_TEST(an_interrupt_ends_the_wait)
{
	struct server_address address;
	start(0, "exec sleep 60");
	ck_assert_int_eq(kill(getpid(), SIGINT), 0);
	ck_assert_int_eq(supervisor_wait_ready(&watch, 0, "server", &address, &error), -1);
	ck_assert_str_eq(error.message, "interrupted");
}
END_TEST

START_TEST(what_clients_write_is_read_to_the_end)
{
	start(1, "echo one >&$1");
	start(2, "head -c 200000 /dev/zero >&$1; exit 3");
	ck_assert(supervisor_until(&watch, supervisor_clients_over, 0,
				   clock_after(30 * CLOCK_SECOND)));
	ck_assert_uint_eq(watch.outputs[1].length, 4);
	ck_assert_int_eq(memcmp(watch.outputs[1].bytes, "one\n", 4), 0);
	ck_assert_uint_eq(watch.outputs[2].length, 200000);
	ck_assert(process_succeeded(&watch.children[1]));
	ck_assert(!process_succeeded(&watch.children[2]));
}
END_TEST

START_TEST(a_client_is_told_a_line)
{
	start(1, "read -r line <&$1; echo \"got $line\" >&$1");
	ck_assert(supervisor_tell(&watch, 1, slice_of("it\n")));
	ck_assert(supervisor_until(&watch, supervisor_clients_over, 0,
				   clock_after(30 * CLOCK_SECOND)));
	ck_assert_uint_eq(watch.outputs[1].length, 7);
	ck_assert_int_eq(memcmp(watch.outputs[1].bytes, "got it\n", 7), 0);
	ck_assert(!supervisor_tell(&watch, 1, slice_of("more\n"))); /* it has ended */
}
END_TEST

START_TEST(arguments_that_do_not_fit_are_left_out)
{
	struct argument_list list = {0};
	argument_add(&list, "-flag", NULL);
	argument_format(&list, "-port", "%d", 2005);
	argument_format(&list, "-long", "%0*d", ARGUMENTS_SIZE, 0);
	argument_format(&list, "-next", "%s:%d", "a", 1);
	ck_assert_uint_eq(list.count, 5);
	ck_assert_str_eq(list.words[2], "2005");
	ck_assert_str_eq(list.words[4], "a:1");
	while (list.count < ARGUMENTS_MAX - 1)
		argument_add(&list, "-flag", NULL);
	argument_add(&list, "-flag", NULL);
	ck_assert_ptr_null(list.words[ARGUMENTS_MAX - 1]);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("supervisor");
	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_loop_test(cases, a_server_tells_where_it_listens, 0,
			    sizeof servers / sizeof *servers);
	tcase_add_test(cases, a_server_that_does_not_listen_is_told);
	tcase_add_test(cases, an_interrupt_ends_the_wait);
	tcase_add_test(cases, what_clients_write_is_read_to_the_end);
	tcase_add_test(cases, a_client_is_told_a_line);
	tcase_add_test(cases, arguments_that_do_not_fit_are_left_out);
	return unit_main("runall_supervisor", cases, NULL);
}
