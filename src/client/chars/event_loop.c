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
#include "client/chars/state.h"
#include "net/stream.h"
#include "base/random.h"
#include "measure/client_result_writer.h"
#include "base/signalfd.h"

enum {
	CHARS_CLIENT_LINE = 65536,    /* bytes of the longest line */
	CHARS_CLIENT_REQUESTS = 4096, /* bytes that wait to be sent, before commands have to */
};

/* How long one goes on by itself where only -acks says that it does. */
#define CHARS_CLIENT_DURATION (10 * CLOCK_SECOND)

/* A reader that is stuck: nothing more is taken from the server, as long as it is. */
static bool is_stuck(const struct chars_client *client)
{
	return client->flow.waiting.length > FLOW_MOST;
}

enum { WAIT_SIGNALS, WAIT_SERVER, WAIT_USER, WAIT_STDOUT, WAIT_COUNT };

static void want(struct pollfd *waiting, int descriptor, int events)
{
	*waiting = (struct pollfd){.fd = events ? descriptor : -1, .events = (short)events};
}

static void fill_waiting(const struct chars_client *client, struct pollfd waiting[WAIT_COUNT])
{
	bool over = client->state == CHARS_CLIENT_OVER;
	bool commands = client->state == CHARS_CLIENT_OPEN && !client->by_self &&
			client->requests.length < CHARS_CLIENT_REQUESTS;
	int receive = over || is_stuck(client) ? 0 : POLLIN;
	int send = over || !chars_client_has_unsent(client) ? 0 : POLLOUT;
	want(&waiting[WAIT_SIGNALS], client->signals, POLLIN);
	waiting[WAIT_SERVER] =
		stream_pollfd(receive | send ? client->stream : NULL, (short)(receive | send));
	want(&waiting[WAIT_USER], STDIN_FILENO, commands ? POLLIN : 0);
	want(&waiting[WAIT_STDOUT], client->flow.descriptor,
	     client->flow.waiting.length ? POLLOUT : 0);
}

/* When it asks by itself the next time. With no pause between its questions it waits for each
 * answer. */
static int64_t next_question(const struct chars_client *client)
{
	if (!client->by_self || client->state != CHARS_CLIENT_OPEN)
		return CLOCK_NEVER;
	if (client->asked && !client->options->delay.max)
		return client->end;
	return clock_earlier(client->next, client->end);
}

static int64_t next_deadline(const struct chars_client *client)
{
	if (client->state == CHARS_CLIENT_OVER)
		return client->over_deadline;
	return clock_earlier(next_question(client),
			     is_stuck(client) ? CLOCK_NEVER : client->answer_deadline);
}

/* Asks by itself, when it is time to; the last time at the end. */
static int ask_in_time(struct chars_client *client)
{
	int64_t now = clock_now();
	if (now < next_question(client))
		return 0;
	const struct range *delay = &client->options->delay;
	client->next = clock_after(random_between(&client->random, delay->min, delay->max));
	if (now >= client->end)
		client->state = CHARS_CLIENT_LEAVING;
	return chars_client_ask(client);
}

static int watch_time(struct chars_client *client)
{
	if (ask_in_time(client) < 0)
		return -1;
	if (client->asked && !is_stuck(client) && clock_now() >= client->answer_deadline)
		return chars_client_fail(client, "no answer to 'stat' within %gs",
					 (double)client->options->timeout / (double)CLOCK_SECOND);
	return 0;
}

/* Does what can be done now. */
static void serve(struct chars_client *client, const struct pollfd waiting[WAIT_COUNT])
{
	bool stuck = is_stuck(client);
	if (waiting[WAIT_SIGNALS].revents)
		chars_client_signal(client);
	if (waiting[WAIT_STDOUT].revents && client->flow.waiting.length &&
	    terminal_output_write(&client->flow, &client->error) < 0) {
		client->failed = true;
		chars_client_leave(client, 0);
	}
	if (stuck && !is_stuck(client) && client->asked) /* what has come was not looked at */
		client->answer_deadline = clock_after(client->options->timeout);
	if (client->state == CHARS_CLIENT_OVER)
		return;
	if ((waiting[WAIT_SERVER].revents & POLLOUT) && chars_client_send(client) < 0)
		return;
	if ((waiting[WAIT_SERVER].revents & ~POLLOUT) && chars_client_receive(client) < 0)
		return;
	if (waiting[WAIT_USER].revents && client->state == CHARS_CLIENT_OPEN &&
	    chars_client_command(client) < 0)
		return;
	if (client->state != CHARS_CLIENT_OVER)
		(void)watch_time(client);
}

