/* SPDX-License-Identifier: MIT */
#include "client/ping/event_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/signalfd.h"
#include "base/slice.h"
#include "client/ping/log.h"
#include "client/ping/request_table.h"
#include "net/answers.h"
#include "net/line_splitter.h"
#include "net/stream.h"
#include "record/escape.h"
#include "record/exchange.h"

enum { PING_CLIENT_LINE_MAX = 65536 }; /* bytes; messages of a server are shorter */

/* How long the server may take to close, and -timeout at least: it sends first what it delays. */
#define PING_CLIENT_CLOSE (5 * CLOCK_SECOND)

/* Signals this close together count as one. */
#define PING_CLIENT_SAME_SIGNAL (200 * CLOCK_MILLISECOND)

struct ping_client {
	const struct client_options *options;
	const char *program;
	int signals;
	struct stream *stream;
	struct line_splitter lines;
	char request[PING_MESSAGE_SIZE];
	struct slice unsent; /* of `request` */
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
	char first_error[128];
	struct error error;
};

/* --- receiving --- */

static bool take_error(struct ping_client *client, struct slice line)
{
	const int max = sizeof client->first_error;
	int length = line.length < (size_t)max ? (int)line.length : max;
	if (!client->errors++)
		(void)snprintf(client->first_error, sizeof client->first_error, "%.*s", length,
			       line.bytes);
	ping_client_log_note(&client->log, RECORD_WARNING, "the server says: %.*s", length,
			     line.bytes);
	return true;
}

static bool take_line(struct ping_client *client, struct slice line)
{
	const struct ping_request *request;
	struct ping_message message;
	char excerpt[EXCERPT_SIZE];
	if (slice_begins(line, ANSWER_ERROR))
		return take_error(client, line);
	if (!ping_message_read(line, &message)) {
		error_set(&client->error, "the server sent what is no line of ping: '%s'",
			  record_excerpt(excerpt, line.bytes, line.length));
		return false;
	}
	switch (request_table_take(&client->requests, &message, clock_now(), &request,
				   &client->error)) {
	case REQUEST_ANSWERED:
		ping_client_log_exchange(&client->log, message.request, request, line);
		return true;
	case REQUEST_LATE:
		ping_client_log_note(&client->log, RECORD_INFO, PING_NOTE_LATE "%.*s",
				     (int)line.length, line.bytes);
		return true;
	case REQUEST_KEEPALIVE:
		ping_client_log_message(&client->log, line);
		return true;
	case REQUEST_WRONG:
		break;
	}
	return false;
}

static bool take_lines(struct ping_client *client)
{
	struct slice line;
	enum line_result result;
	while ((result = line_next(&client->lines, &line.bytes, &line.length)) == LINE_FOUND)
		if (!take_line(client, line))
			return false;
	if (result == LINE_TOO_LONG)
		error_set(&client->error, "the server sent a line longer than %d bytes",
			  PING_CLIENT_LINE_MAX);
	return result == LINE_NONE;
}

/* The end of the stream, or an error (reason). */
static bool take_end(struct ping_client *client, const char *reason)
{
	const char *rest;
	client->over = client->close_by && !reason && !line_remainder(&client->lines, &rest);
	if (client->over)
		return true;
	error_set(&client->error, "the server closed the connection%s%s%s%s", reason ? ": " : "",
		  reason ? reason : "", client->errors ? ": " : "", client->first_error);
	return false;
}

/* Receives all that has arrived, before any request expires. */
static bool receive(struct ping_client *client)
{
	do {
		size_t room;
		char *space = line_space(&client->lines, &room);
		if (!space) {
			error_set(&client->error, "out of memory");
			return false;
		}
		ssize_t length = stream_receive_now(client->stream, space, room);
		if (length < 0 && errno == EAGAIN)
			return true;
		if (length <= 0)
			return take_end(client, length < 0 ? strerror(errno) : NULL);
		line_filled(&client->lines, (size_t)length);
		if (!take_lines(client))
			return false;
	} while (stream_pending(client->stream));
	return true;
}

/* --- sending --- */

static bool has_unsent(const struct ping_client *client)
{
	return client->unsent.length || stream_owed(client->stream);
}

static bool send_unsent(struct ping_client *client)
{
	ssize_t sent = stream_flush(client->stream);
	if (sent == 0 && client->unsent.length)
		sent = stream_send(client->stream, client->unsent.bytes, client->unsent.length);
	if (sent < 0 && errno != EPIPE && errno != ECONNRESET) {
		error_set(&client->error, "cannot send: %s", strerror(errno));
		return false;
	}
	/* after a reset, what the server sent before it may say why */
	size_t done = sent < 0 ? client->unsent.length : (size_t)sent;
	client->unsent.bytes += done;
	client->unsent.length -= done;
	return true;
}

static bool send_request(struct ping_client *client, int64_t now)
{
	const struct ping_message request = {.kind = PING_REQUEST,
					     .request = request_table_sent(&client->requests)};
	size_t length = ping_message_write(client->request, &request);
	client->request[length++] = '\n'; /* in the place of the NUL */
	client->unsent = (struct slice){.bytes = client->request, .length = length};
	if (!request_table_add(&client->requests, now, ping_client_log_time(&client->log))) {
		error_set(&client->error, "out of memory");
		return false;
	}
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
	stream_end(client->stream);
}

