/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/stream.h"
#include "protocols.h"
#include "base/buffer.h"

enum {
	LOAD_PATIENCE_SECONDS = 10,
	LOAD_RECEIVE_SIZE = 256 * 1024,
	LOAD_EVENTS = 512,
	LOAD_SPARE_DESCRIPTORS = 16,
};

struct connection {
	struct stream *stream;
	bool stalled;	   /* epoll tells when it can be written to */
	uint64_t sent;	   /* requests */
	uint64_t answered; /* of these */
	int64_t *sent_at;  /* ns, of request n at n modulo the window */
	struct buffer unsent;
	struct buffer rest; /* the beginning of an answer */
};

struct load {
	const struct load_settings *settings;
	struct load_result *result;
	struct error *error;
	struct connection *connections;
	int epoll;
	char *received; /* LOAD_RECEIVE_SIZE bytes, used by one connection at a time */
	uint64_t sent, answered;
	uint64_t warm_up; /* answers that are not counted */
	bool drains;
	int64_t started;
	int64_t started_cpu;
};

/* The time that a process has spent on CPUs, its former threads included, in ns. -1: unknown. What
 * a thread has used since the kernel's last tick is missing while it runs. */
static int64_t cpu_time(pid_t process)
{
	clockid_t clock;
	struct timespec time;
	if (!process || clock_getcpuclockid(process, &clock) != 0 ||
	    clock_gettime(clock, &time) < 0)
		return -1;
	return (int64_t)time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

/* Every connection needs a descriptor. */
static int raise_limit(size_t connections, struct error *error)
{
	struct rlimit limit;
	rlim_t needed = (rlim_t)connections + LOAD_SPARE_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_set(error, "cannot read the limit of descriptors: %s",
				 strerror(errno));
	if (limit.rlim_cur >= needed)
		return 0;
	limit.rlim_cur = needed;
	if (limit.rlim_max < needed)
		limit.rlim_max = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	return error_set(error, "cannot have %zu descriptors: %s", (size_t)needed, strerror(errno));
}

/* Keeps the words of the first answer that was no acknowledgement. */
static void note_refusal(struct load_result *result, const char *bytes, size_t length)
{
	if (result->errors++)
		return;
	size_t i = 0;
	for (; i < length && i + 1 < sizeof result->errnum; i++)
		result->errnum[i] = isprint((unsigned char)bytes[i]) ? bytes[i] : ' ';
	result->errnum[i] = '\0';
}

static int lost(struct load *load, const char *words)
{
	return error_set(load->error,
			 "a connection was lost, %" PRIu64 " of %" PRIu64 " requests answered: %s",
			 load->answered, load->sent, words);
}

static int refuse_nonsense(struct load *load, const char *bytes, size_t length)
{
	struct load_result shown = {0};
	note_refusal(&shown, bytes, length);
	return error_set(load->error, "this is no answer of protocol %s: %s",
			 load->settings->protocol->name, shown.errnum);
}

/* Lets epoll tell when there are bytes, and if it stalled, when it can be sent to. */
static int watch(struct load *load, struct connection *connection, int operation, bool stalled)
{
	struct epoll_event event = {.events = stalled ? EPOLLIN | EPOLLOUT : EPOLLIN,
				    .data.ptr = connection};
	int descriptor = stream_pollfd(connection->stream, POLLIN).fd;
	connection->stalled = stalled;
	if (epoll_ctl(load->epoll, operation, descriptor, &event) == 0)
		return 0;
	return error_set(load->error, "cannot watch a connection: %s", strerror(errno));
}

/* Greeting: one connection after the other, as nothing is measured yet. */

/* Appends what comes to the connection's rest. 0, or -1 with the failure set. */
static int await_bytes(struct load *load, struct connection *connection, int64_t deadline)
{
	struct pollfd waiting = stream_pollfd(connection->stream, POLLIN);
	struct buffer *rest = &connection->rest;
	if (!stream_buffered(connection->stream) && clock_poll(&waiting, 1, deadline) <= 0)
		return error_set(load->error, "no answer to the greeting");
	if (rest->length >= PROTOCOL_ANSWER_SIZE || !buffer_reserve(rest, PROTOCOL_ANSWER_SIZE))
		return refuse_nonsense(load, rest->bytes, rest->length);
	ssize_t got = stream_receive_now(connection->stream, rest->bytes + rest->length,
					 PROTOCOL_ANSWER_SIZE);
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got <= 0)
		return lost(load, got < 0 ? strerror(errno) : "closed by the server");
	rest->length += (size_t)got;
	return 0;
}

