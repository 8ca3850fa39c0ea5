/* SPDX-License-Identifier: MIT */
/* What a thread does: it sends lines while it holds the token, or at its own pace. */
#include <sys/eventfd.h>

#include "base/clock.h"
#include "client/line_template.h"
#include "client/run.h"

/* OVER: no more lines are to be sent. FAILED: the worker's error is set, or it was stopped. */
enum outcome { OUTCOME_SENT, OUTCOME_OVER, OUTCOME_FAILED };

void client_stop(struct client *client)
{
	(void)eventfd_write(client->stop, 1); /* a counter this low takes it at once */
	for (size_t i = 0; i < client->sessions; i++)
		client_session_stop(client->workers[i].session);
	if (client->token)
		round_robin_stop(client->token);
	start_barrier_stop(&client->start);
}

/* Ends the other threads. Only the first failure counts. */
static void fail(struct worker *worker)
{
	struct client *client = worker->client;
	worker->ended = clock_now();
	pthread_mutex_lock(&client->mutex);
	bool first = !client->failed;
	if (first)
		client->error = *worker->error;
	client->failed = true;
	pthread_mutex_unlock(&client->mutex);
	if (first && client->token) /* the others only wait for it */
		round_robin_stop(client->token);
	else if (first)
		client_stop(client);
}

void worker_connected(void *context, size_t connection, const char *local_name)
{
	const struct worker *worker = context;
	struct client *client = worker->client;
	if (client->options.acks < 0)
		return;
	pthread_mutex_lock(&client->mutex);
	/* one of the two is 0: a session has one connection, or there is one session */
	client_result_writer_connection(&client->result, worker->number + connection, local_name);
	pthread_mutex_unlock(&client->mutex);
}

bool worker_answered(void *context, struct slice answer)
{
	const struct worker *worker = context;
	struct client *client = worker->client;
	pthread_mutex_lock(&client->mutex);
	bool shown = stdout_writer_echo(&client->output, answer, worker->error);
	pthread_mutex_unlock(&client->mutex);
	return shown;
}

static bool show_line(struct worker *worker)
{
	struct client *client = worker->client;
	if (client->options.quiet)
		return true;
	pthread_mutex_lock(&client->mutex);
	bool shown = stdout_writer_line(&client->output, worker->line.bytes, worker->line.length,
					worker->error);
	pthread_mutex_unlock(&client->mutex);
	return shown;
}

static bool is_over(const struct client *client)
{
	return client->deadline != CLOCK_NEVER && clock_now() >= client->deadline;
}

