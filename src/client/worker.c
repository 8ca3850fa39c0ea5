/* SPDX-License-Identifier: MIT */
/* What the client's threads do: take strict turns, or go at their own pace. */
#include <sys/eventfd.h>

#include "client/run.h"
#include "base/clock.h"
#include "client/line_template.h"

/* OVER: the time for saying lines has come to its end. */
enum outcome { OUTCOME_SAID, OUTCOME_OVER, OUTCOME_FAILED };

static void raise_event(int descriptor)
{
	/* an eventfd takes so few without blocking, and then nothing else can go wrong */
	(void)eventfd_write(descriptor, 1);
}

void client_stop(struct client *client)
{
	raise_event(client->stop);
	for (size_t i = 0; i < client->sessions; i++)
		client_session_stop(client->workers[i].session);
	if (client->turn)
		round_robin_stop(client->turn);
	if (client->barrier)
		start_barrier_stop(client->barrier);
}

/* Notes why a thread has failed, and ends the others: after the first failure no other counts. */
static void fail(struct worker *worker)
{
	struct client *client = worker->client;
	worker->ended = clock_now();
	pthread_mutex_lock(&client->guard);
	bool first = !client->failed;
	if (first) {
		client->failed = true;
		client->error = worker->error;
	}
	pthread_mutex_unlock(&client->guard);
	if (first && client_is_free(client))
		client_stop(client);
	else if (first)
		round_robin_stop(client->turn);
}

void worker_connected(void *context, size_t connection, const char *local_name)
{
	const struct worker *worker = context;
	struct client *client = worker->client;
	if (client->options.acks < 0)
		return;
	pthread_mutex_lock(&client->guard);
	client_result_writer_connection(
		&client->result, client_is_free(client) ? worker->number : connection, local_name);
	pthread_mutex_unlock(&client->guard);
}

bool worker_answered(void *context, const char *answer, size_t length, struct error *error)
{
	const struct worker *worker = context;
	struct client *client = worker->client;
	pthread_mutex_lock(&client->guard);
	bool shown = stdout_writer_echo(&client->output, answer, length, error);
	pthread_mutex_unlock(&client->guard);
	return shown;
}

static bool show_line(struct worker *worker)
{
	struct client *client = worker->client;
	if (client->options.quiet)
		return true;
	pthread_mutex_lock(&client->guard);
	bool shown = stdout_writer_line(&client->output, worker->line.bytes, worker->line.length,
					&worker->error);
	pthread_mutex_unlock(&client->guard);
	return shown;
}

static enum outcome out_of_memory(struct worker *worker)
{
	error_set(&worker->error, "out of memory for a line");
	return OUTCOME_FAILED;
}

static bool is_over(const struct client *client)
{
	return client->deadline != CLOCK_NEVER && clock_now() >= client->deadline;
}

/* Reads more of the input, when there is more. */
static enum outcome read_input(struct worker *worker)
{
	struct client *client = worker->client;
	struct line_source *input = &client->input;
	if (!client_session_await(worker->session, client->deadline, input->descriptor,
				  &worker->error))
		return OUTCOME_FAILED;
	if (is_over(client))
		return OUTCOME_OVER;
	return line_source_read(input, &worker->error) < 0 ? OUTCOME_FAILED : OUTCOME_SAID;
}

/* Takes the next line of the input; `came` is set to when it came, where it was waited for. A line
 * that is wrong ends the client, but what was said before is answered first. */
