/* SPDX-License-Identifier: MIT */
#include "client/run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/random.h"
#include "base/signalfd.h"
#include "base/thread.h"
#include "client/workload/workload.h"
#include "net/stream.h"

#define CLIENT_LEAD (100 * CLOCK_MICROSECOND)
#define SCHEDULE_RANDOM UINT64_MAX /* in place of the number of a thread */

enum {
	CLIENT_STACK = 128 * 1024,
	/* Milliseconds. Signals this close together count as one: a Ctrl-C can come from the
	 * terminal and from the parent. Also how long threads may take to end after a signal,
	 * before one that still connects is abandoned. */
	CLIENT_GRACE = 200,
	CLIENT_PROGRESS = 250,	    /* milliseconds between two reports to who has asked for it */
	CLIENT_DESCRIPTORS = 32,    /* for all but connections, with some to spare */
	CLIENT_LARGE = 64,	    /* sessions that may take more memory each */
	CLIENT_CONNECT_LIMIT = 100, /* threads that connect at a time: below a server's backlog */
};

static int open_descriptors(struct client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	client->signals =
		client->request ? client->request->signals : signalfd_open(handled, &client->error);
	if (client->signals < 0)
		return -1;
	client->stop = eventfd(0, EFD_CLOEXEC);
	client->over = eventfd(0, EFD_CLOEXEC);
	if (client->stop < 0 || client->over < 0)
		return error_set(&client->error, "cannot create an event descriptor: %s",
				 strerror(errno));
	stdout_writer_open(&client->output, client->stop);
	const char *input = client->options.input;
	if (!input)
		return 0;
	int result = line_source_open(&client->input, input, &client->error);
	client->input.long_lines = (enum long_lines)client->options.long_lines;
	return result;
}

static const struct answer_protocol *answers_of(const struct client_options *options)
{
	const struct workload *workload = &workloads[options->service];
	return options->rules.answer || options->rules.end ? &answers_pattern
	       : workload->echoes			   ? &answers_echo
	       : workload->numbers			   ? &answers_once
							   : &answers_ok;
}

/* Lines that a thread may send at once are sent together. Not those that are shown: what was shown
 * was sent. */
static bool gathers(const struct client_options *options)
{
	bool alone = options->order == ORDER_FREE || options->threads == 1;
	return alone && options->window > 1 && options->quiet && !options->rate &&
	       !options->delay.max;
}

/* Returns 0, or -1 with the worker's error set. */
static int make_session(struct worker *worker, size_t connections)
{
	const struct client *client = worker->client;
	const struct client_options *options = &client->options;
	const struct workload *workload = &workloads[options->service];
	struct histogram *latency = &client->histograms[worker->number];
	const struct client_session_settings settings = {
		.hosts = &options->hosts,
		.stream_type = options->stream_type,
		.connections = connections,
		.window = (size_t)options->window,
		.delay = options->delay,
		.waits = options->rate > 0,
		.gathers = gathers(options),
		.small = client->sessions > CLIENT_LARGE,
		.random = random_state((uint64_t)options->seed, (uint64_t)options->number,
				       worker->number),
		.timeout = options->timeout,
		.retry = options->retry,
		.answers = answers_of(options),
		.rules = options->rules,
		.crlf = options->line_end == LINE_END_CRLF,
		.stop = client->stop,
		.counters = client->counters,
		.latency = latency,
		.uncorrected = options->rate ? latency + client->sessions : NULL,
		.connected = worker_connected,
		.answered = workload->echoes && !options->quiet ? worker_answered : NULL,
		.context = worker,
		.sender = workload->numbers ? worker->sender : NULL,
		.resume = worker_resumed,
		.refused = worker_refused,
	};
	if (workload->numbers) /* fits, as options are checked */
		(void)snprintf(worker->sender, sizeof worker->sender, "%s", options->source);
	if (workload->numbers && client_is_free(client))
		(void)snprintf(worker->sender + strlen(worker->sender),
			       sizeof worker->sender - strlen(worker->sender), "/%zu",
			       worker->number + 1);
	worker->session = client_session_make(&settings, worker->error);
	return worker->session ? 0 : -1;
}

static int allow_connections(size_t connections, struct error *error)
{
	uint64_t needed = connections + CLIENT_DESCRIPTORS, limit = program_raise_descriptors();
	if (limit >= needed)
		return 0;
	return error_set(error,
			 "%zu connections need %" PRIu64 " descriptors, and the limit is %" PRIu64,
			 connections, needed, limit);
}

