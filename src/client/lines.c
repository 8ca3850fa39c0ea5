/* SPDX-License-Identifier: MIT */
/* Where a thread's lines come from: a template, or an input. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "client/line_template.h"
#include "client/run.h"
#include "once/fnv.h"
#include "once/words.h"
#include "record/escape.h"

/* Reads the input once, when it can be read. */
static enum outcome read_input(struct worker *worker)
{
	struct client *client = worker->client;
	if (!client_session_await(worker->session, client->deadline, client->input.descriptor))
		return OUTCOME_FAILED;
	if (client_is_over(client))
		return OUTCOME_OVER;
	return line_source_read(&client->input, worker->error) < 0 ? OUTCOME_FAILED : OUTCOME_SENT;
}

/* Takes a line of the input; *arrived is set to when it came, if that was waited for. A line that
 * is too long ends the client, after the lines before it are answered. */
static enum outcome take_input(struct worker *worker, struct slice *line, int64_t *arrived)
{
	struct line_source *input = &worker->client->input;
	enum line_source_result result;
	while ((result = line_source_next(input, line, worker->error)) == INPUT_MORE) {
		enum outcome outcome = read_input(worker);
		if (outcome != OUTCOME_SENT)
			return outcome;
		*arrived = clock_now();
	}
	if (result != INPUT_FAILED)
		return result == INPUT_LINE ? OUTCOME_SENT : OUTCOME_OVER;
	struct error too_long = *worker->error;
	(void)client_session_finish(worker->session); /* the line is why it ends */
	*worker->error = too_long;
	return OUTCOME_FAILED;
}

/* Puts the input before line `due`, which is not numbered if 0: line N of the input has number N,
 * or one behind where it begins. */
static enum outcome find_input(struct worker *worker, uint64_t due, struct slice *line,
			       int64_t *arrived)
{
	struct client *client = worker->client;
	struct line_source *input = &client->input;
	uint64_t number = due ? due - client->input_behind : input->number + 1;
	if (number <= input->number && line_source_rewind(input, worker->error) < 0)
		return OUTCOME_FAILED;
	enum outcome outcome;
	do
		outcome = take_input(worker, line, arrived);
	while (outcome == OUTCOME_SENT && input->number < number);
	return outcome;
}

static bool compose(struct worker *worker, uint64_t thread, int64_t iteration, uint64_t number)
{
	const struct client_options *options = &worker->client->options;
	const struct line_template_values values = {.thread = thread,
						    .iteration = (uint64_t)iteration,
						    .number = number,
						    .client = (uint64_t)options->number};
	return line_template_compose(&worker->line, options->message, &values) &&
	       line_template_pad(&worker->line, (size_t)options->size);
}

bool worker_may_send(struct worker *worker, uint64_t number)
{
	char excerpt[EXCERPT_SIZE];
	struct slice line = {worker->line.bytes, worker->line.length - 1};
	line.length -= line.length && line.bytes[line.length - 1] == '\r';
	if (!from_begins(line))
		return true;
	error_set(worker->error,
		  "line %" PRIu64
		  " of %s, '%s', cannot be sent: -service once takes it as the name "
		  "of a sender",
		  number, worker->sender, record_excerpt(excerpt, line.bytes, line.length));
	return false;
}

/* A line of an input that ends in CR LF stays so. */
static bool add_line_end(struct worker *worker)
{
	const struct buffer *line = &worker->line;
	bool has_cr = line->length && line->bytes[line->length - 1] == '\r';
	if (worker->client->options.line_end == LINE_END_CRLF && !has_cr &&
	    !buffer_append(&worker->line, "\r", 1))
		return false;
	return buffer_append(&worker->line, "\n", 1);
}

enum outcome worker_prepare(struct worker *worker, int64_t iteration, uint64_t number,
			    int64_t *arrived)
{
	bool complete;
	if (worker->client->repeats && worker->line.length)
		return OUTCOME_SENT;
	uint64_t due = client_session_due(worker->session);
	buffer_clear(&worker->line, SIZE_MAX);
	if (worker->client->options.input) {
		struct slice input;
		enum outcome outcome = find_input(worker, due, &input, arrived);
		if (outcome != OUTCOME_SENT)
			return outcome;
		complete = buffer_append(&worker->line, input.bytes, input.length);
	} else
		complete = compose(worker, worker->number, iteration, due ? due : number + 1);
	if (complete && add_line_end(worker))
		return OUTCOME_SENT;
	error_set(worker->error, "out of memory for a line");
	return OUTCOME_FAILED;
}

