/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "client/chars/state.h"
#include "record/escape.h"

static const char request[] = "stat\n";
static const char characters_word[] = "chars ";
static const char stat_word[] = "stat ";
static const char not_logged[] = "error: not logged: ";

int chars_client_ask(struct chars_client *client)
{
	if (!buffer_append_string(&client->requests, request))
		return chars_client_fail(client, "out of memory");
	if (!client->asked++)
		client->answer_deadline = clock_after(client->options->timeout);
	return chars_client_send(client);
}

int chars_client_send(struct chars_client *client)
{
	struct buffer *requests = &client->requests;
	ssize_t sent = stream_flush(client->stream);
	if (sent == 0 && requests->length)
		sent = stream_send(client->stream, requests->bytes, requests->length);
	if (sent < 0)
		return chars_client_fail(client, "cannot send to the server: %s", strerror(errno));
	buffer_drop(requests, (size_t)sent);
	return 0;
}

bool chars_client_has_unsent(const struct chars_client *client)
{
	return client->requests.length || stream_owed(client->stream);
}

/* Does the line begin with the word, and go on behind it? */
static bool begins(const char *line, size_t length, const char *word)
{
	return length > strlen(word) && !memcmp(line, word, strlen(word));
}

static int refuse(struct chars_client *client, const char *line, size_t length)
{
	char excerpt[EXCERPT_SIZE];
	bool is_error = begins(line, length, "error: ");
	return chars_client_fail(
		client,
		is_error ? "the server answered '%s'"
			 : "the server sent '%s', which is not of the service chars",
		record_excerpt(excerpt, line, length));
}

static int show(struct chars_client *client, bool shown)
{
	return shown ? 0 : chars_client_fail(client, "out of memory for stdout");
}

static int take_characters(struct chars_client *client, const char *text, size_t length)
{
	chars_sum_add(&client->account.got, text, length);
	if (client->options->quiet)
		return 0;
	return show(client, terminal_output_characters(&client->flow, text, length));
}

/* An answer has come, whatever it says. */
static void count_answer(struct chars_client *client)
{
	client->asked--;
	client->answer_deadline =
		client->asked ? clock_after(client->options->timeout) : CLOCK_NEVER;
	if (!client->asked && client->state == CHARS_CLIENT_LEAVING)
		chars_client_leave(client, CLOCK_NEVER);
}

static int take_stat(struct chars_client *client, const char *line, size_t length)
{
	size_t skip = strlen(stat_word);
	char digits[24] = "";
	int64_t count;
	if (!client->asked || length - skip >= sizeof digits)
		return refuse(client, line, length);
	memcpy(digits, line + skip, length - skip);
	if (number_parse(digits, 0, INT64_MAX, &count) < 0)
		return refuse(client, line, length);
	if (!client->account.stats++)
		client->account.before = client->account.got.messages;
	client->account.counted += (uint64_t)count;
	count_answer(client);
	if (client->options->quiet)
		return 0;
	return show(client, terminal_output_line(&client->flow, line, length));
}

/* The server's log is in trouble: it goes on by itself, and so does a user. */
static int take_error(struct chars_client *client, const char *line, size_t length)
{
	count_answer(client);
	if (!client->keys)
		return refuse(client, line, length);
	return show(client, terminal_output_line(&client->flow, line, length));
}

static int take_line(struct chars_client *client, const char *line, size_t length)
{
	if (begins(line, length, characters_word))
		return take_characters(client, line + strlen(characters_word),
				       length - strlen(characters_word));
	if (begins(line, length, stat_word))
		return take_stat(client, line, length);
	if (client->asked && begins(line, length, not_logged))
		return take_error(client, line, length);
	return refuse(client, line, length);
}

/* What stands behind the last answer of all is left alone. */
static int take_lines(struct chars_client *client)
{
	const char *line;
	size_t length;
	enum line_result result;
	while (client->state != CHARS_CLIENT_OVER &&
	       (result = line_next(&client->answers, &line, &length)) != LINE_NONE) {
		if (result == LINE_TOO_LONG)
			return chars_client_fail(client, "the server sent a line that is too long");
		if (take_line(client, line, length) < 0)
			return -1;
	}
	return 0;
}

int chars_client_receive(struct chars_client *client)
{
	size_t room;
	char *space = line_space(&client->answers, &room);
	if (!space)
		return chars_client_fail(client, "out of memory");
	ssize_t length = stream_receive_now(client->stream, space, room);
	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length < 0)
		return chars_client_fail(client, "the connection was lost: %s", strerror(errno));
	if (length == 0)
		return chars_client_fail(client, "the server closed the connection");
	line_filled(&client->answers, (size_t)length);
	return take_lines(client);
}
