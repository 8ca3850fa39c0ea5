/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "client/chars/state.h"
#include "record/format.h"

static const char request[] = "stat\n";
static const char characters_word[] = "chars ";
static const char stat_word[] = "stat ";
static const char not_logged[] = "error: not logged: ";

enum { CONSOLE_EXCERPT = 80 }; /* bytes of a line that cannot be understood */

int console_ask(struct console *console)
{
	if (!text_append_string(&console->requests, request))
		return console_fail(console, "out of memory");
	if (!console->asked++)
		console->answer_deadline = clock_after(console->options->timeout);
	return console_send(console);
}

int console_send(struct console *console)
{
	struct text *requests = &console->requests;
	while (requests->length) {
		ssize_t sent = send(console->socket, requests->bytes, requests->length,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			text_drop(requests, (size_t)sent);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			return console_fail(console, "cannot send to the server: %s",
					    strerror(errno));
	}
	return 0;
}

/* Does the line begin with the word, and go on behind it? */
static bool begins(const char *line, size_t length, const char *word)
{
	return length > strlen(word) && !memcmp(line, word, strlen(word));
}

static int refuse(struct console *console, const char *line, size_t length)
{
	struct text shown = {0};
	size_t most = length < CONSOLE_EXCERPT ? length : CONSOLE_EXCERPT;
	if (!record_escape(&shown, line, most))
		most = 0;
	bool error = begins(line, length, "error: ");
	console_fail(console,
		     error ? "the server answered '%.*s'"
			   : "the server sent '%.*s', which is not of the service chars",
		     (int)shown.length, most ? shown.bytes : "");
	text_free(&shown);
	return -1;
}

static int show(struct console *console, bool shown)
{
	return shown ? 0 : console_fail(console, "out of memory for stdout");
}

static int take_characters(struct console *console, const char *text, size_t length)
{
	chars_sum_add(&console->account.got, text, length);
	if (console->options->quiet)
		return 0;
	return show(console, flow_characters(&console->flow, text, length));
}

/* An answer has come, whatever it says. */
static void count_answer(struct console *console)
{
	console->asked--;
	console->answer_deadline =
		console->asked ? clock_after(console->options->timeout) : CLOCK_NEVER;
	if (!console->asked && console->state == CONSOLE_LEAVING)
		console_leave(console, CLOCK_NEVER);
}

static int take_stat(struct console *console, const char *line, size_t length)
{
	size_t skip = strlen(stat_word);
	char digits[24] = "";
	int64_t count;
	if (!console->asked || length - skip >= sizeof digits)
		return refuse(console, line, length);
	memcpy(digits, line + skip, length - skip);
	if (number_parse(digits, 0, INT64_MAX, &count) < 0)
		return refuse(console, line, length);
	if (!console->account.stats++)
		console->account.before = console->account.got.messages;
	console->account.counted += (uint64_t)count;
	count_answer(console);
	if (console->options->quiet)
		return 0;
	return show(console, flow_line(&console->flow, line, length));
}

/* The server's log is in trouble: it goes on by itself, and so does a user. */
static int take_error(struct console *console, const char *line, size_t length)
{
	count_answer(console);
	if (!console->keys)
		return refuse(console, line, length);
	return show(console, flow_line(&console->flow, line, length));
}

static int take_line(struct console *console, const char *line, size_t length)
{
	if (begins(line, length, characters_word))
		return take_characters(console, line + strlen(characters_word),
				       length - strlen(characters_word));
	if (begins(line, length, stat_word))
		return take_stat(console, line, length);
	if (console->asked && begins(line, length, not_logged))
		return take_error(console, line, length);
	return refuse(console, line, length);
}

/* What stands behind the last answer of all is left alone. */
static int take_lines(struct console *console)
{
	const char *line;
	size_t length;
	enum line_result result;
	while (console->state != CONSOLE_OVER &&
	       (result = line_next(&console->answers, &line, &length)) != LINE_NONE) {
		if (result == LINE_TOO_LONG)
			return console_fail(console, "the server sent a line that is too long");
		if (take_line(console, line, length) < 0)
			return -1;
	}
	return 0;
}

int console_receive(struct console *console)
{
	size_t room;
	char *space = line_space(&console->answers, &room);
	if (!space)
		return console_fail(console, "out of memory");
	ssize_t length = recv(console->socket, space, room, MSG_DONTWAIT);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : console_fail(console, "the connection was lost: %s",
					      strerror(errno));
	if (length == 0)
		return console_fail(console, "the server closed the connection");
	line_filled(&console->answers, (size_t)length);
	return take_lines(console);
}