static int greet(struct load *load, struct connection *connection, size_t number)
{
	const struct protocol *protocol = load->settings->protocol;
	int64_t deadline = clock_after(LOAD_PATIENCE_SECONDS * CLOCK_SECOND);
	char request[PROTOCOL_REQUEST_SIZE];
	size_t length = protocol->greet(request, number);
	/* a new connection takes so little at once */
	if (stream_send(connection->stream, request, length) != (ssize_t)length)
		return lost(load, strerror(errno));
	struct buffer *rest = &connection->rest;
	while (await_bytes(load, connection, deadline) == 0) {
		struct answer answer = {.kind = ANSWER_ASIDE};
		while (answer.kind == ANSWER_ASIDE && rest->length) {
			answer = protocol->read_greeting(rest->bytes, rest->length);
			if (answer.kind == ANSWER_REFUSED || answer.kind == ANSWER_NONSENSE)
				return refuse_nonsense(load, rest->bytes, rest->length);
			if (answer.kind != ANSWER_PARTIAL)
				buffer_drop(rest, answer.length);
		}
		if (answer.kind == ANSWER_ACKNOWLEDGED)
			return 0;
	}
	return -1;
}

static int open_connection(struct load *load, size_t number)
{
	const struct load_settings *settings = load->settings;
	struct connection *connection = &load->connections[number];
	const struct connect_target target = {
		.host = settings->host,
		.port = settings->port,
		.deadline = clock_after(LOAD_PATIENCE_SECONDS * CLOCK_SECOND),
		.wake = -1};
	connection->sent_at = calloc(settings->window, sizeof *connection->sent_at);
	if (!connection->sent_at)
		return error_set(load->error, "out of memory");
	connection->stream = stream_connect(settings->stream_type, &target, load->error);
	if (!connection->stream)
		return -1;
	if (settings->protocol->greet && greet(load, connection, number) < 0)
		return -1;
	return watch(load, connection, EPOLL_CTL_ADD, false);
}

/* Sending. */

static int flush(struct load *load, struct connection *connection)
{
	struct buffer *unsent = &connection->unsent;
	if (unsent->length) {
		ssize_t done = stream_send(connection->stream, unsent->bytes, unsent->length);
		if (done < 0)
			return lost(load, stream_failure(connection->stream, errno));
		buffer_drop(unsent, (size_t)done);
	} else if (stream_flush(connection->stream) < 0) {
		return lost(load, stream_failure(connection->stream, errno));
	}
	bool stalled = unsent->length || stream_owed(connection->stream);
	if (stalled == connection->stalled)
		return 0;
	return watch(load, connection, EPOLL_CTL_MOD, stalled);
}

/* Composes as many requests as the window allows, and sends what can be sent. */
static int fill(struct load *load, struct connection *connection, int64_t now)
{
	const struct load_settings *settings = load->settings;
	size_t number = (size_t)(connection - load->connections);
	while (!load->drains && connection->sent - connection->answered < settings->window) {
		struct buffer *unsent = &connection->unsent;
		if (!buffer_reserve(unsent, PROTOCOL_REQUEST_SIZE))
			return error_set(load->error, "out of memory");
		unsent->length += settings->protocol->compose(unsent->bytes + unsent->length,
							      number, connection->sent);
		connection->sent_at[connection->sent++ % settings->window] = now;
		load->sent++;
	}
	return flush(load, connection);
}

/* Receiving. */

static void begin_count(struct load *load)
{
	load->started_cpu = cpu_time(load->settings->server);
	load->started = clock_now();
}

static void end_count(struct load *load)
{
	int64_t cpu = cpu_time(load->settings->server);
	load->result->elapsed = clock_now() - load->started;
	load->result->cpu = load->started_cpu < 0 || cpu < 0 ? -1 : cpu - load->started_cpu;
	load->drains = true;
}

static void count_answer(struct load *load, struct connection *connection, int64_t now)
{
	int64_t sent_at = connection->sent_at[connection->answered++ % load->settings->window];
	load->answered++;
	if (load->drains)
		return;
	if (load->answered == load->warm_up)
		begin_count(load);
	else if (load->answered > load->warm_up)
		histogram_record(&load->result->latency, now - sent_at, 1);
	if (load->answered == load->warm_up + load->settings->lines)
		end_count(load);
}