/* Reads the input once, when it can be read. */
static enum outcome read_input(struct worker *worker)
{
	struct client *client = worker->client;
	if (!client_session_await(worker->session, client->deadline, client->input.descriptor))
		return OUTCOME_FAILED;
	if (is_over(client))
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

static bool compose(struct worker *worker, int64_t iteration, uint64_t number)
{
	const struct client_options *options = &worker->client->options;
	const struct line_template_values values = {.thread = worker->number,
						    .iteration = (uint64_t)iteration,
						    .number = number + 1,
						    .client = (uint64_t)options->number};
	return line_template_compose(&worker->line, options->message, &values) &&
	       line_template_pad(&worker->line, (size_t)options->size);
}

/* Puts the next line into worker->line, with its line end. */
static enum outcome prepare(struct worker *worker, int64_t iteration, uint64_t number,
			    int64_t *arrived)
{
	bool complete;
	buffer_clear(&worker->line, SIZE_MAX);
	if (worker->client->options.input) {
		struct slice input;
		enum outcome outcome = take_input(worker, &input, arrived);
		if (outcome != OUTCOME_SENT)
			return outcome;
		complete = buffer_append(&worker->line, input.bytes, input.length);
	} else
		complete = compose(worker, iteration, number);
	if (complete && buffer_append(&worker->line, "\n", 1))
		return OUTCOME_SENT;
	error_set(worker->error, "out of memory for a line");
	return OUTCOME_FAILED;
}

int64_t rate_schedule_start(int64_t first, int64_t rate, uint64_t number)
{
	uint64_t each = (uint64_t)rate, second = (uint64_t)CLOCK_SECOND;
	uint64_t seconds = number / each, left = (uint64_t)(CLOCK_NEVER - first);
	if (seconds >= left / second)
		return CLOCK_NEVER;
	/* the product is in range, as the remainder is below RATE_MAX; no error adds up */
	return first + (int64_t)(seconds * second + number % each * second / each);
}

/* Open loop: waits for the intended start of a line, which is never before the line arrived. */
static enum outcome await_start(struct worker *worker, uint64_t number, int64_t arrived,
				int64_t *start)
{
	struct client *client = worker->client;
	int64_t scheduled = rate_schedule_start(client->started, client->options.rate, number);
	*start = worker->due = arrived > scheduled ? arrived : scheduled;
	if (!client_session_await(worker->session, clock_earlier(*start, client->deadline), -1))
		return OUTCOME_FAILED;
	return *start >= client->deadline ? OUTCOME_OVER : OUTCOME_SENT;
}

/* Composes, shows and sends the line of an iteration, as soon as that is possible and due. */
static enum outcome send_line(struct worker *worker, int64_t iteration)
{
	struct client *client = worker->client;
	bool each = client->options.connect == CONNECT_EACH && !client_is_free(client);
	struct inflight_line line = {.connection = each ? (uint32_t)worker->number : 0,
				     .thread = (uint32_t)worker->number};
	int64_t arrived = 0;
	if (!client_session_ready(worker->session, client->deadline))
		return OUTCOME_FAILED;
	if (is_over(client))
		return OUTCOME_OVER;
	uint64_t number = atomic_fetch_add_explicit(&client->sent, 1, memory_order_relaxed);
	enum outcome outcome = prepare(worker, iteration, number, &arrived);
	if (outcome == OUTCOME_SENT && client->options.rate)
		outcome = await_start(worker, number, arrived, &line.start);
	if (outcome != OUTCOME_SENT)
		return outcome;
	if (client->options.warmup)
		line.warming = (line.start ? line.start : clock_now()) < client->measured;
	/* before it is sent: the time for that is no part of its latency */
	if (!show_line(worker))
		return OUTCOME_FAILED;
	line.length = worker->line.length;
	worker->due = 0; /* it is the session's from here on */
	if (!client_session_send(worker->session, &line, worker->line.bytes))
		return OUTCOME_FAILED;
	atomic_store_explicit(&worker->answered, client->counters[worker->number].acknowledged,
			      memory_order_relaxed);
	return OUTCOME_SENT;
}

static void begin(void *context)
{
	struct client *client = context;
	client->started = clock_now();
	client->measured = client->started + client->options.warmup;
	client->deadline = client->options.duration ? client->measured + client->options.duration
						    : CLOCK_NEVER;
}

/* Waits for the answers to all lines in flight. */
static bool finish(struct worker *worker)
{
	if (!client_session_finish(worker->session))
		return false;
	worker->ended = clock_now();
	return true;
}

/* Strict order. False: failed. */
static bool send_in_turn(struct worker *worker)
{
	struct client *client = worker->client;
	int64_t last = client->options.iterations; /* 0: none */
	bool last_thread = worker->number + 1 == (size_t)client->options.threads;
	for (int64_t i = 1; round_robin_wait(client->token, worker->number); i++) {
		if (worker->number == 0 && i == 1) {
			if (!client_session_open(worker->session))
				return false;
			begin(client);
		}
		enum outcome outcome = send_line(worker, i);
		if (outcome == OUTCOME_FAILED)
			return false;
		if (outcome == OUTCOME_OVER || (last_thread && i == last)) {
			bool finished = finish(worker);
			round_robin_stop(client->token);
			return finished;
		}
		/* at once: the next thread receives the answer to this line before it sends */
		round_robin_pass(client->token);
		if (i == last)
			break;
	}
	return true;
}

/* Free order. False: failed. */
static bool send_freely(struct worker *worker)
{
	struct client *client = worker->client;
	if (!start_barrier_enter(&client->start))
		return true;
	bool open = client_session_open(worker->session);
	start_barrier_leave(&client->start);
	if (!open)
		return false;
	if (!start_barrier_arrive(&client->start, begin, client))
		return true;
	enum outcome outcome;
	int64_t i = 0;
	do
		outcome = send_line(worker, ++i);
	while (outcome == OUTCOME_SENT && i != client->options.iterations);
	return outcome != OUTCOME_FAILED && finish(worker);
}

void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct client *client = worker->client;
	if (!(client_is_free(client) ? send_freely(worker) : send_in_turn(worker)))
		fail(worker);
	if (atomic_fetch_sub(&client->running, 1) == 1)
		(void)eventfd_write(client->over, 1); /* as above */
	return NULL;
}
