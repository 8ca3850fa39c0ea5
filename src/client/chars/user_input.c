/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "client/chars/state.h"
#include "record/escape.h"
#include "base/signalfd.h"

enum {
	KEY_INTERRUPT = 3, /* Ctrl-C, on a terminal that makes no signal of it */
	KEY_END = 4,	   /* Ctrl-D */
};

/* For what is still to be shown to a user who leaves: a terminal can be stuck. */
#define CHARS_CLIENT_GRACE (200 * CLOCK_MILLISECOND)

/* Any other key does nothing, so that "stat" asks as well as "s". */
static int press(struct chars_client *client, char key)
{
	if (key == 's')
		return chars_client_ask(client);
	if (key == 'q' || key == KEY_END || key == KEY_INTERRUPT)
		chars_client_leave(client, CHARS_CLIENT_GRACE);
	return 0;
}

static bool is_word(const char *line, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(line, word, length);
}

static void complain_of(const struct chars_client *client, const char *line, size_t length)
{
	struct error error;
	char excerpt[EXCERPT_SIZE];
	error_set(&error, "unknown command '%s'; there are s or stat, and q",
		  record_excerpt(excerpt, line, length));
	program_complain(client->program, error.message);
}

/* No more is asked; the answers that are due are still shown. */
static void ask_no_more(struct chars_client *client)
{
	if (client->state != CHARS_CLIENT_OPEN)
		return;
	client->state = CHARS_CLIENT_LEAVING;
	if (!client->asked)
		chars_client_leave(client, CLOCK_NEVER);
}

static int obey(struct chars_client *client, const char *line, size_t length)
{
	if (is_word(line, length, "s") || is_word(line, length, "stat"))
		return chars_client_ask(client);
	if (is_word(line, length, "q"))
		ask_no_more(client);
	else if (length)
		complain_of(client, line, length);
	return 0;
}

static int obey_lines(struct chars_client *client)
{
	const char *line;
	size_t length;
	enum line_result result;
	while (client->state == CHARS_CLIENT_OPEN &&
	       (result = line_next(&client->commands, &line, &length)) != LINE_NONE) {
		if (result == LINE_TOO_LONG)
			program_complain(client->program, "a command is too long");
		else if (obey(client, line, length) < 0)
			return -1;
	}
	return 0;
}

/* stdin has ended; what stands behind its last line end is a command, too. */
static int end_commands(struct chars_client *client)
{
	const char *rest;
	size_t length = client->keys ? 0 : line_remainder(&client->commands, &rest);
	if (length && obey(client, rest, length) < 0)
		return -1;
	ask_no_more(client);
	return 0;
}

int chars_client_command(struct chars_client *client)
{
	size_t room;
	char *space = line_space(&client->commands, &room);
	if (!space)
		return chars_client_fail(client, "out of memory");
	ssize_t length = read(STDIN_FILENO, space, room);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length < 0 && !client->keys)
		return chars_client_fail(client, "cannot read commands: %s", strerror(errno));
	if (length <= 0) /* the end, or a terminal that is gone */
		return end_commands(client);
	if (!client->keys) {
		line_filled(&client->commands, (size_t)length);
		return obey_lines(client);
	}
	for (ssize_t i = 0; i < length && client->state == CHARS_CLIENT_OPEN; i++)
		if (press(client, space[i]) < 0)
			return -1;
	return 0;
}

/* After a stop: the time in which nothing could be read does not count. */
static void go_on(struct chars_client *client)
{
	raw_mode_enter(&client->terminal);
	if (client->asked)
		client->answer_deadline = clock_after(client->options->timeout);
}

/* A user leaves with Ctrl-C; everybody else is interrupted. */
void chars_client_signal(struct chars_client *client)
{
	int signal = signalfd_take(client->signals);
	if (!signal)
		return;
	if (signal == SIGTSTP)
		raw_mode_stop(&client->terminal);
	if (signal == SIGTSTP || signal == SIGCONT)
		go_on(client);
	else if (signal == SIGINT && !client->by_self)
		chars_client_leave(client, CHARS_CLIENT_GRACE);
	else
		chars_client_fail(client, "interrupted");
}