static int allocate(struct client *client)
{
	const struct client_options *options = &client->options;
	size_t threads = (size_t)options->threads, sessions = client_is_free(client) ? threads : 1;
	client->workers = memory_calloc(threads, sizeof *client->workers);
	client->counters = memory_calloc(threads, sizeof *client->counters);
	client->histograms =
		memory_calloc(options->rate ? 2 * sessions : sessions, sizeof *client->histograms);
	if (!client->workers || !client->counters || !client->histograms)
		return error_set(&client->error, "out of memory for %zu threads", threads);
	client->sessions = sessions;
	client->counts = strstr(options->message, "%n") != NULL;
	client->numbers = workloads[options->service].numbers;
	client->repeats = !options->input && !strchr(options->message, '%') && !client->numbers;
	client->result.counters = client->counters;
	client->result.plan = (struct plan){.threads = threads,
					    .iterations = (uint64_t)options->iterations,
					    .window = (uint64_t)options->window,
					    .each = options->connect == CONNECT_EACH,
					    .free = client_is_free(client)};
	return 0;
}

static int client_open(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	size_t connections = client->options.connect == CONNECT_EACH ? threads : 1;
	if (open_descriptors(client) < 0 || allow_connections(connections, &client->error) < 0 ||
	    allocate(client) < 0)
		return -1;
	for (size_t i = 0; i < threads; i++) {
		struct worker *worker = &client->workers[i], *owner = worker;
		if (i >= client->sessions)
			owner = client->workers;
		worker->client = client;
		worker->number = i;
		worker->error = &owner->own_error;
		worker->session = owner->session;
		if (worker == owner && make_session(worker, connections / client->sessions) < 0) {
			client->error = *worker->error;
			return -1;
		}
	}
	if (client_is_free(client))
		return 0;
	client->token = round_robin_make(threads, &client->error);
	return client->token ? 0 : -1;
}

static void client_close(struct client *client)
{
	for (size_t i = 0; i < client->sessions; i++)
		client_session_free(client->workers[i].session);
	for (size_t i = 0; client->workers && i < (size_t)client->options.threads; i++)
		buffer_free(&client->workers[i].line);
	round_robin_free(client->token);
	start_barrier_destroy(&client->start);
	schedule_destroy(&client->schedule);
	intervals_close(&client->intervals);
	stdout_writer_free(&client->output);
	line_source_close(&client->input);
	buffer_free(&client->result.connections);
	free(client->workers);
	free(client->counters);
	free(client->histograms);
	if (!client->request)
		descriptor_close(&client->signals);
	descriptor_close(&client->stop);
	descriptor_close(&client->over);
	pthread_mutex_destroy(&client->mutex);
}

static int make_threads(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	int errnum = 0;
	atomic_store(&client->running, threads);
	while (!errnum && client->made < threads) {
		struct worker *worker = &client->workers[client->made];
		errnum = thread_start(&worker->thread, CLIENT_STACK, worker_run, worker);
		client->made += !errnum;
	}
	atomic_fetch_sub(&client->running, threads - client->made);
	return errnum;
}

/* Ends all threads. Only the first failure counts. */
static void fail(struct client *client, const struct error *error)
{
	pthread_mutex_lock(&client->mutex);
	if (!client->failed)
		client->error = *error;
	client->failed = true;
	pthread_mutex_unlock(&client->mutex);
	client_stop(client);
}

/* A sleeping thread is woken 50 to 100 µs late in a virtual machine. So it wakes earlier and
 * watches the clock, for a tenth of the time between two lines at the most. */
static int64_t lead_of(int64_t rate)
{
	const int64_t tenth = CLOCK_SECOND / 10 * SCHEDULE_UNIT;
	return rate ? clock_earlier(CLIENT_LEAD, tenth / rate) : 0;
}

/* Makes the threads, and hands out the token. If one cannot be made, those that were end. */
static void start_threads(struct client *client)
{
	/* inherited by the threads: else a wait for an intended start ends up to 50 µs late */
	if (client->options.rate)
		(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* costs only precision */
	int errnum = make_threads(client);
	if (!errnum) {
		if (client->token)
			round_robin_pass(client->token);
		return;
	}
	struct error error;
	error_set(&error, "cannot create thread %zu of %zu: %s", client->made + 1,
		  (size_t)client->options.threads, strerror(errnum));
	fail(client, &error);
}

/* The first signal ends the work, another one the program. */
static void take_signal(struct client *client)
{
	if (!signalfd_take(client->signals))
		return;
	int64_t now = clock_now();
	if (!client->interrupted) {
		client->interrupted = now;
		client_stop(client);
	} else if (now - client->interrupted > CLIENT_GRACE * CLOCK_MILLISECOND)
		_exit(EXIT_FAILED);
}

static uint64_t answered(const struct client *client)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < client->made; i++)
		sum += atomic_load_explicit(&client->workers[i].answered, memory_order_relaxed);
	return sum;
}