static enum outcome take_input(struct worker *worker, int64_t *came)
{
	struct line_source *input = &worker->client->input;
	struct error rest;
	const char *line;
	size_t length;
	enum line_source_result result;
	while ((result = line_source_next(input, &line, &length, &worker->error)) == INPUT_MORE) {
		enum outcome outcome = read_input(worker);
		if (outcome != OUTCOME_SAID)
			return outcome;
		*came = clock_now();
	}
	if (result == INPUT_END)
		return OUTCOME_OVER;
	if (result == INPUT_FAILED) {
		(void)client_session_finish(worker->session, &rest); /* the line is why it ends */
		return OUTCOME_FAILED;
	}
	return buffer_append(&worker->line, line, length) ? OUTCOME_SAID : out_of_memory(worker);
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

/* Puts together what is to be said, with its line end. */
static enum outcome prepare(struct worker *worker, int64_t iteration, uint64_t number,
			    int64_t *came)
{
	buffer_clear(&worker->line, SIZE_MAX);
	if (worker->client->options.input) {
		enum outcome outcome = take_input(worker, came);
		if (outcome != OUTCOME_SAID)
			return outcome;
	} else if (!compose(worker, iteration, number))
		return out_of_memory(worker);
	return buffer_append(&worker->line, "\n", 1) ? OUTCOME_SAID : out_of_memory(worker);
}

/* Waits until a line is due, which it is not before it came. */
static enum outcome await_due(struct worker *worker, struct client_line *line, uint64_t number,
			      int64_t came)
{
	struct client *client = worker->client;
	if (client->options.rate) {
		line->due = rate_schedule_due(&client->schedule, number);
		line->due = came > line->due ? came : line->due;
		int64_t until = line->due < client->deadline ? line->due : client->deadline;
		if (!client_session_await(worker->session, until, -1, &worker->error))
			return OUTCOME_FAILED;
		if (line->due >= client->deadline)
			return OUTCOME_OVER;
	}
	if (client->options.warmup)
		line->warming = (line->due ? line->due : clock_now()) < client->measured;
	return OUTCOME_SAID;
}

/* Waits, composes, shows and sends this thread's line for an iteration. */
static enum outcome say(struct worker *worker, int64_t iteration)
{
	struct client *client = worker->client;
	bool each = client->options.connect == CONNECT_EACH && !client_is_free(client);
	struct client_line line = {.connection = each ? worker->number : 0,
				   .thread = worker->number};
	int64_t came = 0;
	if (!client_session_ready(worker->session, client->deadline, &worker->error))
		return OUTCOME_FAILED;
	if (is_over(client))
		return OUTCOME_OVER;
	uint64_t number = atomic_fetch_add_explicit(&client->said, 1, memory_order_relaxed);
	enum outcome outcome = prepare(worker, iteration, number, &came);
	if (outcome == OUTCOME_SAID)
		outcome = await_due(worker, &line, number, came);
	if (outcome != OUTCOME_SAID)
		return outcome;
	/* shown before it is sent: what showing takes is no part of its latency */
	if (!show_line(worker))
		return OUTCOME_FAILED;
	line.bytes = worker->line.bytes;
	line.length = worker->line.length;
	if (!client_session_send(worker->session, &line, &worker->error))
		return OUTCOME_FAILED;
	atomic_store_explicit(&worker->answered, client->counters[worker->number].acknowledged,
			      memory_order_relaxed);
	return OUTCOME_SAID;
}

static void begin(void *context)
{
	struct client *client = context;
	client->started = clock_now();
	client->measured = client->started + client->options.warmup;
	client->schedule = (struct rate_schedule){client->started, client->options.rate};
	client->deadline = client->options.duration ? client->measured + client->options.duration
						    : CLOCK_NEVER;
}

/* What the last line of all is followed by. */
static bool finish(struct worker *worker)
{
	if (!client_session_finish(worker->session, &worker->error))
		return false;
	worker->ended = clock_now();
	return true;
}

static bool is_last(const struct worker *worker, int64_t iteration)
{
	return iteration == worker->client->options.iterations;
}

/* All turns of a thread. False: one of them failed; the others are to end as well. */
static bool take_turns(struct worker *worker)
{
	struct client *client = worker->client;
	bool last = worker->number + 1 == (size_t)client->options.threads;
	for (int64_t i = 1;; i++) {
		if (!round_robin_wait(client->turn, worker->number))
			return true;
		if (worker->number == 0 && i == 1) {
			if (!client_session_open(worker->session, &worker->error))
				return false;
			begin(client);
		}
		enum outcome outcome = say(worker, i);
		if (outcome == OUTCOME_FAILED)
			return false;
		if (outcome == OUTCOME_OVER || (last && is_last(worker, i))) {
			bool finished = finish(worker);
			round_robin_stop(client->turn);
			return finished;
		}
		/* at once: the next thread reads the answer to this line before it sends its own */
		round_robin_pass(client->turn);
		if (is_last(worker, i))
			return true;
	}
}

/* All that a thread says in free order. Returns as take_turns(). */
static bool go_free(struct worker *worker)
{
	struct client *client = worker->client;
	if (!start_barrier_enter(client->barrier))
		return true;
	bool open = client_session_open(worker->session, &worker->error);
	start_barrier_leave(client->barrier);
	if (!open)
		return false;
	if (!start_barrier_arrive(client->barrier, begin, client))
		return true;
	enum outcome outcome = OUTCOME_SAID;
	for (int64_t i = 1; outcome == OUTCOME_SAID; i++) {
		outcome = say(worker, i);
		if (is_last(worker, i) && outcome == OUTCOME_SAID)
			outcome = OUTCOME_OVER;
	}
	return outcome == OUTCOME_OVER && finish(worker);
}

void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct client *client = worker->client;
	if (!(client_is_free(client) ? go_free(worker) : take_turns(worker)))
		fail(worker);
	if (atomic_fetch_sub(&client->running, 1) == 1)
		raise_event(client->over);
	return NULL;
}
