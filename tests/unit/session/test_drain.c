/* SPDX-License-Identifier: MIT */
/* The end of a server: connections answer what has come, and no more. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

static void begin(void)
{
	scratch_enter();
	world_open("log", 100, 100, 0);
}

static bool all_has_come(void *peer)
{
	int bytes = 1;
	return ioctl(*(int *)peer, SIOCOUTQ, &bytes) == 0 && !bytes;
}

/* What has come is answered; then the connection ends, though the peer would go on. */
START_TEST(a_drain_answers_what_has_come)
{
	int addresses_seen[3];
	for (int i = 0; i < 3; i++)
		addresses_seen[i] = world_connect();
	peer_send(addresses_seen[0], "one\ntwo\nthree\n", 14);
	peer_send(addresses_seen[1], "four\nfi", 7);
	ck_assert(eventually(all_has_come, &addresses_seen[0]) &&
		  eventually(all_has_come, &addresses_seen[1]));
	world_drain(20 * CLOCK_SECOND);
	assert_last(addresses_seen[0], "ok\nok\nok\n");
	assert_last(addresses_seen[1], "ok\n");
	assert_last(addresses_seen[2], "");
	world_await(0);
	assert_logged("received: ", 4);
	assert_logged("incomplete last line: fi\n", 1);
	world_close();
}
END_TEST

/* Sends lines and reads answers for as long as it can. */
static void *flood(void *descriptor)
{
	static char lines[4096], answers[65536];
	struct pollfd peer = {.fd = *(int *)descriptor, .events = POLLIN | POLLOUT};
	memset(lines, '\n', sizeof lines);
	xor_bytes(lines, sizeof lines);
	for (;;) {
		if (poll(&peer, 1, -1) < 0)
			abort();
		ssize_t got = recv(peer.fd, answers, sizeof answers, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return NULL;
		if (send(peer.fd, lines, sizeof lines, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			return NULL;
	}
}

static bool log_has_lines(void *unused)
{
	(void)unused;
	return file_size("log") > 100000;
}

/* What comes meanwhile is not waited for: else one peer could keep the server from ending. */
START_TEST(a_drain_ends_though_more_comes)
{
	pthread_t thread;
	int peer = world_connect();
	ck_assert_int_eq(pthread_create(&thread, NULL, flood, &peer), 0);
	ck_assert(eventually(log_has_lines, NULL));
	world_drain(20 * CLOCK_SECOND);
	world_await(0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	(void)close(peer);
	char *log = world_log();
	ck_assert_uint_eq(count_of(log, " received: "), count_of(log, " sent: "));
	free(log);
	world_close();
}
END_TEST

START_TEST(a_drain_without_connections)
{
	world_drain(0);
	world_await(0);
	world_close();
	ck_assert_uint_eq(file_size("log"), 0);
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void))
{
	TCase *drain = tcase_create(name);
	tcase_add_checked_fixture(drain, use_type, NULL);
	tcase_add_checked_fixture(drain, begin, NULL);
	tcase_add_test(drain, a_drain_answers_what_has_come);
	tcase_add_test(drain, a_drain_ends_though_more_comes);
	tcase_add_test(drain, a_drain_without_connections);
	return drain;
}

int main(void)
{
	scratch_make();
	int status = unit_main("drain", make("tcp", tcp_use), make("xor", xor_use), NULL);
	scratch_remove();
	return status;
}
