/* SPDX-License-Identifier: MIT */
#include "client/event_loops.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/random.h"
#include "base/signalfd.h"
#include "base/slice.h"
#include "client/chars/output.h"
#include "client/chars/report.h"
#include "client/chars/user_input.h"
#include "net/answers.h"
#include "net/line_stream.h"
#include "record/escape.h"

enum {
	CHARS_CLIENT_LINE_MAX = 65536,	  /* bytes */
	CHARS_CLIENT_REQUESTS_MAX = 4096, /* unsent bytes, before commands have to wait */
};

/* How long an automatic client runs without -duration. */
#define CHARS_CLIENT_DURATION (10 * CLOCK_SECOND)

/* For the remaining output when a user leaves: the terminal can be stopped. */
#define CHARS_CLIENT_GRACE (200 * CLOCK_MILLISECOND)

enum chars_client_state {
	CHARS_CLIENT_OPEN,
	CHARS_CLIENT_LEAVING, /* no more requests; the answers are waited for */
	CHARS_CLIENT_OVER,    /* the remaining output is written, until `over_deadline` */
};

/* Functions that return int return 0, or -1 with the error set: the client has failed. None blocks.
 */
struct chars_client {
	const struct client_options *options;
	const char *program;
	enum chars_client_state state;
	bool automatic; /* without a user: requests at random times */
	struct error error;
	int signals; /* -1: not open */
	struct line_stream server;
	struct user_input user;
	struct terminal_output output;
	uint64_t asked; /* requests that are not answered */
	struct chars_result result;
	/* ns, CLOCK_NEVER: none */
	int64_t answer_deadline, over_deadline;

	/* of an automatic client */
	uint64_t random;
	int64_t next; /* ns, of the next request */
	int64_t end;  /* ns, of the last request */
};

/* The remaining output is written for up to `grace` nanoseconds; a later call can only shorten
 * that. */
static void leave(struct chars_client *client, int64_t grace)
{
	client->over_deadline = clock_earlier(client->over_deadline, clock_after(grace));
	client->state = CHARS_CLIENT_OVER;
}

/* Ends the requests. The answers that are due are still shown. */
static void ask_no_more(struct chars_client *client)
{
	client->state = CHARS_CLIENT_LEAVING;
	if (!client->asked)
		leave(client, CLOCK_NEVER);
}

static void expect_answer(struct chars_client *client)
{
	client->answer_deadline =
		client->asked ? clock_after(client->options->timeout) : CLOCK_NEVER;
}

/* --- the server --- */

static int send_requests(struct chars_client *client)
{
	if (line_stream_send(&client->server) < 0)
		return error_set(&client->error, "cannot send to the server: %s",
				 stream_failure(client->server.stream, errno));
	return 0;
}

static int ask(struct chars_client *client)
{
	if (!buffer_append_string(&client->server.unsent, "stat\n"))
		return error_set(&client->error, "out of memory");
	if (!client->asked++)
		expect_answer(client);
	return send_requests(client);
}

static int refuse(struct chars_client *client, struct slice line)
{
	char excerpt[EXCERPT_SIZE];
	return error_set(&client->error,
			 slice_begins(line, ANSWER_ERROR)
				 ? "the server answered '%s'"
				 : "the server sent '%s', which is not a message of chars",
			 record_excerpt(excerpt, line.bytes, line.length));
}

static void count_answer(struct chars_client *client)
{
	client->asked--;
	expect_answer(client);
	if (client->state == CHARS_CLIENT_LEAVING)
		ask_no_more(client);
}

static int take_stat(struct chars_client *client, struct slice line, struct slice count)
{
	struct chars_result *result = &client->result;
	uint64_t number;
	if (!client->asked || !slice_number(&count, &number) || count.length || number > INT64_MAX)
		return refuse(client, line);
	if (!result->stats++)
		result->before = result->got.messages;
	result->counted += number;
	count_answer(client);
	if (!client->options->quiet)
		terminal_output_line(&client->output, line);
	return 0;
}

/* The server cannot write its log: the end, but for a user, who can ask again. */
static int take_error(struct chars_client *client, struct slice line)
{
	if (!client->user.keys)
		return refuse(client, line);
	count_answer(client);
	terminal_output_line(&client->output, line);
	return 0;
}

