/* SPDX-License-Identifier: MIT */
/* What a thread does: it sends lines while it holds the token, or at its own pace. */
#include <sys/eventfd.h>

#include "base/clock.h"
#include "client/run.h"

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

static uint64_t due_number(const struct worker *worker)
{
	return worker->client->numbers ? client_session_due(worker->session) : 0;
}

/* Which of its lines a thread sends next: the one behind that before; if they are numbered, the one
 * that is due. 0: it is another thread's. */
static int64_t next_iteration(const struct worker *worker, int64_t before)
{
	const struct client *client = worker->client;
	uint64_t due = due_number(worker);
	uint64_t threads = client_is_free(client) ? 1 : (uint64_t)client->options.threads;
	if (!due)
		return before + 1;
	bool mine = client_is_free(client) || (due - 1) % threads == worker->number;
	return mine ? (int64_t)((due - 1) / threads + 1) : 0;
}

/* Open loop: waits for the intended start of a line, which is never before the line arrived. */
static enum outcome await_start(struct worker *worker, int64_t scheduled, int64_t arrived,
				int64_t *start)
{
	struct client *client = worker->client;
	*start = worker->due = arrived > scheduled ? arrived : scheduled;
	if (!client_session_await_exactly(worker->session, clock_earlier(*start, client->deadline),
					  client->lead))
		return OUTCOME_FAILED;
	return *start >= client->deadline ? OUTCOME_OVER : OUTCOME_SENT;
}

/* Of an input, a line that the server may refuse as too long, and that is sent in another form
 * then: a line behind it that is in flight would come before that form, or twice. */
static bool goes_alone(const struct worker *worker)
{
	const struct client *client = worker->client;
	return client->options.input && client->options.long_lines != LONG_FAIL &&
	       worker->line.length > client->longest;
}

/* The number of the next line of all threads, which write it all, so only where it is used; and
 * with -rate when it is to be sent. */
static uint64_t take_number(struct client *client, int64_t *scheduled)
{
	uint64_t number = 0;
	if (client->options.rate)
		*scheduled = schedule_take(&client->schedule, 1, &number);
	else if (client->counts)
		number = atomic_fetch_add_explicit(&client->sent, 1, memory_order_relaxed);
	return number;
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
	if (client_is_over(client))
		return OUTCOME_OVER;
	uint64_t due = due_number(worker);
	if (due && next_iteration(worker, 0) != iteration)
		return OUTCOME_SENT; /* it is not due any more */
	int64_t scheduled = 0;
	uint64_t number = take_number(client, &scheduled);
	enum outcome outcome = worker_prepare(worker, iteration, number, &arrived);
	if (outcome == OUTCOME_SENT && client->options.rate)
		outcome = await_start(worker, scheduled, arrived, &line.start);
	bool alone = outcome == OUTCOME_SENT && goes_alone(worker);
	if (alone && !client_session_finish(worker->session))
		return OUTCOME_FAILED;
	if (outcome != OUTCOME_SENT || due_number(worker) != due)
		return outcome;
	if (due && !worker_may_send(worker, due))
		return OUTCOME_FAILED;
	if (client->options.warmup)
		line.warming = (line.start ? line.start : clock_now()) < client->measured;
	/* before it is sent: the time for that is no part of its latency */
	if (!show_line(worker))
		return OUTCOME_FAILED;
	line.length = worker->line.length;
	worker->due = 0; /* it is the session's from here on */
	if (!client_session_send(worker->session, &line, worker->line.bytes) ||
	    (alone && !client_session_finish(worker->session)))
		return OUTCOME_FAILED;
	if (alone)
		client->longest = worker->line.length;
	atomic_store_explicit(&worker->answered, client->counters[worker->number].acknowledged,
			      memory_order_relaxed);
	return OUTCOME_SENT;
}

static void begin(void *context)
{
	struct client *client = context;
	client->started = clock_now();
	schedule_begin(&client->schedule, client->started);
	client->measured = client->started + client->options.warmup;
	client->deadline = client->options.duration ? client->measured + client->options.duration
						    : CLOCK_NEVER;
}

/* Waits for the answers to all lines in flight. SENT: lines that the log had are due again. */
static enum outcome finish(struct worker *worker)
{
	uint64_t due = client_session_due(worker->session);
	if (!client_session_finish(worker->session))
		return OUTCOME_FAILED;
	if (client_session_due(worker->session) < due)
		return OUTCOME_SENT;
	worker->ended = clock_now();
	return OUTCOME_OVER;
}

/* Sends the line of a thread behind its iteration *i, if it is its turn. OVER: all are answered. */
static enum outcome send_next(struct worker *worker, int64_t *i)
{
	uint64_t last = (uint64_t)worker->client->options.iterations; /* 0: none */
	int64_t next = next_iteration(worker, *i);
	if (!next)
		return OUTCOME_SENT;
	enum outcome outcome = OUTCOME_OVER;
	if (!last || (uint64_t)next <= last + worker->before)
		outcome = send_line(worker, *i = next);
	return outcome == OUTCOME_OVER ? finish(worker) : outcome;
}

/* Strict order. False: failed. */
static bool send_in_turn(struct worker *worker)
{
	struct client *client = worker->client;
	for (int64_t i = 0; round_robin_wait(client->token, worker->number);) {
		if (worker->number == 0 && !client->started) {
			if (!client_session_open(worker->session))
				return false;
			begin(client);
		}
		enum outcome outcome = send_next(worker, &i);
		if (outcome == OUTCOME_FAILED)
			return false;
		if (outcome == OUTCOME_OVER) {
			round_robin_stop(client->token);
			return true;
		}
		/* at once: the next thread receives the answer to this line before it sends */
		round_robin_pass(client->token);
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
	if (client->request) /* each request is for more lines, behind those that the log has */
		worker->before = client_session_stored(worker->session);
	if (!start_barrier_arrive(&client->start, begin, client))
		return true;
	enum outcome outcome;
	int64_t i = 0;
	do
		outcome = send_next(worker, &i);
	while (outcome == OUTCOME_SENT);
	return outcome == OUTCOME_OVER;
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
