/* SPDX-License-Identifier: MIT */
#include "client/chars/event_loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/chars/state.h"
#include "net/socket.h"
#include "base/random.h"
#include "base/signalfd.h"

enum {
	CONSOLE_LINE = 65536,	 /* bytes of the longest line */
	CONSOLE_REQUESTS = 4096, /* bytes that wait to be sent, before commands have to */
};

/* How long one goes on by itself where only -acks says that it does. */
#define CONSOLE_DURATION (10 * CLOCK_SECOND)

int console_fail(struct console *console, const char *format, ...)
{
	va_list values;
	if (!console->failed) {
		va_start(values, format);
		(void)vsnprintf(console->failure.words, sizeof console->failure.words, format,
				values);
		va_end(values);
	}
	console->failed = true;
	console_leave(console, 0);
	return -1;
}

void console_leave(struct console *console, int64_t grace)
{
	/* told once more, it is in a hurry */
	int64_t deadline = clock_after(grace);
	if (console->state != CONSOLE_OVER || deadline < console->over_deadline)
		console->over_deadline = deadline;
	console->state = CONSOLE_OVER;
}

/* A reader that is stuck: nothing more is taken from the server, as long as it is. */
static bool is_stuck(const struct console *console)
{
	return console->flow.waiting.length > FLOW_MOST;
}

enum { WAIT_SIGNALS, WAIT_SERVER, WAIT_USER, WAIT_STDOUT, WAIT_COUNT };

static void want(struct pollfd *waiting, int descriptor, int events)
{
	*waiting = (struct pollfd){.fd = events ? descriptor : -1, .events = (short)events};
}

static void fill_waiting(const struct console *console, struct pollfd waiting[WAIT_COUNT])
{
	bool over = console->state == CONSOLE_OVER;
	bool commands = console->state == CONSOLE_OPEN && !console->by_self &&
			console->requests.length < CONSOLE_REQUESTS;
	int receive = over || is_stuck(console) ? 0 : POLLIN;
	int send = over || !console->requests.length ? 0 : POLLOUT;
	want(&waiting[WAIT_SIGNALS], console->signals, POLLIN);
	want(&waiting[WAIT_SERVER], console->socket, receive | send);
	want(&waiting[WAIT_USER], STDIN_FILENO, commands ? POLLIN : 0);
	want(&waiting[WAIT_STDOUT], console->flow.descriptor,
	     console->flow.waiting.length ? POLLOUT : 0);
}

/* When it asks by itself the next time. With no pause between its questions it waits for each
 * answer. */
static int64_t next_question(const struct console *console)
{
	if (!console->by_self || console->state != CONSOLE_OPEN)
		return CLOCK_NEVER;
	if (console->asked && !console->options->delay.max)
		return console->end;
	return clock_earlier(console->next, console->end);
}

static int64_t next_deadline(const struct console *console)
{
	if (console->state == CONSOLE_OVER)
		return console->over_deadline;
	return clock_earlier(next_question(console),
			     is_stuck(console) ? CLOCK_NEVER : console->answer_deadline);
}

/* Asks by itself, when it is time to; the last time at the end. */
static int ask_in_time(struct console *console)
{
	int64_t now = clock_now();
	if (now < next_question(console))
		return 0;
	const struct range *delay = &console->options->delay;
	console->next = clock_after(random_between(&console->random, delay->min, delay->max));
	if (now >= console->end)
		console->state = CONSOLE_LEAVING;
	return console_ask(console);
}

static int watch_time(struct console *console)
{
	if (ask_in_time(console) < 0)
		return -1;
	if (console->asked && !is_stuck(console) && clock_now() >= console->answer_deadline)
		return console_fail(console, "no answer to 'stat' within %gs",
				    (double)console->options->timeout / (double)CLOCK_SECOND);
	return 0;
}

/* Does what can be done now. */
static void serve(struct console *console, const struct pollfd waiting[WAIT_COUNT])
{
	bool stuck = is_stuck(console);
	if (waiting[WAIT_SIGNALS].revents)
		console_signal(console);
	if (waiting[WAIT_STDOUT].revents && console->flow.waiting.length &&
	    flow_write(&console->flow, &console->failure) < 0) {
		console->failed = true;
		console_leave(console, 0);
	}
	if (stuck && !is_stuck(console) && console->asked) /* what has come was not looked at */
		console->answer_deadline = clock_after(console->options->timeout);
	if (console->state == CONSOLE_OVER)
		return;
	if ((waiting[WAIT_SERVER].revents & POLLOUT) && console_send(console) < 0)
		return;
	if ((waiting[WAIT_SERVER].revents & ~POLLOUT) && console_receive(console) < 0)
		return;
	if (waiting[WAIT_USER].revents && console->state == CONSOLE_OPEN &&
	    console_command(console) < 0)
		return;
	if (console->state != CONSOLE_OVER)
		(void)watch_time(console);
}

