/* SPDX-License-Identifier: MIT */
#include "client/ping/event_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/line_splitter.h"
#include "net/socket.h"
#include "client/ping/log.h"
#include "client/ping/request_table.h"
#include "base/random.h"
#include "record/escape.h"
#include "base/signalfd.h"
#include "net/stream_tcp.h"

#define PING_CLIENT_LINE 65536 /* bytes; what a server of ping says is shorter */

/* How long the server may take to close when everything is done, and -timeout at the least: it
 * sends first what it still has. */
#define PING_CLIENT_END (5 * CLOCK_SECOND)

/* A signal that comes right after the first one is the same, as for the other clients. */
#define PING_CLIENT_SAME_SIGNAL (200 * CLOCK_MILLISECOND)

struct ping_client {
	const struct client_options *options;
	const char *program;
	int signals;
	struct stream *stream;
	struct line_splitter lines;
	struct buffer unsent;
	struct request_table pings;
	uint64_t chance; /* what is random comes from it */
	struct ping_client_log log;
	int64_t started, ended;
	int64_t last;	     /* from then on nothing more is sent */
	int64_t next;	     /* when the next request is to be sent */
	int64_t closing;     /* until when the server may close; 0: it is not time for that */
	int64_t interrupted; /* when the first signal came; 0: none */
	bool over;	     /* the server has closed, in the end */
	uint64_t errors;     /* lines that begin so */
	char first_error[128];
	struct error error;
};

static bool out_of_memory(struct ping_client *pinger)
{
	error_set(&pinger->error, "out of memory");
	return false;
}

/* --- what comes --- */

static bool take_error(struct ping_client *pinger, const char *line, size_t length)
{
	char words[sizeof pinger->first_error + 32];
	if (!pinger->errors++)
		(void)snprintf(pinger->first_error, sizeof pinger->first_error, "%.*s", (int)length,
			       line);
	(void)snprintf(words, sizeof words, "the server says: %.*s",
		       (int)(length < 128 ? length : 128), line);
	return ping_client_log_note(&pinger->log, RECORD_WARNING, words) || out_of_memory(pinger);
}

static bool take_late(struct ping_client *pinger, const char *line, size_t length)
{
	char words[PING_MESSAGE_SIZE + sizeof PING_NOTE_LATE];
	(void)snprintf(words, sizeof words, PING_NOTE_LATE "%.*s", (int)length, line);
	return ping_client_log_note(&pinger->log, RECORD_INFO, words) || out_of_memory(pinger);
}

static bool take_unknown(struct ping_client *pinger, const char *line, size_t length)
{
	char excerpt[EXCERPT_SIZE];
	error_set(&pinger->error, "the server sent what is no line of ping: '%s'",
		  record_excerpt(excerpt, line, length));
	return false;
}

static bool take_line(struct ping_client *pinger, const char *line, size_t length)
{
	static const char errnum[] = "error: ";
	const struct ping_request *request;
	struct ping_message read;
	if (length >= sizeof errnum - 1 && !memcmp(line, errnum, sizeof errnum - 1))
		return take_error(pinger, line, length);
	if (!ping_message_read(line, length, &read))
		return take_unknown(pinger, line, length);
	switch (request_table_take(&pinger->pings, &read, clock_now(), &request, &pinger->error)) {
	case REQUEST_ANSWERED:
		return ping_client_log_answer(&pinger->log, read.request, request, line, length) ||
		       out_of_memory(pinger);
	case REQUEST_LATE:
		return take_late(pinger, line, length);
	case REQUEST_KEEPALIVE:
		return ping_client_log_message(&pinger->log, line, length) || out_of_memory(pinger);
	case REQUEST_WRONG:
		break;
	}
	return false;
}

static bool take_lines(struct ping_client *pinger)
{
	const char *line;
	size_t length;
	enum line_result result;
	while ((result = line_next(&pinger->lines, &line, &length)) == LINE_FOUND)
		if (!take_line(pinger, line, length))
			return false;
	if (result == LINE_TOO_LONG)
		error_set(&pinger->error, "the server sent a line longer than %d bytes",
			  PING_CLIENT_LINE);
	return result == LINE_NONE;
}

/* Nothing more comes: well only when it was time for that, and no line was begun. */
static bool take_end(struct ping_client *pinger, const char *reason)
{
	const char *rest;
	pinger->over = pinger->closing && !reason && !line_remainder(&pinger->lines, &rest);
	if (pinger->over)
		return true;
	error_set(&pinger->error, "the server closed the connection%s%s%s%s", reason ? ": " : "",
		  reason ? reason : "", pinger->errors ? ": " : "", pinger->first_error);
	return false;
}