static int take_line(struct chars_client *client, struct slice line)
{
	struct slice rest = line;
	if (slice_skip(&rest, "stat "))
		return take_stat(client, line, rest);
	if (client->asked &&
	    (slice_skip(&rest, ANSWER_ERROR REASON_NOT_LOGGED) ||
	     slice_skip(&rest, ANSWER_ERROR REASON_UNKNOWN)) &&
	    rest.length)
		return take_error(client, line);
	if (!slice_skip(&rest, "chars ") || !rest.length)
		return refuse(client, line);
	chars_sum_add(&client->result.got, rest);
	if (!client->options->quiet)
		terminal_output_characters(&client->output, rest);
	return 0;
}

/* Lines behind the last answer are not taken. */
static int take_lines(struct chars_client *client)
{
	struct slice line;
	enum line_result result;
	while (client->state != CHARS_CLIENT_OVER &&
	       (result = line_next(&client->server.received, &line.bytes, &line.length)) !=
		       LINE_NONE) {
		if (result == LINE_TOO_LONG)
			return error_set(&client->error, "the server sent a line that is too long");
		if (take_line(client, line) < 0)
			return -1;
	}
	return client->output.incomplete ? error_set(&client->error, "out of memory for stdout")
					 : 0;
}

static int receive(struct chars_client *client)
{
	ssize_t length = line_stream_receive(&client->server);
	if (length > 0)
		return take_lines(client);
	if (length == 0)
		return error_set(&client->error, "the server closed the connection");
	if (errno == ENOMEM)
		return error_set(&client->error, "out of memory");
	return errno == EAGAIN ? 0
			       : error_set(&client->error, "the connection was lost: %s",
					   stream_failure(client->server.stream, errno));
}

/* --- the user --- */

static int take_commands(struct chars_client *client)
{
	enum user_command command;
	if (user_input_read(&client->user, &client->error) < 0)
		return -1;
	while (client->state == CHARS_CLIENT_OPEN &&
	       (command = user_input_next(&client->user)) != USER_NOTHING) {
		if (command == USER_LEAVE)
			leave(client, CHARS_CLIENT_GRACE);
		else if (command == USER_END)
			ask_no_more(client);
		else if (ask(client) < 0)
			return -1;
	}
	return 0;
}

/* A user leaves with Ctrl-C; any other signal, or one to an automatic client, interrupts. */
static int take_signal(struct chars_client *client)
{
	int signal = signalfd_take(client->signals);
	if (signal == SIGTSTP)
		user_input_stop(&client->user);
	if (signal == SIGTSTP || signal == SIGCONT) {
		user_input_continue(&client->user);
		expect_answer(client); /* nothing could be received while it was stopped */
	} else if (signal == SIGINT && !client->automatic) {
		leave(client, CHARS_CLIENT_GRACE);
	} else if (signal) {
		return error_set(&client->error, "interrupted");
	}
	return 0;
}

static int write_output(struct chars_client *client)
{
	bool blocked = terminal_output_is_full(&client->output);
	if (terminal_output_write(&client->output, &client->error) < 0)
		return -1;
	/* answers may have arrived long ago */
	if (blocked && !terminal_output_is_full(&client->output))
		expect_answer(client);
	return 0;
}

/* --- waiting --- */

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
	return clock_earlier(next_request(client), terminal_output_is_full(&client->output)
							   ? CLOCK_NEVER
							   : client->answer_deadline);
}

static int act_in_time(struct chars_client *client)
{
	int64_t now = clock_now();
	if (now >= next_request(client)) {
		client->next = clock_after(random_in(&client->random, &client->options->delay));
		if (now >= client->end)
			client->state = CHARS_CLIENT_LEAVING;
		if (ask(client) < 0)
			return -1;
	}
	if (terminal_output_is_full(&client->output) || clock_now() < client->answer_deadline)
		return 0;
	return error_set(&client->error, "no answer to 'stat' within %g s",
			 (double)client->options->timeout / (double)CLOCK_SECOND);
}

