/* SPDX-License-Identifier: MIT */
#include "net/hosts.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream.h"
#include "support.h"
#include "unit.h"

static struct hosts hosts;
static struct error error;

static void assert_host(size_t i, const char *name, int port, const char *written)
{
	char text[HOST_NAME_SIZE];
	ck_assert_uint_lt(i, hosts.count);
	ck_assert_str_eq(hosts.list[i].name, name);
	ck_assert_int_eq(hosts.list[i].port, port);
	host_write(&hosts.list[i], text);
	ck_assert_str_eq(text, written);
}

START_TEST(a_list_has_its_order)
{
	ck_assert_int_eq(hosts_parse(&hosts, "b,a:7,::1,[::2]:8,unix:/s", 5, &error), 0);
	ck_assert_uint_eq(hosts.count, 5);
	assert_host(0, "b", 5, "b:5");
	assert_host(1, "a", 7, "a:7");
	assert_host(2, "::1", 5, "[::1]:5");
	assert_host(3, "::2", 8, "[::2]:8");
	assert_host(4, "unix:/s", 0, "unix:/s");
	ck_assert(hosts.shares);
	ck_assert_int_eq(hosts_parse(&hosts, "a:7", 5, &error), 0);
	ck_assert(!hosts.shares);
}
END_TEST

START_TEST(each_has_a_port_where_none_is_common)
{
	ck_assert_int_eq(hosts_parse(&hosts, "a:7,[::1]:8", 0, &error), 0);
	assert_host(1, "::1", 8, "[::1]:8");
	ck_assert_int_eq(hosts_parse(&hosts, "a:7,b", 0, &error), -1);
	ck_assert_str_eq(error.message, "'b' is not HOST:PORT, [IPv6]:PORT or unix:PATH");
}
END_TEST