/* Takes all that has come, before anything is given up for not having come. */
static bool receive(struct ping_client *pinger)
{
	do {
		size_t room;
		char *space = line_space(&pinger->lines, &room);
		if (!space)
			return out_of_memory(pinger);
		ssize_t length = stream_receive_now(pinger->stream, space, room);
		if (length < 0 && errno == EAGAIN)
			return true;
		if (length <= 0)
			return take_end(pinger, length < 0 ? strerror(errno) : NULL);
		line_filled(&pinger->lines, (size_t)length);
		if (!take_lines(pinger))
			return false;
	} while (stream_pending(pinger->stream));
	return true;
}

/* --- what goes, and what is over --- */

static bool has_unsent(const struct ping_client *pinger)
{
	return pinger->unsent.length || stream_owed(pinger->stream);
}

static bool send_unsent(struct ping_client *pinger)
{
	ssize_t sent = stream_flush(pinger->stream);
	if (sent == 0 && pinger->unsent.length)
		sent = stream_send(pinger->stream, pinger->unsent.bytes, pinger->unsent.length);
	if (sent >= 0)
		buffer_drop(&pinger->unsent, (size_t)sent);
	else if (errno != EPIPE && errno != ECONNRESET)
		error_set(&pinger->error, "cannot send: %s", strerror(errno));
	else /* perhaps the server has said why */
		buffer_clear(&pinger->unsent, PING_CLIENT_LINE);
	return sent >= 0 || errno == EPIPE || errno == ECONNRESET;
}

static bool send_request(struct ping_client *pinger, int64_t now)
{
	char line[PING_MESSAGE_SIZE];
	const struct ping_message asked = {.kind = PING_REQUEST,
					   .request = request_table_sent(&pinger->pings)};
	size_t length = ping_message_write(line, &asked);
	line[length++] = '\n'; /* in the place of the NUL */
	if (!buffer_append(&pinger->unsent, line, length) ||
	    !request_table_add(&pinger->pings, now, ping_client_log_time(&pinger->log)))
		return out_of_memory(pinger);
	const struct range *delay = &pinger->options->delay;
	pinger->next = now + random_between(&pinger->chance, delay->min, delay->max);
	return send_unsent(pinger);
}

static bool expire(struct ping_client *pinger, int64_t now)
{
	uint64_t number;
	const struct ping_request *request;
	while (request_table_expire(&pinger->pings, now, &number, &request))
		if (!ping_client_log_timeout(&pinger->log, number, request))
			return out_of_memory(pinger);
	return true;
}

/* Everything was sent, and answered or given up: the server may close. It sends first what it still
 * has, so that each late answer is seen. */
static void begin_end(struct ping_client *pinger)
{
	int64_t timeout = pinger->options->timeout;
	pinger->ended = clock_now();
	pinger->closing = clock_after(timeout > PING_CLIENT_END ? timeout : PING_CLIENT_END);
	stream_end(pinger->stream);
}

/* A first signal ends the sending, a second one everything. */
static bool take_signal(struct ping_client *pinger)
{
	if (!signalfd_take(pinger->signals))
		return true;
	int64_t now = clock_now();
	if (!pinger->interrupted) {
		pinger->interrupted = pinger->last = now;
		return true;
	}
	error_set(&pinger->error, "interrupted");
	return now - pinger->interrupted <= PING_CLIENT_SAME_SIGNAL;
}

/* What time it is for. */
static bool act(struct ping_client *pinger)
{
	int64_t now = clock_now();
	if (!expire(pinger, now))
		return false;
	/* while the server takes nothing, nothing is added */
	if (now < pinger->last && now >= pinger->next && !has_unsent(pinger))
		return send_request(pinger, now);
	if (!pinger->closing && now >= pinger->last &&
	    request_table_deadline(&pinger->pings) == CLOCK_NEVER)
		begin_end(pinger);
	if (!pinger->closing || now < pinger->closing)
		return true;
	error_set(&pinger->error, "the server does not close the connection");
	return false;
}

/* When act() has something to do. */
static int64_t deadline_of(const struct ping_client *pinger)
{
	if (pinger->closing)
		return pinger->closing;
	int64_t deadline = request_table_deadline(&pinger->pings);
	int64_t now = clock_now();
	if (now >= pinger->last)
		return deadline == CLOCK_NEVER ? now : deadline;
	deadline = clock_earlier(deadline, pinger->last);
	return has_unsent(pinger) ? deadline : clock_earlier(deadline, pinger->next);
}

/* Waits, and does what is then to be done. False: it failed. */
static bool turn(struct ping_client *pinger)
{
	short wanted = has_unsent(pinger) ? POLLIN | POLLOUT : POLLIN;
	struct pollfd waiting[] = {
		stream_pollfd(pinger->stream, wanted),
		{.fd = pinger->signals, .events = POLLIN},
	};
	bool buffered = stream_buffered(pinger->stream);
	int ready = poll(waiting, 2, buffered ? 0 : clock_poll_timeout(deadline_of(pinger)));
	if (ready < 0 && errno != EINTR) {
		error_set(&pinger->error, "cannot wait: %s", strerror(errno));
		return false;
	}
	if (ready > 0 && waiting[1].revents && !take_signal(pinger))
		return false;
	if ((buffered || (ready > 0 && waiting[0].revents & ~POLLOUT)) && !receive(pinger))
		return false;
	if (pinger->over)
		return true;
	if (ready > 0 && waiting[0].revents & POLLOUT && !send_unsent(pinger))
		return false;
	return act(pinger);
}