/* One thing that the server has said. Returns its length, 0: it is not complete, -1: failed. */
static ssize_t take_answer(struct load *load, struct connection *connection, const char *bytes,
			   size_t length, int64_t now)
{
	struct answer answer =
		load->settings->protocol->read_answer(bytes, length, connection->answered);
	bool asked = connection->answered < connection->sent;
	switch (answer.kind) {
	case ANSWER_PARTIAL:
		return 0;
	case ANSWER_ASIDE:
		if (answer.reply && !buffer_append_string(&connection->unsent, answer.reply))
			return error_set(load->error, "out of memory");
		return (ssize_t)answer.length;
	case ANSWER_REFUSED:
		note_refusal(load->result, bytes, answer.length);
		break;
	case ANSWER_ACKNOWLEDGED:
		break;
	case ANSWER_NONSENSE:
		return refuse_nonsense(load, bytes, length);
	}
	if (!asked)
		return refuse_nonsense(load, bytes, answer.length);
	count_answer(load, connection, now);
	return (ssize_t)answer.length;
}

/* All complete answers in what was received; what is left is kept for the next time. */
static int take_answers(struct load *load, struct connection *connection, size_t length)
{
	int64_t now = clock_now();
	size_t taken = 0;
	while (taken < length) {
		ssize_t answer =
			take_answer(load, connection, load->received + taken, length - taken, now);
		if (answer < 0)
			return -1;
		if (answer == 0)
			break;
		taken += (size_t)answer;
	}
	if (length - taken > PROTOCOL_ANSWER_SIZE)
		return refuse_nonsense(load, load->received + taken, length - taken);
	if (!buffer_append(&connection->rest, load->received + taken, length - taken))
		return error_set(load->error, "out of memory");
	return fill(load, connection, now);
}

static int receive(struct load *load, struct connection *connection)
{
	struct buffer *rest = &connection->rest;
	do {
		size_t kept = rest->length;
		if (kept)
			memcpy(load->received, rest->bytes, kept);
		ssize_t got = stream_receive_now(connection->stream, load->received + kept,
						 LOAD_RECEIVE_SIZE - kept);
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0)
			return lost(load, got < 0 ? stream_failure(connection->stream, errno)
						  : "closed by the server");
		rest->length = 0;
		if (take_answers(load, connection, kept + (size_t)got) < 0)
			return -1;
	} while (stream_buffered(connection->stream));
	return 0;
}

/* The life of a load. */

static int serve(struct load *load)
{
	struct epoll_event events[LOAD_EVENTS];
	while (!load->drains || load->answered < load->sent) {
		int count =
			epoll_wait(load->epoll, events, LOAD_EVENTS, LOAD_PATIENCE_SECONDS * 1000);
		if (count <= 0)
			return error_set(load->error,
					 "no answer for %d s, %" PRIu64 " of %" PRIu64
					 " requests answered",
					 LOAD_PATIENCE_SECONDS, load->answered, load->sent);
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			bool readable = events[i].events & ~(uint32_t)EPOLLOUT;
			if ((readable ? receive : flush)(load, connection) < 0)
				return -1;
		}
	}
	return 0;
}

static int load_open(struct load *load)
{
	const struct load_settings *settings = load->settings;
	if (raise_limit(settings->connections, load->error) < 0)
		return -1;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		return error_set(load->error, "cannot make an epoll: %s", strerror(errno));
	load->received = malloc(LOAD_RECEIVE_SIZE);
	load->connections = calloc(settings->connections, sizeof *load->connections);
	if (!load->received || !load->connections)
		return error_set(load->error, "out of memory");
	for (size_t i = 0; i < settings->connections; i++)
		if (open_connection(load, i) < 0)
			return -1;
	return 0;
}

static void load_close(struct load *load)
{
	for (size_t i = 0; load->connections && i < load->settings->connections; i++) {
		struct connection *connection = &load->connections[i];
		stream_close(connection->stream, 0); /* everything was answered, or lost */
		free(connection->sent_at);
		buffer_free(&connection->unsent);
		buffer_free(&connection->rest);
	}
	if (load->epoll >= 0)
		(void)close(load->epoll); /* nothing is written through it */
	free(load->connections);
	free(load->received);
}

int load_run(const struct load_settings *settings, struct load_result *result, struct error *error)
{
	struct load load = {
		.settings = settings,
		.result = result,
		.error = error,
		.epoll = -1,
		.warm_up = (uint64_t)settings->connections * settings->window,
	};
	*result = (struct load_result){0};
	if (load.warm_up < settings->lines / 10)
		load.warm_up = settings->lines / 10;
	int status = load_open(&load);
	for (size_t i = 0; i < settings->connections && status == 0; i++)
		status = fill(&load, &load.connections[i], clock_now());
	if (status == 0)
		status = serve(&load);
	load_close(&load);
	return status;
}
