/* SPDX-License-Identifier: MIT */
#include "client/event_loops.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/random.h"
#include "base/signalfd.h"
#include "base/slice.h"
#include "client/ping/log.h"
#include "client/ping/request_table.h"
#include "net/answers.h"
#include "net/line_stream.h"
#include "record/escape.h"
#include "record/exchange.h"

enum { PING_CLIENT_LINE_MAX = 65536 }; /* bytes; messages of a server are shorter */

/* How long the server may take to close, and -timeout at least: it sends first what it delays. */
#define PING_CLIENT_CLOSE (5 * CLOCK_SECOND)

/* Signals this close together count as one. */
#define PING_CLIENT_SAME_SIGNAL (200 * CLOCK_MILLISECOND)

/* Functions that return int return 0, or -1 with the error set: the client has failed. */
struct ping_client {
	const struct client_options *options;
	const char *program;
	int signals; /* -1: not open */
	struct line_stream server;
	struct request_table requests;
	uint64_t random;
	struct ping_client_log log;
	/* ns */
	int64_t started, ended;
	int64_t end;	     /* nothing is sent from then on */
	int64_t next;	     /* when the next request is to be sent */
	int64_t close_by;    /* when the server must have closed; 0: it must not close yet */
	int64_t interrupted; /* when the first signal came; 0: none */

	bool over;	 /* the server has closed in time */
	uint64_t errors; /* error messages of the server */
	char first_error[EXCERPT_SIZE];
	struct error error;
};

/* --- receiving --- */

static int take_error(struct ping_client *client, struct slice line)
{
	int length = line.length < EXCERPT_MAX ? (int)line.length : EXCERPT_MAX;
	if (!client->errors++)
		(void)record_excerpt(client->first_error, line.bytes, line.length);
	/* the log escapes it */
	ping_client_log_note(&client->log, RECORD_WARNING, "the server says: %.*s", length,
			     line.bytes);
	return 0;
}

static int take_line(struct ping_client *client, struct slice line)
{
	const struct ping_request *request;
	struct ping_message message;
	char excerpt[EXCERPT_SIZE];
	if (slice_begins(line, ANSWER_ERROR))
		return take_error(client, line);
	if (!ping_message_read(line, &message))
		return error_set(&client->error,
				 "the server sent '%s', which is not a message of ping",
				 record_excerpt(excerpt, line.bytes, line.length));
	switch (request_table_take(&client->requests, &message, clock_now(), &request,
				   &client->error)) {
	case REQUEST_ANSWERED:
		ping_client_log_exchange(&client->log, message.request, request, line);
		return 0;
	case REQUEST_LATE:
		ping_client_log_note(&client->log, RECORD_INFO, PING_NOTE_LATE "%.*s",
				     (int)line.length, line.bytes);
		return 0;
	case REQUEST_KEEPALIVE:
		ping_client_log_message(&client->log, line);
		return 0;
	case REQUEST_WRONG:
		break;
	}
	return -1;
}

static int take_lines(struct ping_client *client)
{
	struct slice line;
	enum line_result result;
	while ((result = line_next(&client->server.received, &line.bytes, &line.length)) ==
	       LINE_FOUND)
		if (take_line(client, line) < 0)
			return -1;
	return result == LINE_NONE
		       ? 0
		       : error_set(&client->error, "the server sent a line longer than %d bytes",
				   PING_CLIENT_LINE_MAX);
}

/* The end of the stream, or an error (reason). */
static int take_end(struct ping_client *client, const char *reason)
{
	const char *rest;
	client->over =
		client->close_by && !reason && !line_remainder(&client->server.received, &rest);
	return client->over ? 0
			    : error_set(&client->error, "the server closed the connection%s%s%s%s",
					reason ? ": " : "", reason ? reason : "",
					client->errors ? ": " : "", client->first_error);
}