/* --- from the beginning to the end --- */

static bool open_connection(struct ping_client *pinger)
{
	const struct client_options *options = pinger->options;
	char words[SOCKET_NAME_SIZE * 2 + 64], local[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE];
	pinger->stream = stream_connect(&stream_tcp, options->host, (int)options->port,
					clock_after(options->timeout), &pinger->error);
	if (!pinger->stream)
		return false;
	stream_local_name(pinger->stream, local);
	stream_peer_name(pinger->stream, peer);
	(void)snprintf(words, sizeof words, PING_NOTE_CONNECTED "%s to %s, seed %" PRId64, local,
		       peer, options->seed);
	return ping_client_log_note(&pinger->log, RECORD_INFO, words) || out_of_memory(pinger);
}

static bool open_all(struct ping_client *pinger)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	pinger->signals = signalfd_open(handled, &pinger->error);
	if (pinger->signals < 0)
		return false;
	if (!line_init(&pinger->lines, PING_CLIENT_LINE))
		return out_of_memory(pinger);
	return ping_client_log_open(&pinger->log, pinger->options, pinger->signals,
				    &pinger->error) &&
	       open_connection(pinger);
}

static bool ping(struct ping_client *pinger)
{
	const struct client_options *options = pinger->options;
	pinger->started = clock_now();
	pinger->last = clock_after(options->duration);
	pinger->next = pinger->started +
		       random_between(&pinger->chance, options->delay.min, options->delay.max);
	bool written, well = true;
	while ((written = ping_client_log_write(&pinger->log, &pinger->error)) && well &&
	       !pinger->over)
		well = turn(pinger);
	return written && well;
}

/* What it did, on stdout, behind its lines. */
static bool show_report(const struct ping_client *pinger, bool well)
{
	const struct client_options *options = pinger->options;
	char name[64];
	if (!pinger->started || options->quiet)
		return true;
	int64_t ended = pinger->ended ? pinger->ended : clock_now();
	(void)snprintf(name, sizeof name, "%.32s %" PRId64, pinger->program, options->number);
	struct buffer text = {0};
	bool complete = request_table_report(&text, name, &pinger->pings, ended - pinger->started,
					     options->seed);
	complete &= fwrite(text.bytes, 1, text.length, stdout) == text.length;
	buffer_free(&text);
	if (complete && fflush(stdout) == 0)
		return true;
	if (well) /* else it has been said, or is not what matters */
		program_complain(pinger->program, "cannot write the report to stdout");
	return false;
}

/* Tells how it ended. True: as it should. */
static bool tell(const struct ping_client *pinger, bool well)
{
	char words[sizeof pinger->first_error + 64];
	if (!well)
		program_complain(pinger->program, pinger->error.message);
	else if (pinger->interrupted)
		program_complain(pinger->program, "interrupted");
	if (well && pinger->errors) {
		(void)snprintf(words, sizeof words,
			       "the server sent %" PRIu64 " errors, first '%s'", pinger->errors,
			       pinger->first_error);
		program_complain(pinger->program, words);
	}
	return show_report(pinger, well) && well && !pinger->interrupted && !pinger->errors;
}

/* What will not be answered any more is given up, so that the log has an end of it. */
static void give_up_all(struct ping_client *pinger)
{
	struct error ignored; /* the first one is what matters */
	if (expire(pinger, CLOCK_NEVER - 1))
		(void)ping_client_log_write(&pinger->log, &ignored);
}

static void close_all(struct ping_client *pinger)
{
	stream_close(pinger->stream, 0);
	ping_client_log_close(&pinger->log);
	if (pinger->signals >= 0)
		(void)close(pinger->signals); /* nothing is lost */
	line_free(&pinger->lines);
	buffer_free(&pinger->unsent);
	request_table_free(&pinger->pings);
	free(pinger);
}

enum exit_status ping_client_run(const struct client_options *options, const char *program)
{
	struct ping_client *pinger = memory_calloc(1, sizeof *pinger);
	if (!pinger) {
		program_complain(program, "out of memory");
		return EXIT_FAILED;
	}
	pinger->options = options;
	pinger->program = program;
	pinger->signals = pinger->log.descriptor = -1;
	pinger->pings.timeout = options->timeout;
	/* the server draws from numbers of requests, which this is not */
	pinger->chance =
		random_state((uint64_t)options->seed, (uint64_t)options->number, UINT64_MAX);
	bool well = open_all(pinger) && ping(pinger);
	if (pinger->started && !well)
		give_up_all(pinger);
	bool done = tell(pinger, well);
	close_all(pinger);
	return done ? EXIT_DONE : EXIT_FAILED;
}
