/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/slice.h"
#include "client/chars/state.h"
#include "net/answers.h"
#include "record/escape.h"

void chars_client_ask(struct chars_client *client)
{
	if (!buffer_append_string(&client->requests, "stat\n")) {
		chars_client_fail(client, "out of memory");
		return;
	}
	if (!client->asked++)
		client->answer_deadline = clock_after(client->options->timeout);
	chars_client_send(client);
}

void chars_client_send(struct chars_client *client)
{
	struct buffer *requests = &client->requests;
	ssize_t sent = stream_flush(client->stream);
	if (sent == 0 && requests->length)
		sent = stream_send(client->stream, requests->bytes, requests->length);
	if (sent < 0)
		chars_client_fail(client, "cannot send to the server: %s", strerror(errno));
	else
		buffer_drop(requests, (size_t)sent);
}

bool chars_client_has_unsent(const struct chars_client *client)
{
	return client->requests.length || stream_owed(client->stream);
}

static void refuse(struct chars_client *client, struct slice line)
{
	char excerpt[EXCERPT_SIZE];
	chars_client_fail(client,
			  slice_begins(line, ANSWER_ERROR)
				  ? "the server answered '%s'"
				  : "the server sent '%s', which is not of the service chars",
			  record_excerpt(excerpt, line.bytes, line.length));
}

static void take_characters(struct chars_client *client, struct slice characters)
{
	chars_sum_add(&client->result.got, characters);
	if (!client->options->quiet)
		terminal_output_characters(&client->output, characters);
}

static void count_answer(struct chars_client *client)
{
	client->asked--;
	client->answer_deadline =
		client->asked ? clock_after(client->options->timeout) : CLOCK_NEVER;
	if (!client->asked && client->state == CHARS_CLIENT_LEAVING)
		chars_client_leave(client, CLOCK_NEVER);
}

static void take_stat(struct chars_client *client, struct slice line, struct slice count)
{
	uint64_t number;
	if (!client->asked || !slice_number(&count, &number) || count.length ||
	    number > INT64_MAX) {
		refuse(client, line);
		return;
	}
	if (!client->result.stats++)
		client->result.before = client->result.got.messages;
	client->result.counted += number;
	count_answer(client);
	if (!client->options->quiet)
		terminal_output_line(&client->output, line);
}

/* The server cannot write its log: the end, but for a user, who can ask again. */
static void take_error(struct chars_client *client, struct slice line)
{
	count_answer(client);
	if (client->keys)
		terminal_output_line(&client->output, line);
	else
		refuse(client, line);
}

static void take_line(struct chars_client *client, struct slice line)
{
	struct slice rest = line;
	if (slice_skip(&rest, "chars ") && rest.length)
		take_characters(client, rest);
	else if (slice_skip(&rest, "stat "))
		take_stat(client, line, rest);
	else if (client->asked && slice_skip(&rest, ANSWER_ERROR REASON_NOT_LOGGED) && rest.length)
		take_error(client, line);
	else
		refuse(client, line);
}

void chars_client_receive(struct chars_client *client)
{
	size_t room;
	char *space = line_space(&client->answers, &room);
	if (!space) {
		chars_client_fail(client, "out of memory");
		return;
	}
	ssize_t length = stream_receive_now(client->stream, space, room);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0)
		chars_client_fail(client, "the connection was lost: %s", strerror(errno));
	else if (length == 0)
		chars_client_fail(client, "the server closed the connection");
	else
		line_filled(&client->answers, (size_t)length);
	struct slice line;
	enum line_result result;
	/* lines behind the last answer are not taken */
	while (client->state != CHARS_CLIENT_OVER &&
	       (result = line_next(&client->answers, &line.bytes, &line.length)) != LINE_NONE) {
		if (result == LINE_TOO_LONG)
			chars_client_fail(client, "the server sent a line that is too long");
		else
			take_line(client, line);
	}
	if (client->output.incomplete)
		chars_client_fail(client, "out of memory for stdout");
}
