/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "net/listener.h"
#include "support.h"
#include "unit.h"

static void assert_name4(const char *address, int port, const char *expected)
{
	char name[SOCKET_NAME_SIZE];
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	ck_assert_int_eq(inet_pton(AF_INET, address, &four.sin_addr), 1);
	socket_name((struct sockaddr *)&four, sizeof four, name);
	ck_assert_str_eq(name, expected);
}

static void assert_name6(const char *address, int port, const char *expected)
{
	char name[SOCKET_NAME_SIZE];
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	ck_assert_int_eq(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
	socket_name((struct sockaddr *)&six, sizeof six, name);
	ck_assert_str_eq(name, expected);
}

START_TEST(addresses_as_text)
{
	assert_name4("127.0.0.1", 2005, "127.0.0.1:2005");
	assert_name4("0.0.0.0", 0, "0.0.0.0:0");
	assert_name4("255.255.255.255", 65535, "255.255.255.255:65535");
	assert_name6("::1", 2005, "[::1]:2005");
	assert_name6("::", 1, "[::]:1");
	assert_name6("2001:db8:1111:2222:3333:4444:5555:6666", 65535,
		     "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	assert_name6("::ffff:192.0.2.7", 49030, "192.0.2.7:49030");
	assert_name6("::ffff:0:0", 5, "0.0.0.0:5");
}
END_TEST

START_TEST(addresses_that_are_none)
{
	char name[SOCKET_NAME_SIZE];
	struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	socket_name(&nothing, sizeof nothing, name);
	ck_assert_str_eq(name, "unknown");
	socket_local_name(-1, name);
	ck_assert_str_eq(name, "unknown");
	memset(name, 'x', sizeof name);
	socket_peer_name(-1, name);
	ck_assert_str_eq(name, "unknown");
}
END_TEST

static bool listens_locally(const char *host)
{
	struct error error;
	int descriptor = socket_bind(host, 0, -1, &error);
	ck_assert_msg(descriptor >= 0, "%s", error.message);
	bool local = socket_is_local(descriptor);
	(void)close(descriptor);
	return local;
}

START_TEST(some_addresses_are_local)
{
	int pair[2];
	ck_assert(listens_locally("127.0.0.1"));
	ck_assert(listens_locally("127.255.0.3"));
	ck_assert(!listens_locally("0.0.0.0"));
	if (has_ipv6()) {
		ck_assert(listens_locally("::1"));
		ck_assert(listens_locally("::ffff:127.0.0.1"));
		ck_assert(!listens_locally("::"));
		ck_assert(!listens_locally("::ffff:0.0.0.0"));
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert(socket_is_local(pair[0]));
	(void)close(pair[0]);
	(void)close(pair[1]);
	ck_assert(!socket_is_local(-1));
}
END_TEST

START_TEST(names_are_split)
{
	static const struct {
		const char *name, *host;
		int port;
	} cases[] = {{"127.0.0.1:2005", "127.0.0.1", 2005},
		     {"[::1]:2005", "::1", 2005},
		     {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
		     {"localhost:0", "localhost", 0},
		     {"[::1]:65535", "::1", 65535},
		     {"::1:65535", NULL, 0},
		     {"[::1:5", NULL, 0},
		     {"::1]:5", NULL, 0},
		     {"[]:5", NULL, 0},
		     {"[a]:5", NULL, 0},
		     {"a b:5", NULL, 0},
		     {"unknown", NULL, 0},
		     {"", NULL, 0},
		     {":", NULL, 0},
		     {":5", NULL, 0},
		     {"a:", NULL, 0},
		     {"a:65536", NULL, 0},
		     {"a:-1", NULL, 0},
		     {"a:+1", NULL, 0},
		     {"a: 1", NULL, 0},
		     {"a:1x", NULL, 0},
		     {"[::1]", NULL, 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char host[SOCKET_NAME_SIZE] = "untouched";
		int port = -1;
		int result = socket_name_split(cases[i].name, host, &port);
		ck_assert_msg(result == (cases[i].host ? 0 : -1), "%s", cases[i].name);
		ck_assert_str_eq(host, cases[i].host ? cases[i].host : "untouched");
		ck_assert_int_eq(port, cases[i].host ? cases[i].port : -1);
	}
}
END_TEST

START_TEST(split_takes_no_more_than_there_is_room)
{
	char name[SOCKET_NAME_SIZE + 8], host[SOCKET_NAME_SIZE];
	int port;
	memset(name, 'h', sizeof name);
	memcpy(name + SOCKET_NAME_SIZE - 1, ":7", 3);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	ck_assert_uint_eq(strlen(host), SOCKET_NAME_SIZE - 1);
	memset(name, 'h', sizeof name);
	memcpy(name + SOCKET_NAME_SIZE, ":7", 3);
	ck_assert_int_eq(socket_name_split(name, host, &port), -1);
}
END_TEST

int main(void)
{
	TCase *names = tcase_create("names");
	tcase_add_test(names, addresses_as_text);
	tcase_add_test(names, addresses_that_are_none);
	tcase_add_test(names, some_addresses_are_local);
	tcase_add_test(names, names_are_split);
	tcase_add_test(names, split_takes_no_more_than_there_is_room);
	return unit_main("socket", names, NULL);
}
