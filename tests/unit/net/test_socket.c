/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

static struct error error;

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

START_TEST(names_are_split)
{
	static const struct {
		const char *name, *host;
		int port;
	} cases[] = {{"127.0.0.1:2005", "127.0.0.1", 2005},
		     {"[::1]:2005", "::1", 2005},
		     {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
		     {"localhost:0", "localhost", 0},
		     {"::1:65535", "::1", 65535},
		     {"[]:5", "[]", 5},
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

static int option_of(int descriptor, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;
	ck_assert_int_eq(getsockopt(descriptor, level, name, &value, &length), 0);
	return value;
}

/* Binds, listens, connects and accepts; gives what the two ends call each other. */
static void assert_talk(const char *bound, const char *asked, const char *prefix)
{
	char name[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	int port;
	int listener = socket_bind(bound, 0, &error);
	ck_assert_msg(listener >= 0, "%s", error.message);
	ck_assert_msg(socket_listen(listener, &error) == 0, "%s", error.message);
	socket_local_name(listener, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	ck_assert_int_gt(port, 0);

	int connected = socket_connect(asked, port, NULL, clock_after(20 * CLOCK_SECOND), &error);
	ck_assert_msg(connected >= 0, "%s", error.message);
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	ck_assert_int_eq(poll(&waiting, 1, 20000), 1);
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(accepted, 0);
	socket_local_name(connected, name);
	socket_peer_name(accepted, peer);
	ck_assert_str_eq(name, peer);
	ck_assert_msg(!strncmp(name, prefix, strlen(prefix)), "%s", name);

	ck_assert_int_ne(option_of(connected, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_gt(option_of(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	ck_assert_int_eq(fcntl(connected, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(connected, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(listener, F_GETFD), FD_CLOEXEC);
	(void)close(connected);
	(void)close(accepted);
	(void)close(listener);
}

START_TEST(talks_over_ipv4_and_names)
{
	size_t before = descriptors();
	assert_talk("127.0.0.1", "127.0.0.1", "127.0.0.1:");
	assert_talk("0.0.0.0", "127.0.0.1", "127.0.0.1:");
	if (has_name("localhost")) /* ::1, if tried first, refuses */
		assert_talk("127.0.0.1", "localhost", "127.0.0.1:");
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(talks_over_ipv6)
{
	if (!has_ipv6())
		return;
	assert_talk("::1", "::1", "[::1]:");
	assert_talk("::", "::1", "[::1]:");
	assert_talk("::", "127.0.0.1", "127.0.0.1:"); /* shown unmapped, at both ends */
}
END_TEST

START_TEST(a_taken_address_is_refused)
{
	char expected[128];
	int port;
	int listener = tcp_listen(&port);
	size_t before = descriptors();
	ck_assert_int_eq(socket_bind("127.0.0.1", port, &error), -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot listen on 127.0.0.1:%d: Address already in use", port);
	ck_assert_str_eq(error.message, expected);
	ck_assert_uint_eq(descriptors(), before);
	(void)close(listener);
}
END_TEST

/* Two are bound, which goes with SO_REUSEADDR; only one can listen. */
START_TEST(listening_twice_is_refused)
{
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE], expected[128];
	int port;
	int first = socket_bind("127.0.0.1", 0, &error);
	socket_local_name(first, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	int second = socket_bind("127.0.0.1", port, &error);
	ck_assert_int_ge(second, 0);
	ck_assert_int_eq(socket_listen(first, &error), 0);
	ck_assert_int_eq(socket_listen(second, &error), -1);
	(void)snprintf(expected, sizeof expected, "cannot listen on %s: Address already in use",
		       name);
	ck_assert_str_eq(error.message, expected);
	(void)close(first);
	(void)close(second);
	ck_assert_int_eq(socket_listen(-1, &error), -1);
	ck_assert_str_eq(error.message, "cannot listen on unknown: Bad file descriptor");
}
END_TEST

START_TEST(foreign_addresses_are_refused)
{
	ck_assert_int_eq(socket_bind("192.0.2.1", 0, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}
END_TEST

START_TEST(garbage_is_no_host)
{
	static const char *const hosts[] = {"a b", "..", "[::1]", "1:2:3", "\x1b[31m", "::1::"};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		char expected[64];
		(void)snprintf(expected, sizeof expected, "cannot resolve '%s': ", hosts[i]);
		ck_assert_int_eq(socket_bind(hosts[i], 0, &error), -1);
		ck_assert_msg(!strncmp(error.message, expected, strlen(expected)), "%s",
			      error.message);
		ck_assert_uint_gt(strlen(error.message), strlen(expected));
		ck_assert_int_eq(socket_connect(hosts[i], 1, NULL, CLOCK_NEVER, &error), -1);
		ck_assert_msg(!strncmp(error.message, expected, strlen(expected)), "%s",
			      error.message);
	}
	char longest[3000];
	memset(longest, 'h', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(socket_bind(longest, 0, &error), -1);
	ck_assert_uint_lt(strlen(error.message), 300);
}
END_TEST

START_TEST(a_closed_port_refuses)
{
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE], expected[128];
	int port;
	int bound = socket_bind("127.0.0.1", 0, &error); /* nobody listens, and nobody else can */
	socket_local_name(bound, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	size_t before = descriptors();
	ck_assert_int_eq(socket_connect("127.0.0.1", port, NULL, CLOCK_NEVER, &error), -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to 127.0.0.1:%d: Connection refused", port);
	ck_assert_str_eq(error.message, expected);
	ck_assert_uint_eq(descriptors(), before);
	(void)close(bound);
}
END_TEST

/* Of the ports that the kernel chooses from, each is tried as the own one before long. */
START_TEST(nobody_is_connected_to_himself)
{
	char local[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE];
	int low, high;
	char *range = file_read("/proc/sys/net/ipv4/ip_local_port_range", NULL);
	ck_assert_int_eq(sscanf(range, "%d %d", &low, &high), 2);
	free(range);
	for (int i = 0; i < high - low; i++) {
		int port = (low + high) / 4 * 2;
		int connected = socket_connect("127.0.0.1", port, NULL, CLOCK_NEVER, &error);
		if (connected < 0)
			continue;
		socket_local_name(connected, local);
		socket_peer_name(connected, peer);
		ck_assert_str_ne(local, peer);
		(void)close(connected); /* somebody else's server */
	}
}
END_TEST

/* A listener that has as many connections waiting as it takes answers no more of them. */
START_TEST(a_connection_that_does_not_come_times_out)
{
	enum { FILLERS = 8 };
	char expected[128];
	int port, fillers[FILLERS];
	int listener = tcp_listen(&port);
	ck_assert_int_eq(listen(listener, 0), 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
	}
	int64_t deadline = clock_after(30 * CLOCK_MILLISECOND);
	ck_assert_int_eq(socket_connect("127.0.0.1", port, NULL, deadline, &error), -1);
	ck_assert(clock_now() >= deadline);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to 127.0.0.1:%d: Connection timed out", port);
	ck_assert_str_eq(error.message, expected);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}
END_TEST

int main(void)
{
	TCase *names = tcase_create("names");
	tcase_add_test(names, addresses_as_text);
	tcase_add_test(names, addresses_that_are_none);
	tcase_add_test(names, names_are_split);
	tcase_add_test(names, split_takes_no_more_than_there_is_room);
	TCase *sockets = tcase_create("sockets");
	tcase_add_test(sockets, talks_over_ipv4_and_names);
	tcase_add_test(sockets, talks_over_ipv6);
	tcase_add_test(sockets, a_taken_address_is_refused);
	tcase_add_test(sockets, listening_twice_is_refused);
	tcase_add_test(sockets, foreign_addresses_are_refused);
	tcase_add_test(sockets, garbage_is_no_host);
	tcase_add_test(sockets, a_closed_port_refuses);
	tcase_add_test(sockets, nobody_is_connected_to_himself);
	tcase_add_test(sockets, a_connection_that_does_not_come_times_out);
	return unit_main("net", names, sockets, NULL);
}