/* Receives all that has arrived, before any request expires. */
static int receive(struct ping_client *client)
{
	do {
		ssize_t length = line_stream_receive(&client->server);
		if (length == 0)
			return take_end(client, NULL);
		if (length < 0 && errno == ENOMEM)
			return error_set(&client->error, "out of memory");
		if (length < 0)
			return errno == EAGAIN
				       ? 0
				       : take_end(client,
						  stream_failure(client->server.stream, errno));
		if (take_lines(client) < 0)
			return -1;
	} while (stream_pending(client->server.stream));
	return 0;
}

/* --- sending --- */

static int send_unsent(struct ping_client *client)
{
	if (line_stream_send(&client->server) == 0)
		return 0;
	if (errno != EPIPE && errno != ECONNRESET)
		return error_set(&client->error, "cannot send: %s",
				 stream_failure(client->server.stream, errno));
	/* after a reset, what the server sent before it may say why */
	buffer_clear(&client->server.unsent, 0);
	return 0;
}

static int send_request(struct ping_client *client, int64_t now)
{
	char line[PING_MESSAGE_SIZE];
	const struct ping_message request = {.kind = PING_REQUEST,
					     .request = request_table_sent(&client->requests)};
	(void)ping_message_write(line, &request);
	if (!buffer_printf(&client->server.unsent, "%s\n", line) ||
	    !request_table_add(&client->requests, now, ping_client_log_time(&client->log)))
		return error_set(&client->error, "out of memory");
	client->next = now + random_in(&client->random, &client->options->delay);
	return send_unsent(client);
}

/* --- deadlines and signals --- */

static void expire(struct ping_client *client, int64_t now)
{
	uint64_t number;
	const struct ping_request *request;
	while (request_table_expire(&client->requests, now, &number, &request))
		ping_client_log_exchange(&client->log, number, request, slice_of(EXCHANGE_TIMEOUT));
}

/* All requests are answered or expired: lets the server close, after the late answers. */
static void begin_close(struct ping_client *client)
{
	int64_t timeout = client->options->timeout;
	client->ended = clock_now();
	client->close_by = clock_after(timeout > PING_CLIENT_CLOSE ? timeout : PING_CLIENT_CLOSE);
	stream_end(client->server.stream);
}

/* The first signal ends the sending, another one the client. */
static int take_signal(struct ping_client *client)
{
	int64_t now = clock_now();
	if (!signalfd_take(client->signals))
		return 0;
	if (!client->interrupted)
		client->interrupted = client->end = now;
	return now - client->interrupted <= PING_CLIENT_SAME_SIGNAL
		       ? 0
		       : error_set(&client->error, "interrupted");
}

static int act_in_time(struct ping_client *client)
{
	int64_t now = clock_now();
	expire(client, now);
	/* back pressure: no request is added to an unsent one */
	if (now < client->end && now >= client->next && !line_stream_has_unsent(&client->server))
		return send_request(client, now);
	if (!client->close_by && now >= client->end &&
	    request_table_deadline(&client->requests) == CLOCK_NEVER)
		begin_close(client);
	if (!client->close_by || now < client->close_by)
		return 0;
	return error_set(&client->error, "the server does not close the connection");
}

/* When act_in_time() has something to do. */
static int64_t next_deadline(struct ping_client *client)
{
	if (client->close_by)
		return client->close_by;
	int64_t deadline = request_table_deadline(&client->requests);
	int64_t now = clock_now();
	if (now >= client->end)
		return deadline == CLOCK_NEVER ? now : deadline;
	deadline = clock_earlier(deadline, client->end);
	return line_stream_has_unsent(&client->server) ? deadline
						       : clock_earlier(deadline, client->next);
}

