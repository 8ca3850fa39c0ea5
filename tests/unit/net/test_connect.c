/* SPDX-License-Identifier: MIT */
#include "net/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "support.h"
#include "unit.h"

#define PATIENCE (20 * CLOCK_SECOND)

static struct error error;

static int connect_to(const char *host, int port, int64_t deadline)
{
	const struct connect_target target = {
		.host = host, .port = port, .deadline = deadline, .wake = -1};
	return socket_connect(&target, &error);
}

START_TEST(a_closed_port_refuses)
{
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE], expected[128];
	int port;
	int bound =
		socket_bind("127.0.0.1", 0, -1, &error); /* nobody listens, and nobody else can */
	socket_local_name(bound, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	size_t before = descriptors();
	ck_assert_int_eq(connect_to("127.0.0.1", port, CLOCK_NEVER), -1);
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
		int connected = connect_to("127.0.0.1", port, CLOCK_NEVER);
		if (connected < 0)
			continue;
		socket_local_name(connected, local);
		socket_peer_name(connected, peer);
		ck_assert_str_ne(local, peer);
		(void)close(connected); /* somebody else's server */
	}
}
END_TEST

/* --- black holes: a listener that has as many connections waiting as it takes answers no more of
 * them --- */

enum { FILLERS = 8 };

static int fillers[FILLERS];

static int black_hole(const char *host, int *port)
{
	char name[SOCKET_NAME_SIZE], own[SOCKET_NAME_SIZE];
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int listener = socket_bind(host, *port, -1, &error);
	ck_assert_msg(listener >= 0 && listen(listener, 0) == 0, "%s", error.message);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] =
			socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, length);
	}
	/* from when one waits it takes no other */
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	ck_assert_int_eq(poll(&waiting, 1, 20000), 1);
	socket_local_name(listener, name);
	ck_assert_int_eq(socket_name_split(name, own, port), 0);
	return listener;
}

static void close_hole(int listener)
{
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}

START_TEST(a_connection_that_does_not_come_times_out)
{
	char expected[128];
	int port = 0, hole = black_hole("127.0.0.1", &port);
	int64_t deadline = clock_after(30 * CLOCK_MILLISECOND);
	ck_assert_int_eq(connect_to("127.0.0.1", port, deadline), -1);
	ck_assert(clock_now() >= deadline);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to 127.0.0.1:%d: Connection timed out", port);
	ck_assert_str_eq(error.message, expected);
	close_hole(hole);
}
END_TEST