/* Waits, and does what can be done then. */
static int step(struct chars_client *client)
{
	enum { SERVER, SIGNALS, USER, STDOUT, COUNT };
	const struct terminal_output *output = &client->output;
	bool commands = client->state == CHARS_CLIENT_OPEN && !client->automatic &&
			client->server.unsent.length < CHARS_CLIENT_REQUESTS_MAX;
	short server = client->state == CHARS_CLIENT_OVER	  ? 0
		       : terminal_output_is_full(&client->output) ? POLLOUT
								  : POLLIN | POLLOUT;
	struct pollfd waiting[COUNT] = {
		[SIGNALS] = {.fd = client->signals, .events = POLLIN},
		[USER] = {.fd = commands ? STDIN_FILENO : -1, .events = POLLIN},
		[STDOUT] = {.fd = output->waiting.length ? output->descriptor : -1,
			    .events = POLLOUT},
	};
	if (line_stream_poll(&client->server, server, waiting, COUNT, next_deadline(client)) < 0)
		return error_set(&client->error, "cannot wait for events: %s", strerror(errno));
	if ((waiting[SIGNALS].revents && take_signal(client) < 0) ||
	    (waiting[STDOUT].revents && write_output(client) < 0))
		return -1;
	if (client->state == CHARS_CLIENT_OVER)
		return 0;
	if ((waiting[SERVER].revents & POLLOUT && send_requests(client) < 0) ||
	    (waiting[SERVER].revents & ~POLLOUT && receive(client) < 0) ||
	    (waiting[USER].revents && take_commands(client) < 0))
		return -1;
	return client->state == CHARS_CLIENT_OVER ? 0 : act_in_time(client);
}

/* --- open, run, close --- */

/* Connects first: until then a signal ends the program as by default, also one that was blocked
 * when it was started. */
static int open_client(struct chars_client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, 0};
	const struct client_options *options = client->options;
	struct host_turn turn = {.hosts = &options->hosts};
	signalfd_restore(NULL);
	if (line_stream_open(&client->server,
			     stream_connect_any(options->stream_type, &turn, options->timeout, -1,
						&client->error),
			     CHARS_CLIENT_LINE_MAX) < 0)
		return -1;
	client->signals = signalfd_open(handled, &client->error);
	if (client->signals < 0)
		return -1;
	if (!client->automatic)
		user_input_open(&client->user, client->program);
	stream_local_name(client->server.stream, client->result.name);
	terminal_output_open(&client->output, !client->automatic);
	client->answer_deadline = client->over_deadline = CLOCK_NEVER;
	client->random = random_state((uint64_t)options->seed, (uint64_t)options->number, 0);
	client->end = clock_after(options->duration ? options->duration : CHARS_CLIENT_DURATION);
	client->next = clock_after(random_in(&client->random, &client->options->delay));
	return 0;
}

static int run(struct chars_client *client)
{
	struct error ignored; /* the first one counts */
	int result = 0;
	while (result == 0 &&
	       (client->state != CHARS_CLIENT_OVER ||
		(client->output.waiting.length && clock_now() < client->over_deadline))) {
		/* not every shell that moves a job to the foreground sends a signal */
		if (client->state != CHARS_CLIENT_OVER)
			user_input_enter(&client->user);
		result = step(client);
	}
	terminal_output_end(&client->output);
	return terminal_output_write(&client->output, result < 0 ? &ignored : &client->error) < 0
		       ? -1
		       : result;
}

static void close_client(struct chars_client *client)
{
	user_input_close(&client->user);
	terminal_output_close(&client->output);
	line_stream_close(&client->server);
	descriptor_close(&client->signals);
}

enum exit_status chars_client_run(const struct client_options *options, const char *program)
{
	struct chars_client client = {.options = options,
				      .program = program,
				      .automatic = options->duration > 0 || options->acks >= 0,
				      .signals = -1};
	bool good = open_client(&client) == 0 && run(&client) == 0;
	close_client(&client);
	good = good &&
	       chars_report(&client.result, options, program, client.automatic, &client.error) == 0;
	if (!good)
		program_complain(program, client.error.message);
	return good ? EXIT_DONE : EXIT_FAILED;
}