/* Shows progress on a terminal, but not where lines are shown there or another program reads the
 * result. */
static void open_progress(struct client *client)
{
	const struct client_options *options = &client->options;
	bool show = options->acks < 0 && !options->interval &&
		    (options->quiet || isatty(STDOUT_FILENO) != 1);
	progress_bar_open(&client->progress, show ? STDERR_FILENO : -1,
			  (uint64_t)options->threads * (uint64_t)options->iterations,
			  options->duration ? options->warmup + options->duration : 0);
}

/* -1: the client's error is set. With a parent program the report, and so the log, is that one's.
 */
static int open_intervals(struct client *client)
{
	const struct client_options *options = &client->options;
	const struct intervals settings = {.program = client->program,
					   .length = options->interval,
					   .hdr = options->report == REPORT_HDR &&
						  options->interval &&
						  options->acks<0, .scheduled = options->rate> 0};
	return intervals_open(&client->intervals, &settings, &client->error);
}

/* What cannot be printed ends the client. */
static int64_t tell_intervals(struct client *client, uint64_t done)
{
	struct error error;
	if (intervals_update(&client->intervals, client->histograms, client->sessions, done,
			     &error) < 0)
		fail(client, &error);
	return client->intervals.next;
}

/* Tells how far it is, and returns when to do so again. */
static int64_t tell_progress(struct client *client)
{
	struct client_request *request = client->request;
	uint64_t done = answered(client);
	progress_bar_update(&client->progress, done, "");
	int64_t next = tell_intervals(client, done);
	if (!request)
		return clock_earlier(client->progress.next, next);
	request->progress(request->context, done);
	return clock_after(CLIENT_PROGRESS * CLOCK_MILLISECOND);
}

/* Waits until all threads have ended. */
static void await_threads(struct client *client)
{
	struct pollfd waiting[] = {{.fd = client->over, .events = POLLIN},
				   {.fd = client->signals, .events = POLLIN}};
	int64_t next = tell_progress(client);
	while (atomic_load(&client->running)) {
		int ready = clock_poll(waiting, 2, next);
		if (ready > 0 && waiting[1].revents)
			take_signal(client);
		next = tell_progress(client);
	}
	progress_bar_close(&client->progress);
	for (size_t i = 0; i < client->made; i++)
		(void)pthread_join(client->workers[i].thread, NULL); /* made and not yet joined */
}

/* From now on a signal ends the program as it does by default, except the repeats of the first. */
static void restore_signals(struct client *client)
{
	struct pollfd waiting = {.fd = client->signals, .events = POLLIN};
	int64_t grace = client->interrupted + CLIENT_GRACE * CLOCK_MILLISECOND;
	while (client->interrupted && clock_now() < grace && clock_poll(&waiting, 1, grace) >= 0)
		(void)signalfd_take(client->signals);
	sigset_t none;
	sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* cannot fail for a valid set */
}

static bool run(const struct client_options *options, const char *program,
		struct client_request *request)
{
	struct client client = {.options = *options,
				.program = program,
				.request = request,
				.signals = -1,
				.stop = -1,
				.over = -1};
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&client.mutex, NULL);
	schedule_init(
		&client.schedule, options->rate, (enum arrivals)options->arrivals,
		random_state((uint64_t)options->seed, (uint64_t)options->number, SCHEDULE_RANDOM));
	client.lead = lead_of(options->rate);
	start_barrier_init(&client.start, (size_t)options->threads, CLIENT_CONNECT_LIMIT);
	client.failed = client_open(&client) < 0 || open_intervals(&client) < 0;
	if (!client.failed) {
		open_progress(&client);
		start_threads(&client);
		await_threads(&client);
		if (!request)
			restore_signals(&client);
	}
	bool done = client_report(&client);
	if (request)
		request->interrupted = client.interrupted != 0;
	client_close(&client);
	return done;
}

enum exit_status client_run(const struct client_options *options, const char *program)
{
	return run(options, program, NULL) ? EXIT_DONE : EXIT_FAILED;
}

void client_run_request(const struct client_options *options, const char *program,
			struct client_request *request)
{
	(void)run(options, program, request); /* the report says it */
}
