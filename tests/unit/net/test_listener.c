/* SPDX-License-Identifier: MIT */
#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "support.h"
#include "unit.h"

static struct error error;

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
	int listener = socket_bind(bound, 0, -1, &error);
	ck_assert_msg(listener >= 0, "%s", error.message);
	ck_assert_msg(socket_listen(listener, &error) == 0, "%s", error.message);
	socket_local_name(listener, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	ck_assert_int_gt(port, 0);

	const struct connect_target target = {.host = asked,
					      .port = port,
					      .deadline = clock_after(20 * CLOCK_SECOND),
					      .wake = -1};
	int connected = socket_connect(&target, &error);
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
	ck_assert_uint_le(descriptors(), before + 1); /* the lookup's may not be closed yet */
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
	ck_assert_int_eq(socket_bind("127.0.0.1", port, -1, &error), -1);
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
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE], expected[256];
	int port;
	int first = socket_bind("127.0.0.1", 0, -1, &error);
	socket_local_name(first, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	int second = socket_bind("127.0.0.1", port, -1, &error);
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
	ck_assert_int_eq(socket_bind("192.0.2.1", 0, -1, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}
END_TEST

/* Which addresses a name has is up to the machine: these it has here. */
static int find_two(const char *host, const char *service, const struct addrinfo *hints,
		    struct addrinfo **found)
{
	struct addrinfo wanted = *hints;
	wanted.ai_flags |= AI_NUMERICHOST;
	(void)host;
	int result = getaddrinfo("192.0.2.1", service, &wanted, found);
	return result ? result : getaddrinfo("127.0.0.1", service, &wanted, &(*found)->ai_next);
}

START_TEST(each_address_is_named_with_its_own_error)
{
	char expected[200];
	int port, listener = tcp_listen(&port);
	size_t before = descriptors();
	resolver_getaddrinfo = find_two;
	ck_assert_int_eq(socket_bind("two", port, -1, &error), -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot listen on two:%d: 192.0.2.1: Cannot assign requested address; "
		       "127.0.0.1: Address already in use",
		       port);
	ck_assert_str_eq(error.message, expected);
	ck_assert_uint_le(descriptors(), before + 1); /* the lookup's may not be closed yet */
	(void)close(listener);
}
END_TEST

START_TEST(the_first_address_that_can_be_bound_is_taken)
{
	char name[SOCKET_NAME_SIZE];
	resolver_getaddrinfo = find_two;
	int bound = socket_bind("two", 0, -1, &error);
	ck_assert_msg(bound >= 0, "%s", error.message);
	socket_local_name(bound, name);
	ck_assert_msg(!strncmp(name, "127.0.0.1:", 10), "%s", name);
	(void)close(bound);
}
END_TEST

int main(void)
{
	TCase *listening = tcase_create("listening");
	tcase_add_test(listening, talks_over_ipv4_and_names);
	tcase_add_test(listening, talks_over_ipv6);
	tcase_add_test(listening, a_taken_address_is_refused);
	tcase_add_test(listening, listening_twice_is_refused);
	tcase_add_test(listening, foreign_addresses_are_refused);
	tcase_add_test(listening, each_address_is_named_with_its_own_error);
	tcase_add_test(listening, the_first_address_that_can_be_bound_is_taken);
	return unit_main("listener", listening, NULL);
}
