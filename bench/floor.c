/* SPDX-License-Identifier: MIT */
/* The least that a server can do: it answers each line with ok and keeps nothing. What the client's
 * turns reach against it is the most that they can reach. One connection after the other; it prints
 * "HOST PORT" when it listens, and ends when nobody has connected or said anything for a minute. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"
#include "base/program.h"

enum { FLOOR_PATIENCE = 60000 /* ms */, FLOOR_RECEIVE_SIZE = 65536 };

static bool wait_readable(int descriptor)
{
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	return poll(&waiting, 1, FLOOR_PATIENCE) > 0;
}

/* Returns the length of the answers to the lines that end in these bytes. */
static size_t answer_lines(const char *bytes, size_t length, char *answers)
{
	size_t written = 0;
	for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes)));
	     bytes++) {
		memcpy(answers + written, "ok\n", 3);
		written += 3;
	}
	return written;
}

/* Until the client has gone. */
static void serve(int descriptor)
{
	static char received[FLOOR_RECEIVE_SIZE], answers[3 * FLOOR_RECEIVE_SIZE];
	for (;;) {
		/* blocked in recv() as ackline's threads are: poll() would be one more call a line;
		 * SO_RCVTIMEO is the deadline */
		ssize_t got = recv(descriptor, received, sizeof received, 0);
		if (got <= 0)
			return;
		size_t length = answer_lines(received, (size_t)got, answers);
		if (send(descriptor, answers, length, MSG_NOSIGNAL) != (ssize_t)length)
			return;
	}
}

static int open_listener(struct error *error)
{
	int listener = socket_bind("127.0.0.1", 0, error);
	if (listener >= 0 && socket_listen(listener, error) == 0)
		return listener;
	if (listener >= 0)
		(void)close(listener); /* nothing was written through it */
	return -1;
}

int main(void)
{
	struct error error;
	struct timeval patience = {.tv_sec = FLOOR_PATIENCE / 1000};
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	int port = 0;
	program_guard_descriptors();
	int listener = open_listener(&error);
	if (listener < 0) {
		program_complain("floor", error.message);
		return EXIT_FAILED;
	}
	socket_local_name(listener, name);
	if (socket_name_split(name, host, &port) < 0 || printf("%s %d\n", host, port) < 0 ||
	    fflush(stdout) != 0)
		return EXIT_FAILED;
	while (wait_readable(listener)) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			break;
		if (setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
			serve(client);
		(void)close(client); /* the client has closed, or is given up */
	}
	(void)close(listener); /* nothing was written through it */
	return EXIT_DONE;
}
