/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/signalfd.h"
#include "base/slice.h"
#include "client/chars/state.h"
#include "record/escape.h"

enum {
	KEY_INTERRUPT = 3, /* Ctrl-C, on a terminal that makes no signal of it */
	KEY_END = 4,	   /* Ctrl-D */
};

/* For the remaining output when a user leaves: the terminal can be stopped. */
#define CHARS_CLIENT_GRACE (200 * CLOCK_MILLISECOND)

/* Other keys do nothing, so that "stat" asks as well as "s". */
static void press(struct chars_client *client, char key)
{
	if (key == 's')
		chars_client_ask(client);
	else if (key == 'q' || key == KEY_END || key == KEY_INTERRUPT)
		chars_client_leave(client, CHARS_CLIENT_GRACE);
}

/* Ends the requests. The answers that are due are still shown. */
static void ask_no_more(struct chars_client *client)
{
	if (client->state != CHARS_CLIENT_OPEN)
		return;
	client->state = CHARS_CLIENT_LEAVING;
	if (!client->asked)
		chars_client_leave(client, CLOCK_NEVER);
}

static void obey(struct chars_client *client, struct slice command)
{
	struct error error;
	char excerpt[EXCERPT_SIZE];
	if (slice_equals(command, "s") || slice_equals(command, "stat"))
		chars_client_ask(client);
	else if (slice_equals(command, "q"))
		ask_no_more(client);
	else if (command.length) {
		error_set(&error, "unknown command '%s'; there are s or stat, and q",
			  record_excerpt(excerpt, command.bytes, command.length));
		program_complain(client->program, error.message);
	}
}

static void obey_lines(struct chars_client *client)
{
	struct slice command;
	enum line_result result;
	while (client->state == CHARS_CLIENT_OPEN &&
	       (result = line_next(&client->commands, &command.bytes, &command.length)) !=
		       LINE_NONE) {
		if (result == LINE_TOO_LONG)
			program_complain(client->program, "a command is too long");
		else
			obey(client, command);
	}
}

/* At the end of stdin, what stands behind its last line end is a command, too. */
static void end_commands(struct chars_client *client)
{
	struct slice command = {0};
	if (!client->keys)
		command.length = line_remainder(&client->commands, &command.bytes);
	obey(client, command);
	ask_no_more(client);
}

void chars_client_command(struct chars_client *client)
{
	size_t room;
	char *space = line_space(&client->commands, &room);
	if (!space) {
		chars_client_fail(client, "out of memory");
		return;
	}
	ssize_t length = read(STDIN_FILENO, space, room);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length < 0 && !client->keys)
		chars_client_fail(client, "cannot read commands: %s", strerror(errno));
	else if (length <= 0) /* the end, or a terminal that was closed */
		end_commands(client);
	else if (client->keys)
		for (ssize_t i = 0; i < length && client->state == CHARS_CLIENT_OPEN; i++)
			press(client, space[i]);
	else {
		line_filled(&client->commands, (size_t)length);
		obey_lines(client);
	}
}

/* After a stop. The time of the stop does not count, as nothing could be received. */
static void resume(struct chars_client *client)
{
	raw_mode_enter(&client->terminal);
	if (client->asked)
		client->answer_deadline = clock_after(client->options->timeout);
}

/* A user leaves with Ctrl-C; any other signal, or one to an automatic client, interrupts. */
void chars_client_signal(struct chars_client *client)
{
	int signal = signalfd_take(client->signals);
	if (!signal)
		return;
	if (signal == SIGTSTP)
		raw_mode_stop(&client->terminal);
	if (signal == SIGTSTP || signal == SIGCONT)
		resume(client);
	else if (signal == SIGINT && !client->automatic)
		chars_client_leave(client, CHARS_CLIENT_GRACE);
	else
		chars_client_fail(client, "interrupted");
}