static void loop(struct console *console)
{
	struct pollfd waiting[WAIT_COUNT];
	while (console->state != CONSOLE_OVER || console->flow.waiting.length) {
		/* a shell that brings a program back which was not stopped tells it nothing */
		if (console->state == CONSOLE_OPEN && !console->terminal.keys)
			terminal_enter(&console->terminal);
		fill_waiting(console, waiting);
		int ready = poll(waiting, WAIT_COUNT, clock_poll_timeout(next_deadline(console)));
		if (ready < 0 && errno != EINTR)
			console_fail(console, "cannot wait: %s", strerror(errno));
		if (ready == 0 && console->state == CONSOLE_OVER)
			return; /* it was not read */
		if (ready >= 0)
			serve(console, waiting);
	}
}

/* Connecting first: until that is done, a signal ends the program as it does by default, also one
 * that was held when it was started. */
static int set_up(struct console *console)
{
	static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, 0};
	const struct client_options *options = console->options;
	signals_restore(NULL);
	console->socket = net_connect(options->host, (int)options->port,
				      clock_after(options->timeout), &console->failure);
	if (console->socket < 0)
		return -1;
	console->signals = signals_open(handled, &console->failure);
	if (console->signals < 0)
		return -1;
	if (!line_init(&console->answers, CONSOLE_LINE) ||
	    !line_init(&console->commands, CONSOLE_LINE))
		return failure_set(&console->failure, "out of memory");
	net_local_name(console->socket, console->account.name);
	chars_sum_start(&console->account.got);
	flow_open(&console->flow, STDOUT_FILENO, !console->by_self);
	if (console->by_self)
		return 0;
	terminal_open(&console->terminal, STDIN_FILENO);
	console->keys = console->terminal.known;
	terminal_enter(&console->terminal);
	return 0;
}

static void set_times(struct console *console)
{
	const struct client_options *options = console->options;
	int64_t duration = !options->duration ? CONSOLE_DURATION : options->duration;
	console->answer_deadline = console->over_deadline = CLOCK_NEVER;
	console->random = random_state((uint64_t)options->seed, (uint64_t)options->number, 0);
	console->end = clock_after(duration);
	console->next = clock_after(
		random_between(&console->random, options->delay.min, options->delay.max));
}

static void tell_account(const struct console *console)
{
	const struct chars_account *account = &console->account;
	if (!console->options->quiet &&
	    (printf("%s: %" PRIu64 " characters in %" PRIu64 " messages; %" PRIu64
		    " stats, together %" PRIu64 "; pauses by seed %" PRId64 "\n",
		    console->program, account->got.characters, account->got.messages,
		    account->stats, account->counted, console->options->seed) < 0 ||
	     fflush(stdout) != 0))
		program_complain(console->program, "cannot write the report to stdout");
}

static void tear_down(struct console *console)
{
	terminal_leave(&console->terminal);
	flow_close(&console->flow);
	line_free(&console->answers);
	line_free(&console->commands);
	text_free(&console->requests);
	if (console->socket >= 0)
		(void)close(console->socket); /* the server needs nothing more of it */
	if (console->signals >= 0)
		(void)close(console->signals); /* nothing is lost */
}

/* Ends the line that is open, if that goes without waiting. */
static void end_line(struct console *console)
{
	struct failure failure;
	struct pollfd ready = {.fd = console->flow.descriptor, .events = POLLOUT};
	if (!flow_end(&console->flow) || !console->flow.waiting.length || poll(&ready, 1, 0) <= 0)
		return;
	if (flow_write(&console->flow, &failure) < 0)
		console_fail(console, "%s", failure.words);
}

/* Runs it. False: the failure says why. */
static bool converse(struct console *console)
{
	if (set_up(console) < 0)
		return false;
	set_times(console);
	loop(console);
	end_line(console);
	return !console->failed;
}

enum exit_status console_run(const struct client_options *options, const char *program)
{
	struct console console = {.options = options,
				  .program = program,
				  .by_self = options->duration > 0 || options->acks >= 0,
				  .signals = -1,
				  .socket = -1};
	bool done = converse(&console);
	tear_down(&console);
	if (done && console.by_self)
		tell_account(&console);
	if (done && options->acks >= 0)
		done = chars_account_write(&console.account, (int)options->acks,
					   &console.failure) == 0;
	if (!done)
		program_complain(program, console.failure.words);
	return done ? EXIT_DONE : EXIT_FAILED;
}
