/* SPDX-License-Identifier: MIT */
/* What main does with -http: it waits for a request, runs it, and answers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/signalfd.h"
#include "client/run.h"
#include "client/trigger/trigger.h"

enum { VERDICT_MAX = 8192 }; /* bytes of a line from the parent program */

struct server {
	const struct client_options *options;
	const char *program;
	int signals; /* signalfd */
	struct trigger *trigger;
	bool over; /* a signal has come */
};

static void note_progress(void *context, uint64_t acknowledged)
{
	struct server *server = context;
	trigger_progress(server->trigger, acknowledged);
}

/* Waits for a descriptor. False: a signal came first, or it failed. */
static bool await(struct server *server, int descriptor)
{
	struct pollfd waiting[] = {{.fd = server->signals, .events = POLLIN},
				   {.fd = descriptor, .events = POLLIN}};
	while (!server->over && clock_poll(waiting, 2, CLOCK_NEVER) >= 0) {
		if (waiting[0].revents && signalfd_take(server->signals))
			server->over = true;
		else if (waiting[1].revents)
			return true;
	}
	return false;
}

/* Reads a line of JSON from the parent program. Without one, it is null. */
static bool read_verdict(struct server *server, struct buffer *verdict)
{
	while (verdict->length < VERDICT_MAX && await(server, (int)server->options->acks)) {
		char byte;
		ssize_t length = read((int)server->options->acks, &byte, 1);
		if (length < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (length == 1 && byte == '\n')
			return true;
		if (length != 1 || !buffer_append(verdict, &byte, 1))
			break;
	}
	buffer_clear(verdict, VERDICT_MAX);
	return buffer_append_string(verdict, "null");
}

/* Puts it into the report, which ends in "}" and LF. */
static bool add_verdict(struct server *server, struct buffer *report)
{
	struct buffer verdict = {0};
	bool complete = read_verdict(server, &verdict);
	if (!report->length)
		complete = false;
	else
		report->length -= 2;
	complete = complete && buffer_printf(report, ",\"verdict\":%.*s}\n", (int)verdict.length,
					     verdict.bytes);
	buffer_free(&verdict);
	return complete;
}

static void run_request(struct server *server, const struct trigger_query *query)
{
	struct client_options options = *server->options;
	struct buffer report = {0};
	struct client_request request = {.signals = server->signals,
					 .progress = note_progress,
					 .context = server,
					 .report = &report};
	options.threads = query->connections;
	options.iterations = query->values;
	options.delay = (struct range){0, query->delay};
	options.order = ORDER_FREE;
	options.connect = CONNECT_EACH;
	options.report = REPORT_JSON;
	options.quiet = true;
	if (options.acks >= 0) /* each result closes the descriptor that it is written to */
		options.acks = fcntl((int)options.acks, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	client_run_request(&options, server->program, &request);
	server->over |= request.interrupted;
	if (server->options->acks >= 0 && !add_verdict(server, &report))
		buffer_free(&report);
	trigger_answer(server->trigger, &report);
}

enum exit_status trigger_client_run(const struct client_options *options, const char *program)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	struct server server = {.options = options, .program = program};
	struct trigger_query query;
	char name[SOCKET_NAME_SIZE], message[SOCKET_NAME_SIZE + 40];
	struct error error;
	server.signals = signalfd_open(handled, &error);
	if (server.signals >= 0)
		server.trigger = trigger_open(options, server.signals, name, &error);
	if (!server.trigger) {
		program_complain(program, error.message);
		descriptor_close(&server.signals);
		return EXIT_FAILED;
	}
	(void)snprintf(message, sizeof message, "waiting for requests at http://%s/", name);
	program_complain(program, message);
	while (await(&server, trigger_asked(server.trigger)))
		if (trigger_take(server.trigger, &query))
			run_request(&server, &query);
	trigger_close(server.trigger);
	descriptor_close(&server.signals);
	return EXIT_DONE;
}
