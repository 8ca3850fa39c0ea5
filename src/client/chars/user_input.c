/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/chars/state.h"
#include "record/format.h"
#include "base/signalfd.h"

enum {
	KEY_INTERRUPT = 3, /* Ctrl-C, on a terminal that makes no signal of it */
	KEY_END = 4,	   /* Ctrl-D */
	CONSOLE_EXCERPT = 80,
};

/* For what is still to be shown to a user who leaves: a terminal can be stuck. */
#define CONSOLE_GRACE (200 * CLOCK_MILLISECOND)

/* Any other key does nothing, so that "stat" asks as well as "s". */
static int press(struct console *console, char key)
{
	if (key == 's')
		return console_ask(console);
	if (key == 'q' || key == KEY_END || key == KEY_INTERRUPT)
		console_leave(console, CONSOLE_GRACE);
	return 0;
}

static bool is_word(const char *line, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(line, word, length);
}

static void complain_of(const struct console *console, const char *line, size_t length)
{
	struct failure failure;
	struct text shown = {0};
	size_t most = length < CONSOLE_EXCERPT ? length : CONSOLE_EXCERPT;
	if (record_escape(&shown, line, most))
		failure_set(&failure, "unknown command '%.*s%s'; there are s or stat, and q",
			    (int)shown.length, shown.bytes ? shown.bytes : "",
			    length > most ? "..." : "");
	else
		failure_set(&failure, "unknown command");
	text_free(&shown);
	program_complain(console->program, failure.words);
}

/* No more is asked; the answers that are due are still shown. */
static void ask_no_more(struct console *console)
{
	if (console->state != CONSOLE_OPEN)
		return;
	console->state = CONSOLE_LEAVING;
	if (!console->asked)
		console_leave(console, CLOCK_NEVER);
}

static int obey(struct console *console, const char *line, size_t length)
{
	if (is_word(line, length, "s") || is_word(line, length, "stat"))
		return console_ask(console);
	if (is_word(line, length, "q"))
		ask_no_more(console);
	else if (length)
		complain_of(console, line, length);
	return 0;
}

static int obey_lines(struct console *console)
{
	const char *line;
	size_t length;
	enum line_result result;
	while (console->state == CONSOLE_OPEN &&
	       (result = line_next(&console->commands, &line, &length)) != LINE_NONE) {
		if (result == LINE_TOO_LONG)
			program_complain(console->program, "a command is too long");
		else if (obey(console, line, length) < 0)
			return -1;
	}
	return 0;
}

/* stdin has ended; what stands behind its last line end is a command, too. */
static int end_commands(struct console *console)
{
	const char *rest;
	size_t length = console->keys ? 0 : line_rest(&console->commands, &rest);
	if (length && obey(console, rest, length) < 0)
		return -1;
	ask_no_more(console);
	return 0;
}

int console_command(struct console *console)
{
	size_t room;
	char *space = line_space(&console->commands, &room);
	if (!space)
		return console_fail(console, "out of memory");
	ssize_t length = read(STDIN_FILENO, space, room);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length < 0 && !console->keys)
		return console_fail(console, "cannot read commands: %s", strerror(errno));
	if (length <= 0) /* the end, or a terminal that is gone */
		return end_commands(console);
	if (!console->keys) {
		line_filled(&console->commands, (size_t)length);
		return obey_lines(console);
	}
	for (ssize_t i = 0; i < length && console->state == CONSOLE_OPEN; i++)
		if (press(console, space[i]) < 0)
			return -1;
	return 0;
}

/* After a stop: the time in which nothing could be read does not count. */
static void go_on(struct console *console)
{
	terminal_enter(&console->terminal);
	if (console->asked)
		console->answer_deadline = clock_after(console->options->timeout);
}

/* A user leaves with Ctrl-C; everybody else is interrupted. */
void console_signal(struct console *console)
{
	int signal = signals_take(console->signals);
	if (!signal)
		return;
	if (signal == SIGTSTP)
		terminal_stop(&console->terminal);
	if (signal == SIGTSTP || signal == SIGCONT)
		go_on(console);
	else if (signal == SIGINT && !console->by_self)
		console_leave(console, CONSOLE_GRACE);
	else
		console_fail(console, "interrupted");
}
