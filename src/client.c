/* SPDX-License-Identifier: MIT */
/* The client: n threads take strict turns to send a line each, or go at their own pace, and every
 * line must be acknowledged. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/program.h"
#include "base/thread.h"
#include "client/chars/event_loop.h"
#include "client/ping/event_loop.h"
#include "client/run.h"
#include "base/clock.h"
#include "base/random.h"
#include "client/workload/workload.h"
#include "base/signalfd.h"

enum {
	CLIENT_STACK = 128 * 1024,
	/* How long threads may take to end after they were told to, in milliseconds, before it is
	 * assumed that one of them hangs in looking up or connecting to the host. */
	CLIENT_GRACE = 200,
	/* Threads of free order that connect at the same time: fewer than a server's backlog. */
	CLIENT_DOORS = 100,
};

static int open_descriptors(struct client *client)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	client->signals = signalfd_open(handled, &client->error);
	if (client->signals < 0)
		return -1;
	client->stop = eventfd(0, EFD_CLOEXEC);
	client->over = eventfd(0, EFD_CLOEXEC);
	if (client->stop >= 0 && client->over >= 0)
		return 0;
	return error_set(&client->error, "cannot make an event descriptor: %s", strerror(errno));
}

/* The talk of a thread, with that many connections. */
static int make_talk(struct client *client, size_t number, size_t connections)
{
	const struct client_options *options = &client->options;
	struct worker *worker = &client->workers[number];
	struct client_session_settings settings = {
		.host = options->host,
		.port = (int)options->port,
		.connections = connections,
		.window = (size_t)options->window,
		.delay = options->delay,
		.alone = client->sessions > 1,
		.seed = random_state((uint64_t)options->seed, (uint64_t)options->number, number),
		.timeout = options->timeout,
		.retry = options->retry,
		.stop = client->stop,
		.counters = client->counters,
		.latency = &client->histograms[number],
		.raw = options->rate ? &client->histograms[client->sessions + number] : NULL,
		.waits = options->rate > 0,
		.echoes = workloads[options->service].echoes,
		.connected = worker_connected,
		.answered = workloads[options->service].echoes && !options->quiet ? worker_answered
										  : NULL,
		.context = worker,
	};
	worker->session = client_session_make(&settings, &client->error);
	return worker->session ? 0 : -1;
}

/* Everything that threads work with. */
static int make_workers(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	size_t connections = client->options.connect == CONNECT_EACH ? threads : 1;
	if (client_session_allow(connections, &client->error) < 0)
		return -1;
	size_t sessions = client_is_free(client) ? threads : 1;
	client->workers = memory_calloc(threads, sizeof *client->workers);
	client->counters = memory_calloc(threads, sizeof *client->counters);
	client->histograms = memory_calloc(client->options.rate ? 2 * sessions : sessions,
					   sizeof *client->histograms);
	if (!client->workers || !client->counters || !client->histograms)
		return error_set(&client->error, "out of memory for %zu threads", threads);
	client->sessions = sessions;
	client->result.counters = client->counters;
	client->result.plan = (struct plan){.threads = threads,
					    .iterations = (uint64_t)client->options.iterations,
					    .window = (uint64_t)client->options.window,
					    .each = client->options.connect == CONNECT_EACH,
					    .free = client_is_free(client)};
	for (size_t i = 0; i < threads; i++) {
		struct worker *worker = &client->workers[i];
		worker->client = client;
		worker->number = i;
		if (i < sessions && make_talk(client, i, connections / sessions) < 0)
			return -1;
		worker->session = client->workers[i < sessions ? i : 0].session;
	}
	return 0;
}

/* Everything that is needed before the first thread. 0, or -1 with the failure set. */
static int client_prepare(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	if (open_descriptors(client) < 0)
		return -1;
	stdout_writer_open(&client->output, STDOUT_FILENO, client->stop);
	const char *input = client->options.input;
	if (input && line_source_open(&client->input, input, &client->error) < 0)
		return -1;
	if (client_is_free(client))
		client->barrier = start_barrier_make(threads, CLIENT_DOORS, &client->error);
	else
		client->turn = round_robin_make(threads, &client->error);
	return client->barrier || client->turn ? make_workers(client) : -1;
}

static void client_free(struct client *client)
{
	for (size_t i = 0; i < client->sessions; i++)
		client_session_free(client->workers[i].session);
	for (size_t i = 0; client->workers && i < (size_t)client->options.threads; i++)
		buffer_free(&client->workers[i].line);
	round_robin_free(client->turn);
	start_barrier_free(client->barrier);
	stdout_writer_free(&client->output);
	line_source_close(&client->input);
	client_result_writer_free(&client->result);
	free(client->workers);
	free(client->counters);
	free(client->histograms);
	int descriptors[] = {client->signals, client->stop, client->over};
	for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
		if (descriptors[i] >= 0)
			(void)close(descriptors[i]); /* nothing is written through them */
	pthread_mutex_destroy(&client->guard);
	free(client);
}

/* 0, or the error of pthread. */
static int make_thread(struct client *client, const pthread_attr_t *attributes)
{
	struct worker *worker = &client->workers[client->made];
	atomic_fetch_add(&client->running, 1);
	int errnum = thread_create(&worker->thread, attributes, worker_run, worker);
	if (errnum)
		atomic_fetch_sub(&client->running, 1);
	else
		client->made++;
	return errnum;
}