static const struct {
	const char *list, *error;
} wrong[] = {
	{"", "a host is missing in ''"},
	{",a", "a host is missing in ',a'"},
	{"a,", "a host is missing in 'a,'"},
	{"a,,b", "a host is missing in 'a,,b'"},
	{"a, b", "' b' is not HOST, HOST:PORT, [IPv6]:PORT or unix:PATH"},
	{"a,b,A", "A:5 stands there twice"},
	{"a,b:5,b", "b:5 stands there twice"},
	{"::1,[::1]:5", "[::1]:5 stands there twice"},
	{"unix:/a,unix:/a", "unix:/a stands there twice"},
	{"a,unix:", "'unix:' needs the path of a socket"},
	{"a:0", "'a:0' is not HOST, HOST:PORT, [IPv6]:PORT or unix:PATH"},
	{"a:65536", "'a:65536' is not HOST, HOST:PORT, [IPv6]:PORT or unix:PATH"},
	{"a:b", "'a:b' is not HOST, HOST:PORT, [IPv6]:PORT or unix:PATH"},
	{"[::1]", "'[::1]' is not HOST, HOST:PORT, [IPv6]:PORT or unix:PATH"},
	{"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "more than 16 hosts"},
};

START_TEST(what_is_wrong_is_named)
{
	ck_assert_int_eq(hosts_parse(&hosts, wrong[_i].list, 5, &error), -1);
	ck_assert_str_eq(error.message, wrong[_i].error);
}
END_TEST

START_TEST(a_host_is_bounded)
{
	char name[HOST_SIZE + 1];
	memset(name, 'a', HOST_SIZE);
	name[HOST_SIZE] = '\0';
	ck_assert_int_eq(hosts_parse(&hosts, name, 5, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "...' is too long for a host"));
	name[HOST_SIZE - 1] = '\0';
	ck_assert_int_eq(hosts_parse(&hosts, name, 5, &error), 0);
	ck_assert_str_eq(hosts.list[0].name, name);
}
END_TEST

START_TEST(a_port_that_no_host_needs_is_refused)
{
	int64_t port = -1;
	ck_assert_int_eq(hosts_check_options(&hosts, "a,b:1", &port, &error), 0);
	ck_assert_int_eq(port, SOCKET_PORT);
	ck_assert_int_eq(hosts.list[0].port, SOCKET_PORT);
	port = 9;
	ck_assert_int_eq(hosts_check_options(&hosts, "a,unix:/s", &port, &error), 0);
	ck_assert_int_eq(hosts.list[0].port, 9);
	ck_assert_int_eq(hosts_check_options(&hosts, "a:1,b:2", &port, &error), -1);
	ck_assert_str_eq(error.message, "-port: no host in -host needs it");
	ck_assert_int_eq(hosts_check_options(&hosts, "unix:/s", &port, &error), -1);
	ck_assert_str_eq(error.message, "-port: not with -host unix:PATH, which has no port");
	ck_assert_int_eq(hosts_check_options(&hosts, "a,a", &port, &error), -1);
	ck_assert_str_eq(error.message, "-host: a:9 stands there twice");
}
END_TEST

START_TEST(a_round_ends_when_all_have_failed)
{
	struct host_turn turn = {.hosts = &hosts};
	ck_assert_int_eq(hosts_parse(&hosts, "a,b,c", 5, &error), 0);
	ck_assert_str_eq(host_turn_host(&turn)->name, "a");
	ck_assert(!host_turn_fails(&turn));
	ck_assert_str_eq(host_turn_host(&turn)->name, "b");
	host_turn_works(&turn);
	ck_assert_str_eq(host_turn_host(&turn)->name, "b");
	ck_assert(!host_turn_fails(&turn));
	ck_assert(!host_turn_fails(&turn));
	ck_assert_str_eq(host_turn_host(&turn)->name, "a");
	ck_assert(host_turn_fails(&turn));
	ck_assert(!host_turn_fails(&turn));
	ck_assert_int_eq(hosts_parse(&hosts, "a", 5, &error), 0);
	turn = (struct host_turn){.hosts = &hosts};
	ck_assert(host_turn_fails(&turn));
	ck_assert(host_turn_fails(&turn));
}
END_TEST

START_TEST(a_host_is_named_where_there_are_several)
{
	char name[HOST_NAME_SIZE];
	struct host_turn turn = {.hosts = &hosts, .at = 1};
	ck_assert_int_eq(hosts_parse(&hosts, "a,::1", 5, &error), 0);
	ck_assert_str_eq(host_turn_name(&turn, name), "[::1]:5");
	ck_assert_int_eq(hosts_parse(&hosts, "a", 5, &error), 0);
	turn.at = 0;
	ck_assert_ptr_null(host_turn_name(&turn, name));
}
END_TEST

START_TEST(reasons_are_joined_once)
{
	struct error why;
	error_set(&why, "refused");
	error_prefix(&why, NULL);
	error = (struct error){""};
	error_join(&error, &why);
	error_join(&error, &why);
	ck_assert_str_eq(error.message, "refused");
	error_prefix(&why, "a:1");
	error_set(&error, "away");
	error_join(&error, &why);
	ck_assert_str_eq(error.message, "away; a:1: refused");
	error_set_lines(&error, "a: refused\n\tIs it there?\nb: no password\na: refused\n");
	ck_assert_str_eq(error.message, "a: refused; b: no password");
	error_set_lines(&error, "one");
	ck_assert_str_eq(error.message, "one");
}
END_TEST

START_TEST(the_first_that_connects_is_taken)
{
	int port, listener = tcp_listen(&port);
	struct host_turn turn = {.hosts = &hosts};
	hosts = (struct hosts){
		.count = 3, .list = {{"127.0.0.1", 1}, {"127.0.0.1", port}, {"127.0.0.1", port}}};
	struct stream *stream =
		stream_connect_any(&stream_tcp, &turn, 20 * CLOCK_SECOND, -1, &error);
	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(turn.at, 1);
	stream_close(stream, 0);
	(void)close(listener);
}
END_TEST

START_TEST(all_failures_are_told)
{
	struct host_turn turn = {.hosts = &hosts};
	hosts = (struct hosts){.count = 2, .list = {{"127.0.0.1", 1}, {"127.0.0.1", 2}}};
	ck_assert_ptr_null(stream_connect_any(&stream_tcp, &turn, 20 * CLOCK_SECOND, -1, &error));
	ck_assert_str_eq(error.message, "cannot connect to 127.0.0.1:1: Connection refused; "
					"cannot connect to 127.0.0.1:2: Connection refused");
}
END_TEST

int main(void)
{
	TCase *parsing = tcase_create("parsing");
	tcase_add_test(parsing, a_list_has_its_order);
	tcase_add_test(parsing, each_has_a_port_where_none_is_common);
	tcase_add_loop_test(parsing, what_is_wrong_is_named, 0,
			    (int)(sizeof wrong / sizeof *wrong));
	tcase_add_test(parsing, a_host_is_bounded);
	tcase_add_test(parsing, a_port_that_no_host_needs_is_refused);
	TCase *turns = tcase_create("turns");
	tcase_add_test(turns, a_round_ends_when_all_have_failed);
	tcase_add_test(turns, a_host_is_named_where_there_are_several);
	tcase_add_test(turns, reasons_are_joined_once);
	tcase_add_test(turns, the_first_that_connects_is_taken);
	tcase_add_test(turns, all_failures_are_told);
	return unit_main("hosts", parsing, turns, NULL);
}
