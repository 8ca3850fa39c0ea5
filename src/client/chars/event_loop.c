/* SPDX-License-Identifier: MIT */
#include "client/chars/event_loop.h"

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
#include "client/chars/state.h"
#include "measure/client_result_writer.h"
#include "net/stream.h"

enum {
	CHARS_CLIENT_LINE_MAX = 65536,	  /* bytes */
	CHARS_CLIENT_REQUESTS_MAX = 4096, /* unsent bytes, before commands have to wait */
};

/* How long an automatic client runs without -duration. */
#define CHARS_CLIENT_DURATION (10 * CLOCK_SECOND)

/* Back pressure: while stdout is not read, nothing is received. */
static bool is_blocked(const struct chars_client *client)
{
	return client->output.waiting.length > TERMINAL_OUTPUT_MAX;
}

enum { WAIT_SIGNALS, WAIT_SERVER, WAIT_USER, WAIT_STDOUT, WAIT_COUNT };

static struct pollfd wait_if(bool wanted, int descriptor, short events)
{
	return (struct pollfd){.fd = wanted ? descriptor : -1, .events = events};
}

static void fill_waiting(const struct chars_client *client, struct pollfd waiting[WAIT_COUNT])
{
	bool over = client->state == CHARS_CLIENT_OVER;
	bool commands = client->state == CHARS_CLIENT_OPEN && !client->automatic &&
			client->requests.length < CHARS_CLIENT_REQUESTS_MAX;
	int server = over || is_blocked(client) ? 0 : POLLIN;
	server |= over || !chars_client_has_unsent(client) ? 0 : POLLOUT;
	waiting[WAIT_SIGNALS] = wait_if(true, client->signals, POLLIN);
	waiting[WAIT_SERVER] = stream_pollfd(server ? client->stream : NULL, (short)server);
	waiting[WAIT_USER] = wait_if(commands, STDIN_FILENO, POLLIN);
	waiting[WAIT_STDOUT] =
		wait_if(client->output.waiting.length > 0, client->output.descriptor, POLLOUT);
}

/* When an automatic client asks next. Without a delay it waits for each answer. */
static int64_t next_request(const struct chars_client *client)
{
	if (!client->automatic || client->state != CHARS_CLIENT_OPEN)
		return CLOCK_NEVER;
	if (client->asked && !client->options->delay.max)
		return client->end;
	return clock_earlier(client->next, client->end);
}

static int64_t next_deadline(const struct chars_client *client)
{
	if (client->state == CHARS_CLIENT_OVER)
		return client->over_deadline;
	return clock_earlier(next_request(client),
			     is_blocked(client) ? CLOCK_NEVER : client->answer_deadline);
}

static void act_in_time(struct chars_client *client)
{
	int64_t now = clock_now();
	if (now >= next_request(client)) {
		client->next = clock_after(random_in(&client->random, &client->options->delay));
		if (now >= client->end)
			client->state = CHARS_CLIENT_LEAVING;
		chars_client_ask(client);
	}
	if (client->asked && !is_blocked(client) && clock_now() >= client->answer_deadline)
		chars_client_fail(client, "no answer to 'stat' within %gs",
				  (double)client->options->timeout / (double)CLOCK_SECOND);
}

static void write_output(struct chars_client *client)
{
	struct error error;
	bool blocked = is_blocked(client);
	if (terminal_output_write(&client->output, &error) < 0)
		chars_client_fail(client, "%s", error.message);
	if (blocked && !is_blocked(client) && client->asked) /* answers may have arrived long ago */
		client->answer_deadline = clock_after(client->options->timeout);
}

/* Does what can be done now. */
static void step(struct chars_client *client, const struct pollfd waiting[WAIT_COUNT])
{
	short server = waiting[WAIT_SERVER].revents;
	if (waiting[WAIT_SIGNALS].revents)
		chars_client_signal(client);
	if (waiting[WAIT_STDOUT].revents)
		write_output(client);
	if (client->state != CHARS_CLIENT_OVER && server & POLLOUT)
		chars_client_send(client);
	if (client->state != CHARS_CLIENT_OVER && server & ~POLLOUT)
		chars_client_receive(client);
	if (client->state == CHARS_CLIENT_OPEN && waiting[WAIT_USER].revents)
		chars_client_command(client);
	if (client->state != CHARS_CLIENT_OVER)
		act_in_time(client);
}

