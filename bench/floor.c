/* SPDX-License-Identifier: MIT */
/* The bare responder: the least that a server with a thread for each connection can do. It answers
 * each line with ok and keeps nothing. Its rate is the most that such a server reaches whose
 * threads block in recv(), whatever it does with a line besides. It prints "HOST PORT" when it
 * listens, and ends when nobody has been connected for ten minutes. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/program.h"
#include "base/thread.h"
#include "net/listener.h"

enum {
	FLOOR_PATIENCE = 600000, /* ms */
	FLOOR_RECEIVE_SIZE = 65536,
	FLOOR_STACK = FLOOR_RECEIVE_SIZE + 65536, /* of which few pages are ever touched */
};

static char answers[3 * FLOOR_RECEIVE_SIZE]; /* "ok\n" again and again, for everybody */
static atomic_int connections;

static void compose_answers(void)
{
	for (size_t i = 0; i < sizeof answers; i += 3)
		memcpy(answers + i, "ok\n", 3);
}

static size_t count_lines(const char *bytes, size_t length)
{
	size_t lines = 0;
	for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes)));
	     bytes++)
		lines++;
	return lines;
}

/* Until the client has gone. */
static void serve(int descriptor)
{
	char received[FLOOR_RECEIVE_SIZE];
	for (;;) {
		/* blocked in recv(): poll() would be one more call a line */
		ssize_t got = recv(descriptor, received, sizeof received, 0);
		if (got <= 0)
			return;
		size_t length = 3 * count_lines(received, (size_t)got);
		if (send(descriptor, answers, length, MSG_NOSIGNAL) != (ssize_t)length)
			return;
	}
}

static void *run_connection(void *argument)
{
	int descriptor = (int)(intptr_t)argument;
	serve(descriptor);
	(void)close(descriptor); /* the client has closed, or is given up */
	atomic_fetch_sub(&connections, 1);
	return NULL;
}

/* Gives a connection its thread. */
static void start_connection(int descriptor)
{
	pthread_t thread;
	atomic_fetch_add(&connections, 1);
	if (thread_start(&thread, FLOOR_STACK, run_connection, (void *)(intptr_t)descriptor) == 0) {
		(void)pthread_detach(thread); /* it was made joinable, and nobody joins it */
		return;
	}
	(void)close(descriptor); /* the client learns it: its connection is lost */
	atomic_fetch_sub(&connections, 1);
}

/* Until nobody has been connected for so long. */
static void accept_connections(int listener)
{
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	for (;;) {
		int ready = poll(&waiting, 1, FLOOR_PATIENCE);
		if (ready <= 0 && !atomic_load(&connections))
			return;
		int client = ready > 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (client >= 0)
			start_connection(client);
		else if (ready > 0 && errno != EAGAIN && errno != ECONNABORTED)
			return; /* no descriptor is left, say: poll() would tell it for ever */
	}
}

static int open_listener(struct error *error)
{
	int listener = socket_bind("127.0.0.1", 0, -1, error);
	if (listener >= 0 && socket_listen(listener, error) == 0)
		return listener;
	if (listener >= 0)
		(void)close(listener); /* nothing was written through it */
	return -1;
}

int main(void)
{
	struct error error;
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	int port = 0;
	program_guard_descriptors();
	compose_answers();
	int listener = open_listener(&error);
	if (listener < 0) {
		program_complain("floor", error.message);
		return EXIT_FAILED;
	}
	socket_local_name(listener, name);
	if (socket_name_split(name, host, &port) < 0 || printf("%s %d\n", host, port) < 0 ||
	    fflush(stdout) != 0)
		return EXIT_FAILED;
	thread_run_in_batches(); /* as the server's threads do */
	accept_connections(listener);
	(void)close(listener); /* nothing was written through it */
	return EXIT_DONE;
}