bool worker_refused(void *context, struct slice answer, struct slice *line)
{
	const struct worker *worker = context;
	struct line_source *input = &worker->client->input;
	size_t limit, length = line->length;
	length -= length && line->bytes[length - 1] == '\r';
	if (!worker->client->options.input || input->long_lines == LONG_FAIL ||
	    !answer_has_limit(answer, &limit) || limit >= length)
		return false;
	line_source_limit(input, limit);
	return line_source_shorten(input, line);
}

/* --- numbered lines that the log has already --- */

/* Reads the input up to line `number`, without waiting for the session. */
static bool read_up_to(struct worker *worker, uint64_t number, struct slice *line)
{
	struct line_source *input = &worker->client->input;
	enum line_source_result result = INPUT_LINE;
	if (number <= input->number && line_source_rewind(input, worker->error) < 0)
		return false;
	while (result != INPUT_FAILED && result != INPUT_END && input->number < number) {
		result = line_source_next(input, line, worker->error);
		if (result == INPUT_MORE && line_source_read(input, worker->error) < 0)
			return false;
	}
	if (result == INPUT_END)
		error_set(worker->error,
			  "%.160s is not what was sent as %s: it ends before line %" PRIu64
			  ", which the log has",
			  input->name, worker->sender, number);
	return result == INPUT_LINE;
}

/* Puts line `number` of the sender into *line, without its line end. */
static bool repeat_line(struct worker *worker, uint64_t number, struct slice *line)
{
	const struct client *client = worker->client;
	uint64_t threads = client_is_free(client) ? 1 : (uint64_t)client->options.threads;
	uint64_t thread = client_is_free(client) ? worker->number : (number - 1) % threads;
	if (client->options.input)
		return read_up_to(worker, number, line);
	buffer_clear(&worker->line, SIZE_MAX);
	if (!compose(worker, thread, (int64_t)((number - 1) / threads + 1), number)) {
		error_set(worker->error, "out of memory for a line");
		return false;
	}
	*line = (struct slice){worker->line.bytes, worker->line.length};
	return true;
}

/* What is read from a pipe cannot be compared: it goes on behind what the log has. */
static bool resume_pipe(struct worker *worker, uint64_t last)
{
	struct client *client = worker->client;
	if (!client->input.number) {
		client->input_behind = last;
		return true;
	}
	error_set(worker->error,
		  "the log has %s up to %" PRIu64 " now, and %.160s cannot be read again",
		  worker->sender, last, client->input.name);
	return false;
}

/* Whether the log has a line of the caller's, or what became of it when it was too long. */
static bool has_hash(const struct worker *worker, struct slice line, uint64_t hash)
{
	uint64_t begun = fnv1a_64("", 0);
	bool cuts = worker->client->options.input && worker->client->input.long_lines != LONG_FAIL;
	if (fnv1a_64(line.bytes, line.length) == hash)
		return true;
	if (!cuts || fnv1a_64(LINE_SKIPPED, strlen(LINE_SKIPPED)) == hash)
		return cuts;
	for (size_t i = 0; i < line.length; i++) {
		if (fnv1a_64_more(begun, LINE_CUT, strlen(LINE_CUT)) == hash)
			return true;
		begun = fnv1a_64_more(begun, line.bytes + i, 1);
	}
	return false;
}

bool worker_resumed(void *context, uint64_t last, uint64_t hash)
{
	struct worker *worker = context;
	const struct client_options *options = &worker->client->options;
	struct slice line;
	if (options->input && !worker->client->input.regular)
		return resume_pipe(worker, last);
	if (!last)
		return true;
	if (!repeat_line(worker, last, &line))
		return false;
	line.length -= line.length && line.bytes[line.length - 1] == '\r';
	if (has_hash(worker, line, hash))
		return true;
	error_set(worker->error,
		  "%.160s is not what was sent as %s: line %" PRIu64 " is another one in the log",
		  options->input ? worker->client->input.name : "what this client sends",
		  worker->sender, last);
	return false;
}