static void fail_to_start(struct client *client, int errnum)
{
	pthread_mutex_lock(&client->guard);
	client->failed = true;
	error_set(&client->error, "cannot make thread %zu of %zu: %s", client->made + 1,
		  (size_t)client->options.threads, strerror(errnum));
	pthread_mutex_unlock(&client->guard);
	client_stop(client);
}

/* Makes the threads, who wait for their turns, and then starts the rotation. Where one cannot be
 * made, those that were end at once. */
static void start_threads(struct client *client)
{
	pthread_attr_t attributes;
	size_t threads = (size_t)client->options.threads;
	/* threads inherit it: they wait for a line to be due to the point, not up to 50 µs longer
	 */
	if (client->options.rate)
		(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* if not, it is later */
	int errnum = thread_attributes_init(&attributes, CLIENT_STACK);
	if (!errnum) {
		while (!errnum && client->made < threads)
			errnum = make_thread(client, &attributes);
		(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	}
	if (!errnum && client->turn)
		round_robin_pass(client->turn);
	if (errnum)
		fail_to_start(client, errnum);
}

/* A signal has come: the first one ends the work, the second one everything. One Ctrl-C can come
 * twice, from the terminal and from who started the client: what comes right after the first one is
 * the same. */
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

static bool is_connecting(const struct client *client)
{
	for (size_t i = 0; i < client->sessions; i++)
		if (client_session_connecting(client->workers[i].session))
			return true;
	return false;
}

static uint64_t answered(const struct client *client)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < client->made; i++)
		sum += atomic_load_explicit(&client->workers[i].answered, memory_order_relaxed);
	return sum;
}

/* Shows progress on a terminal, unless lines are shown there, or a program looks after this one. */
static void open_progress(struct client *client)
{
	const struct client_options *options = &client->options;
	bool show = options->acks < 0 && (options->quiet || isatty(STDOUT_FILENO) != 1);
	progress_bar_open(&client->progress, show ? STDERR_FILENO : -1,
			  (uint64_t)options->threads * (uint64_t)options->iterations,
			  options->duration ? options->warmup + options->duration : 0);
}

/* Waits until all threads have come to their end, or hang where nothing can wake them. */
static void await_end(struct client *client)
{
	struct pollfd waiting[] = {{.fd = client->over, .events = POLLIN},
				   {.fd = client->signals, .events = POLLIN}};
	while (atomic_load(&client->running)) {
		int wait = clock_poll_timeout(client->progress.next);
		int ready = poll(waiting, 2, client->interrupted ? CLIENT_GRACE : wait);
		client->abandoned = ready == 0 && client->interrupted && is_connecting(client);
		if (client->abandoned)
			return;
		if (ready > 0 && waiting[1].revents)
			take_signal(client);
		progress_bar_update(&client->progress, answered(client));
	}
}

static void join_threads(struct client *client)
{
	for (size_t i = 0; i < client->made; i++)
		(void)pthread_join(client->workers[i].thread, NULL); /* made and not yet joined */
}

/* From now on a signal ends the program as it does by default. The first one has been taken
 * already, and what comes with it is still the same one. */
static void let_signals_end(struct client *client)
{
	struct pollfd waiting = {.fd = client->signals, .events = POLLIN};
	int64_t same = client->interrupted + CLIENT_GRACE * CLOCK_MILLISECOND;
	while (client->interrupted && clock_now() < same &&
	       poll(&waiting, 1, clock_poll_timeout(same)) >= 0)
		(void)signalfd_take(client->signals);
	sigset_t none;
	sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* cannot fail for a valid set */
}

static enum exit_status client_run(struct client *client)
{
	if (client_prepare(client) < 0) {
		program_complain(client->program, client->error.message);
		return EXIT_FAILED;
	}
	open_progress(client);
	start_threads(client);
	await_end(client);
	progress_bar_close(&client->progress);
	if (!client->abandoned)
		join_threads(client);
	let_signals_end(client);
	bool done = client_tell(client);
	if (client->abandoned)
		_exit(EXIT_FAILED); /* nothing may be freed under the thread that still runs */
	return done ? EXIT_DONE : EXIT_FAILED;
}

/* Workloads without threads that send lines: who runs them instead. */
static const struct {
	const char *workload;
	enum exit_status (*run)(const struct client_options *options, const char *program);
} runners[] = {
	{"ping", ping_client_run},
	{"chars", chars_client_run},
};

int main(int argc, char **argv)
{
	struct client_options options = client_option_defaults;
	struct error error;
	const char *program = program_name(argv[0]);
	program_guard_descriptors();
	enum option_outcome outcome =
		options_read(&client_option_table, &options, argc, argv, &error);
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	if (outcome == OPTIONS_WRONG || client_options_complete(&options, &error) < 0) {
		program_complain(program, error.message);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof runners / sizeof *runners; i++)
		if (!strcmp(runners[i].workload, workloads[options.service].name))
			return (int)runners[i].run(&options, program);
	struct client *client = memory_calloc(1, sizeof *client);
	if (!client) {
		program_complain(program, "out of memory");
		return EXIT_FAILED;
	}
	client->options = options;
	client->program = program;
	client->signals = client->stop = client->over = -1;
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&client->guard, NULL);
	enum exit_status status = client_run(client);
	client_free(client);
	return (int)status;
}
