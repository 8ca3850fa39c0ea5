/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listener.h"
#include "unit.h"
#include "xor_stream.h"

enum { SCRIPT_ANSWER = 1 << 18 }; /* bytes of the longest answer */

static struct {
	script_t script;
	int listening, end;
	int sockets[SCRIPT_CONNECTIONS];
	size_t made, lines[SCRIPT_CONNECTIONS];
	pthread_t thread;
} server;

/* Answers one line. False: the connection is to be closed. */
static bool answer_line(size_t connection)
{
	size_t line = server.lines[connection]++;
	const char *answer = line < SCRIPT_ANSWERS ? server.script[connection][line] : CLOSE;
	if (!answer)
		return false;
	static char raw[SCRIPT_ANSWER];
	size_t length = strlen(answer);
	if (length > sizeof raw)
		abort();
	memcpy(raw, answer, length);
	xor_bytes(raw, length);
	return send(server.sockets[connection], raw, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void serve(size_t connection)
{
	char bytes[1024];
	ssize_t length = recv(server.sockets[connection], bytes, sizeof bytes, 0);
	bool open = length > 0;
	if (open)
		xor_bytes(bytes, (size_t)length);
	for (ssize_t i = 0; open && i < length; i++)
		if (bytes[i] == '\n')
			open = answer_line(connection);
	if (!open) {
		close(server.sockets[connection]);
		server.sockets[connection] = -1;
	}
}

static void *server_run(void *argument)
{
	(void)argument;
	for (;;) {
		struct pollfd waiting[SCRIPT_CONNECTIONS + 2] = {
			{.fd = server.end, .events = POLLIN},
			{.fd = server.listening, .events = POLLIN}};
		for (size_t i = 0; i < server.made; i++)
			waiting[i + 2] = (struct pollfd){.fd = server.sockets[i], .events = POLLIN};
		if (server.made == SCRIPT_CONNECTIONS)
			waiting[1].fd = -1;
		if (poll(waiting, server.made + 2, -1) < 0 || waiting[0].revents)
			return NULL;
		for (size_t i = 0; i < server.made; i++)
			if (waiting[i + 2].revents)
				serve(i);
		if (waiting[1].revents)
			server.sockets[server.made++] = accept(server.listening, NULL, NULL);
	}
}

int script_listen(void)
{
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	struct error error;
	int port;
	server.listening = socket_bind("127.0.0.1", 0, -1, &error);
	ck_assert_int_ge(server.listening, 0);
	ck_assert_int_eq(socket_listen(server.listening, &error), 0);
	socket_local_name(server.listening, name);
	server.end = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	return port;
}

void script_begin(script_t script)
{
	/* the caller's may be gone before the thread has ended */
	memcpy(server.script, script, sizeof server.script);
	ck_assert_int_eq(pthread_create(&server.thread, NULL, server_run, NULL), 0);
}

void script_end(void)
{
	ck_assert_int_eq(eventfd_write(server.end, 1), 0);
	pthread_join(server.thread, NULL);
	for (size_t i = 0; i < server.made; i++)
		if (server.sockets[i] >= 0)
			close(server.sockets[i]);
	close(server.end);
	close(server.listening);
}