START_TEST(a_descriptor_ends_it)
{
	char expected[128];
	int port = 0, hole = black_hole("127.0.0.1", &port);
	const struct connect_target target = {.host = "127.0.0.1",
					      .port = port,
					      .deadline = CLOCK_NEVER,
					      .wake = eventfd(1, EFD_CLOEXEC)};
	ck_assert_int_eq(socket_connect(&target, &error), -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to 127.0.0.1:%d: Operation canceled", port);
	ck_assert_str_eq(error.message, expected);
	(void)close(target.wake);
	close_hole(hole);
}
END_TEST

/* --- names with several addresses: those that a test says --- */

static const char *const *addresses;

static int find_them(const char *host, const char *service, const struct addrinfo *hints,
		     struct addrinfo **found)
{
	struct addrinfo wanted = *hints;
	int result = 0;
	wanted.ai_flags |= AI_NUMERICHOST;
	(void)host;
	for (const char *const *at = addresses; *at && !result; at++) {
		result = getaddrinfo(*at, service, &wanted, found);
		found = &(*found)->ai_next;
	}
	return result;
}

static int connect_them(const char *const *them, int port, int64_t deadline)
{
	addresses = them;
	resolver_getaddrinfo = find_them;
	return connect_to("them", port, deadline);
}

static void assert_peer(int connected, const char *host, int port)
{
	char name[SOCKET_NAME_SIZE], expected[SOCKET_NAME_SIZE];
	ck_assert_msg(connected >= 0, "%s", error.message);
	socket_peer_name(connected, name);
	(void)snprintf(expected, sizeof expected, "%s:%d", host, port);
	ck_assert_str_eq(name, expected);
	(void)close(connected);
}

/* The threads that look names up may end later. */
static bool are_descriptors(void *most)
{
	return descriptors() <= *(size_t *)most;
}

/* The first address never answers, and the deadline is far away: it is not what ends the wait. */
START_TEST(a_dead_first_address_is_passed)
{
	int port, listener = tcp_listen(&port), hole = black_hole("127.0.0.2", &port);
	size_t before = descriptors();
	assert_peer(connect_them((const char *const[]){"127.0.0.2", "127.0.0.1", NULL}, port,
				 clock_after(3600 * CLOCK_SECOND)),
		    "127.0.0.1", port);
	/* also where there is less time than is left to one address otherwise */
	int connected = -1;
	for (int64_t time = 100 * CLOCK_MILLISECOND; connected < 0 && time < PATIENCE; time *= 2)
		connected =
			connect_them((const char *const[]){"127.0.0.2", "127.0.0.1", NULL}, port,
				     clock_after(time)); /* a busy machine may need more */
	assert_peer(connected, "127.0.0.1", port);
	ck_assert(eventually(are_descriptors, &(size_t){before}));
	(void)close(listener);
	close_hole(hole);
}
END_TEST

/* One address after the other refuses at once: no time passes until the next is tried. */
START_TEST(addresses_that_refuse_are_passed)
{
	int port, listener = tcp_listen(&port);
	static const char *const them[] = {"127.0.0.9", "127.0.0.8", "127.0.0.7",
					   "127.0.0.6", "127.0.0.1", NULL};
	assert_peer(connect_them(them, port, clock_after(20 * CLOCK_SECOND)), "127.0.0.1", port);
	(void)close(listener);
}
END_TEST

START_TEST(each_address_is_named_with_what_failed)
{
	char expected[256];
	int port = 0, hole = black_hole("127.0.0.2", &port);
	size_t before = descriptors();
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to them:%d: 127.0.0.3: Connection refused; "
		       "127.0.0.2: Connection timed out",
		       port);
	/* on a busy machine the time may be over before both are tried */
	for (int64_t time = 30 * CLOCK_MILLISECOND;
	     strcmp(error.message, expected) != 0 && time < PATIENCE; time *= 4)
		ck_assert_int_eq(connect_them((const char *const[]){"127.0.0.3", "127.0.0.2", NULL},
					      port, clock_after(time)),
				 -1);
	ck_assert_str_eq(error.message, expected);
	ck_assert(eventually(are_descriptors, &(size_t){before}));
	ck_assert_int_eq(connect_them((const char *const[]){"127.0.0.3", NULL}, port, CLOCK_NEVER),
			 -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to them:%d: 127.0.0.3: Connection refused", port);
	ck_assert_str_eq(error.message, expected);
	ck_assert_int_eq(connect_them((const char *const[]){"127.0.0.3", "127.0.0.4", "127.0.0.5",
							    "127.0.0.6", "127.0.0.7", "127.0.0.8",
							    "127.0.0.9", NULL},
				      port, CLOCK_NEVER),
			 -1);
	ck_assert_ptr_nonnull(strstr(error.message, "127.0.0.7: Connection refused; and 2 more"));
	close_hole(hole);
}
END_TEST

/* All refuse, so that the error has them in the order in which they were tried. */
START_TEST(families_take_turns)
{
	char expected[256];
	int port;
	if (!has_ipv6())
		return;
	int unused = socket_bind("::", 0, -1, &error);
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	socket_local_name(unused, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	ck_assert_int_eq(connect_them((const char *const[]){"::1", "::1", "::1", "127.0.0.2",
							    "127.0.0.3", NULL},
				      port, CLOCK_NEVER),
			 -1);
	(void)snprintf(expected, sizeof expected,
		       "cannot connect to them:%d: ::1: Connection refused; 127.0.0.2: Connection "
		       "refused; ::1: Connection refused; 127.0.0.3: Connection refused; ::1: "
		       "Connection refused",
		       port);
	ck_assert_str_eq(error.message, expected);
	(void)close(unused);
}
END_TEST

int main(void)
{
	TCase *one = tcase_create("one");
	tcase_add_test(one, a_closed_port_refuses);
	tcase_add_test(one, nobody_is_connected_to_himself);
	tcase_add_test(one, a_connection_that_does_not_come_times_out);
	tcase_add_test(one, a_descriptor_ends_it);
	TCase *several = tcase_create("several");
	tcase_add_test(several, a_dead_first_address_is_passed);
	tcase_add_test(several, addresses_that_refuse_are_passed);
	tcase_add_test(several, each_address_is_named_with_what_failed);
	tcase_add_test(several, families_take_turns);
	return unit_main("connect", one, several, NULL);
}