static void loop(struct chars_client *client)
{
	struct pollfd waiting[WAIT_COUNT];
	while (client->state != CHARS_CLIENT_OVER || client->flow.waiting.length) {
		/* a shell that brings a program back which was not stopped tells it nothing */
		if (client->state == CHARS_CLIENT_OPEN && !client->terminal.keys)
			raw_mode_enter(&client->terminal);
		fill_waiting(client, waiting);
		bool buffered =
			waiting[WAIT_SERVER].events & POLLIN && stream_buffered(client->stream);
		int64_t deadline = buffered ? 0 : next_deadline(client);
		int ready = poll(waiting, WAIT_COUNT, clock_poll_timeout(deadline));
		if (buffered)
			waiting[WAIT_SERVER].revents |= POLLIN;
		if (ready < 0 && errno != EINTR)
			chars_client_fail(client, "cannot wait: %s", strerror(errno));
		if (ready == 0 && client->state == CHARS_CLIENT_OVER)
			return; /* it was not read */
		if (ready >= 0)
			serve(client, waiting);
	}
}

/* Connecting first: until that is done, a signal ends the program as it does by default, also one
 * that was held when it was started. */
static int set_up(struct chars_client *client)
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
	if (!line_init(&client->answers, CHARS_CLIENT_LINE) ||
	    !line_init(&client->commands, CHARS_CLIENT_LINE))
		return error_set(&client->error, "out of memory");
	stream_local_name(client->stream, client->account.name);
	chars_sum_start(&client->account.got);
	terminal_output_open(&client->flow, STDOUT_FILENO, !client->by_self);
	if (client->by_self)
		return 0;
	raw_mode_open(&client->terminal, STDIN_FILENO);
	client->keys = client->terminal.known;
	raw_mode_enter(&client->terminal);
	return 0;
}

static void set_times(struct chars_client *client)
{
	const struct client_options *options = client->options;
	int64_t duration = !options->duration ? CHARS_CLIENT_DURATION : options->duration;
	client->answer_deadline = client->over_deadline = CLOCK_NEVER;
	client->random = random_state((uint64_t)options->seed, (uint64_t)options->number, 0);
	client->end = clock_after(duration);
	client->next = clock_after(
		random_between(&client->random, options->delay.min, options->delay.max));
}

static void tell_account(const struct chars_client *client)
{
	const struct chars_result *account = &client->account;
	if (!client->options->quiet &&
	    (printf("%s: %" PRIu64 " characters in %" PRIu64 " messages; %" PRIu64
		    " stats, together %" PRIu64 "; pauses by seed %" PRId64 "\n",
		    client->program, account->got.characters, account->got.messages, account->stats,
		    account->counted, client->options->seed) < 0 ||
	     fflush(stdout) != 0))
		program_complain(client->program, "cannot write the report to stdout");
}

static void tear_down(struct chars_client *client)
{
	raw_mode_leave(&client->terminal);
	terminal_output_close(&client->flow);
	line_free(&client->answers);
	line_free(&client->commands);
	buffer_free(&client->requests);
	stream_close(client->stream, 0); /* the server needs nothing more of it */
	if (client->signals >= 0)
		(void)close(client->signals); /* nothing is lost */
}

/* Ends the line that is open, if that goes without waiting. */
static void end_line(struct chars_client *client)
{
	struct error error;
	if (terminal_output_end(&client->flow) && terminal_output_write(&client->flow, &error) < 0)
		chars_client_fail(client, "%s", error.message);
}

/* Runs it. False: the failure says why. */
static bool converse(struct chars_client *client)
{
	if (set_up(client) < 0)
		return false;
	set_times(client);
	loop(client);
	end_line(client);
	return !client->failed;
}

enum exit_status chars_client_run(const struct client_options *options, const char *program)
{
	struct chars_client client = {.options = options,
				      .program = program,
				      .by_self = options->duration > 0 || options->acks >= 0,
				      .signals = -1};
	bool done = converse(&client);
	tear_down(&client);
	if (done && client.by_self)
		tell_account(&client);
	if (done && options->acks >= 0)
		done = chars_result_write(&client.account, (int)options->acks, &client.error);
	if (!done)
		program_complain(program, client.error.message);
	return done ? EXIT_DONE : EXIT_FAILED;
}