static void run(struct chars_client *client)
{
	struct pollfd waiting[WAIT_COUNT];
	while (client->state != CHARS_CLIENT_OVER || client->output.waiting.length) {
		/* not every shell that moves a job to the foreground sends a signal */
		if (client->state == CHARS_CLIENT_OPEN && !client->terminal.raw)
			raw_mode_enter(&client->terminal);
		fill_waiting(client, waiting);
		bool buffered =
			waiting[WAIT_SERVER].events & POLLIN && stream_buffered(client->stream);
		int64_t deadline = buffered ? 0 : next_deadline(client);
		int ready = clock_poll(waiting, WAIT_COUNT, deadline);
		if (buffered)
			waiting[WAIT_SERVER].revents |= POLLIN;
		if (ready < 0 && errno != EINTR)
			chars_client_fail(client, "cannot wait: %s", strerror(errno));
		if (ready == 0 && client->state == CHARS_CLIENT_OVER)
			return; /* the output was not read */
		if (ready >= 0)
			step(client, waiting);
	}
}

/* Connects first: until then a signal ends the program as by default, also one that was blocked
 * when it was started. */
static int open_client(struct chars_client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, 0};
	const struct client_options *options = client->options;
	signalfd_restore(NULL);
	client->stream = stream_connect(&stream_tcp, options->host, (int)options->port, NULL,
					clock_after(options->timeout), &client->error);
	if (!client->stream)
		return -1;
	client->signals = signalfd_open(handled, &client->error);
	if (client->signals < 0)
		return -1;
	if (!line_init(&client->answers, CHARS_CLIENT_LINE_MAX) ||
	    !line_init(&client->commands, CHARS_CLIENT_LINE_MAX))
		return error_set(&client->error, "out of memory");
	stream_local_name(client->stream, client->result.name);
	terminal_output_open(&client->output, STDOUT_FILENO, !client->automatic);
	if (!client->automatic) {
		raw_mode_open(&client->terminal, STDIN_FILENO);
		client->keys = client->terminal.known;
		raw_mode_enter(&client->terminal);
	}
	client->answer_deadline = client->over_deadline = CLOCK_NEVER;
	client->random = random_state((uint64_t)options->seed, (uint64_t)options->number, 0);
	client->end = clock_after(options->duration ? options->duration : CHARS_CLIENT_DURATION);
	client->next = clock_after(random_in(&client->random, &client->options->delay));
	return 0;
}

static void report(struct chars_client *client)
{
	const struct chars_result *result = &client->result;
	if (client->automatic && !client->options->quiet &&
	    (printf("%s: %" PRIu64 " characters in %" PRIu64 " messages; %" PRIu64
		    " stats, together %" PRIu64 "; pauses by seed %" PRId64 "\n",
		    client->program, result->got.characters, result->got.messages, result->stats,
		    result->counted, client->options->seed) < 0 ||
	     fflush(stdout) != 0))
		program_complain(client->program, "cannot write the report to stdout");
	if (client->options->acks >= 0)
		client->failed =
			!chars_result_write(result, (int)client->options->acks, &client->error);
}

static void close_client(struct chars_client *client)
{
	raw_mode_leave(&client->terminal);
	terminal_output_close(&client->output);
	line_free(&client->answers);
	line_free(&client->commands);
	buffer_free(&client->requests);
	stream_close(client->stream, 0);
	if (client->signals >= 0)
		(void)close(client->signals); /* no data was written to it */
}

enum exit_status chars_client_run(const struct client_options *options, const char *program)
{
	struct chars_client client = {.options = options,
				      .program = program,
				      .automatic = options->duration > 0 || options->acks >= 0,
				      .signals = -1};
	if (open_client(&client) < 0)
		client.failed = true;
	else {
		run(&client);
		terminal_output_end(&client.output);
		write_output(&client);
	}
	close_client(&client);
	if (!client.failed)
		report(&client);
	if (client.failed)
		program_complain(program, client.error.message);
	return client.failed ? EXIT_FAILED : EXIT_DONE;
}