/* Writes the log, waits, and does what can be done then. */
static int step(struct ping_client *client)
{
	enum { SERVER, SIGNALS, COUNT };
	struct pollfd waiting[COUNT] = {[SIGNALS] = {.fd = client->signals, .events = POLLIN}};
	if (ping_client_log_write(&client->log, &client->error) < 0)
		return -1;
	if (line_stream_poll(&client->server, POLLIN | POLLOUT, waiting, COUNT,
			     next_deadline(client)) < 0)
		return error_set(&client->error, "cannot wait for events: %s", strerror(errno));
	if ((waiting[SIGNALS].revents && take_signal(client) < 0) ||
	    (waiting[SERVER].revents & ~POLLOUT && receive(client) < 0))
		return -1;
	if (client->over)
		return 0;
	if (waiting[SERVER].revents & POLLOUT && send_unsent(client) < 0)
		return -1;
	return act_in_time(client);
}

/* --- open, run, report, close --- */

static int open_client(struct ping_client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	const struct client_options *options = client->options;
	char local[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE];
	client->signals = signalfd_open(handled, &client->error);
	struct host_turn turn = {.hosts = &options->hosts};
	if (client->signals < 0 ||
	    ping_client_log_open(&client->log, options, client->signals, &client->error) < 0 ||
	    line_stream_open(&client->server,
			     stream_connect_any(options->stream_type, &turn, options->timeout,
						client->signals, &client->error),
			     PING_CLIENT_LINE_MAX) < 0)
		return -1;
	stream_local_name(client->server.stream, local);
	stream_peer_name(client->server.stream, peer);
	ping_client_log_note(&client->log, RECORD_INFO,
			     PING_NOTE_CONNECTED "%s to %s, seed %" PRId64, local, peer,
			     options->seed);
	return 0;
}

static int run(struct ping_client *client)
{
	struct error ignored; /* the first one counts */
	client->started = clock_now();
	client->end = clock_after(client->options->duration);
	client->next = client->started + random_in(&client->random, &client->options->delay);
	int result = 0;
	while (result == 0 && !client->over)
		result = step(client);
	if (result < 0) /* the log has an end of each request, though it is not awaited any more */
		expire(client, CLOCK_NEVER - 1);
	int written = ping_client_log_write(&client->log, result < 0 ? &ignored : &client->error);
	return result < 0 ? result : written;
}

/* Prints what it did. */
static bool print_report(struct ping_client *client, bool good)
{
	int where = client->log.to_stdout ? STDERR_FILENO : STDOUT_FILENO;
	const struct client_options *options = client->options;
	char name[64];
	if (!client->started || options->quiet)
		return true;
	int64_t ended = client->ended ? client->ended : clock_now();
	(void)snprintf(name, sizeof name, "%.32s %" PRId64, client->program, options->number);
	struct buffer text = {0};
	struct error error;
	bool complete = request_table_report(&text, name, &client->requests,
					     ended - client->started, options->seed);
	bool printed = program_print(where, "the report", &text, complete, &error) == 0;
	if (!printed && good) /* else an error is reported already */
		program_complain(client->program, error.message);
	return printed;
}

/* Reports how it ended. True: as it should. */
static bool report(struct ping_client *client, bool good)
{
	if (!good)
		program_complain(client->program, client->error.message);
	else if (client->interrupted)
		program_complain(client->program, "interrupted");
	if (good && client->errors) {
		error_set(&client->error, "the server sent %" PRIu64 " errors, the first was '%s'",
			  client->errors, client->first_error);
		program_complain(client->program, client->error.message);
	}
	return print_report(client, good) && good && !client->interrupted && !client->errors;
}

static void close_client(struct ping_client *client)
{
	line_stream_close(&client->server);
	ping_client_log_close(&client->log);
	descriptor_close(&client->signals);
	request_table_free(&client->requests);
}

enum exit_status ping_client_run(const struct client_options *options, const char *program)
{
	struct ping_client client = {.options = options,
				     .program = program,
				     .signals = -1,
				     .requests = {.timeout = options->timeout},
				     .log.file.descriptor = -1};
	/* a number that no request has, as the server draws from those */
	client.random =
		random_state((uint64_t)options->seed, (uint64_t)options->number, UINT64_MAX);
	bool done = report(&client, open_client(&client) == 0 && run(&client) == 0);
	close_client(&client);
	return done ? EXIT_DONE : EXIT_FAILED;
}