/* The first signal ends the sending, another one the client. */
static bool take_signal(struct ping_client *client)
{
	if (!signalfd_take(client->signals))
		return true;
	int64_t now = clock_now();
	if (!client->interrupted)
		client->interrupted = client->end = now;
	error_set(&client->error, "interrupted");
	return now - client->interrupted <= PING_CLIENT_SAME_SIGNAL;
}

static bool act_in_time(struct ping_client *client)
{
	int64_t now = clock_now();
	expire(client, now);
	/* back pressure: no request is added to an unsent one */
	if (now < client->end && now >= client->next && !has_unsent(client))
		return send_request(client, now);
	if (!client->close_by && now >= client->end &&
	    request_table_deadline(&client->requests) == CLOCK_NEVER)
		begin_close(client);
	if (!client->close_by || now < client->close_by)
		return true;
	error_set(&client->error, "the server does not close the connection");
	return false;
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
	return has_unsent(client) ? deadline : clock_earlier(deadline, client->next);
}

/* Waits, and does what can be done then. False: failed. */
static bool step(struct ping_client *client)
{
	struct pollfd waiting[] = {
		stream_pollfd(client->stream, has_unsent(client) ? POLLIN | POLLOUT : POLLIN),
		{.fd = client->signals, .events = POLLIN},
	};
	bool buffered = stream_buffered(client->stream);
	int ready = clock_poll(waiting, 2, buffered ? 0 : next_deadline(client));
	if (ready < 0 && errno != EINTR) {
		error_set(&client->error, "cannot wait: %s", strerror(errno));
		return false;
	}
	int server = ready > 0 ? waiting[0].revents : 0;
	if (ready > 0 && waiting[1].revents && !take_signal(client))
		return false;
	if ((buffered || server & ~POLLOUT) && !receive(client))
		return false;
	if (client->over)
		return true;
	return (!(server & POLLOUT) || send_unsent(client)) && act_in_time(client);
}

/* --- open, run, report, close --- */

static bool open_client(struct ping_client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	const struct client_options *options = client->options;
	char local[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE];
	client->signals = signalfd_open(handled, &client->error);
	if (client->signals < 0)
		return false;
	if (!line_init(&client->lines, PING_CLIENT_LINE_MAX)) {
		error_set(&client->error, "out of memory");
		return false;
	}
	if (!ping_client_log_open(&client->log, options, client->signals, &client->error))
		return false;
	client->stream = stream_connect(&stream_tcp, options->host, (int)options->port, NULL,
					clock_after(options->timeout), &client->error);
	if (!client->stream)
		return false;
	stream_local_name(client->stream, local);
	stream_peer_name(client->stream, peer);
	ping_client_log_note(&client->log, RECORD_INFO,
			     PING_NOTE_CONNECTED "%s to %s, seed %" PRId64, local, peer,
			     options->seed);
	return true;
}

static bool run(struct ping_client *client)
{
	struct error ignored; /* the first one counts */
	client->started = clock_now();
	client->end = clock_after(client->options->duration);
	client->next = client->started + random_in(&client->random, &client->options->delay);
	bool written, good = true;
	while ((written = ping_client_log_write(&client->log, &client->error)) && good &&
	       !client->over)
		good = step(client);
	if (written && good)
		return true;
	/* requests that are not answered any more expire, so that the log has an end of each */
	expire(client, CLOCK_NEVER - 1);
	(void)ping_client_log_write(&client->log, &ignored);
	return false;
}

/* Prints what it did to stdout. */
static bool print_report(struct ping_client *client, bool good)
{
	const struct client_options *options = client->options;
	char name[64];
	if (!client->started || options->quiet)
		return true;
	int64_t ended = client->ended ? client->ended : clock_now();
	(void)snprintf(name, sizeof name, "%.32s %" PRId64, client->program, options->number);
	struct buffer text = {0};
	bool complete = request_table_report(&text, name, &client->requests,
					     ended - client->started, options->seed);
	complete &= fwrite(text.bytes, 1, text.length, stdout) == text.length;
	buffer_free(&text);
	if (complete && fflush(stdout) == 0)
		return true;
	if (good) /* else an error is reported already */
		program_complain(client->program, "cannot write the report to stdout");
	return false;
}

/* Reports how it ended. True: as it should. */
static bool report(struct ping_client *client, bool good)
{
	if (!good)
		program_complain(client->program, client->error.message);
	else if (client->interrupted)
		program_complain(client->program, "interrupted");
	if (good && client->errors) {
		error_set(&client->error, "the server sent %" PRIu64 " errors, first '%s'",
			  client->errors, client->first_error);
		program_complain(client->program, client->error.message);
	}
	return print_report(client, good) && good && !client->interrupted && !client->errors;
}

static void close_client(struct ping_client *client)
{
	stream_close(client->stream, 0);
	ping_client_log_close(&client->log);
	if (client->signals >= 0)
		(void)close(client->signals); /* no data was written to it */
	line_free(&client->lines);
	request_table_free(&client->requests);
}

enum exit_status ping_client_run(const struct client_options *options, const char *program)
{
	struct ping_client client = {.options = options, .program = program, .signals = -1};
	client.log.descriptor = -1;
	client.requests.timeout = options->timeout;
	/* a number that no request has, as the server draws from those */
	client.random =
		random_state((uint64_t)options->seed, (uint64_t)options->number, UINT64_MAX);
	bool done = report(&client, open_client(&client) && run(&client));
	close_client(&client);
	return done ? EXIT_DONE : EXIT_FAILED;
}
