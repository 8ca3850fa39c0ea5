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
	client->signals = signals_open(handled, &client->failure);
	if (client->signals < 0)
		return -1;
	client->stop = eventfd(0, EFD_CLOEXEC);
	client->over = eventfd(0, EFD_CLOEXEC);
	if (client->stop >= 0 && client->over >= 0)
		return 0;
	return failure_set(&client->failure, "cannot make an event descriptor: %s",
			   strerror(errno));
}

/* The talk of a thread, with that many connections. */
static int make_talk(struct client *client, size_t number, size_t connections)
{
	const struct client_options *options = &client->options;
	struct worker *worker = &client->workers[number];
	struct talk_settings settings = {
		.host = options->host,
		.port = (int)options->port,
		.connections = connections,
		.window = (size_t)options->window,
		.delay = options->delay,
		.alone = client->talks > 1,
		.seed = random_state((uint64_t)options->seed, (uint64_t)options->number, number),
		.timeout = options->timeout,
		.retry = options->retry,
		.stop = client->stop,
		.tallies = client->tallies,
		.latency = &client->latencies[number],
		.raw = options->rate ? &client->latencies[client->talks + number] : NULL,
		.waits = options->rate > 0,
		.echoes = roles[options->service]->echoes,
		.connected = worker_connected,
		.answered =
			roles[options->service]->echoes && !options->quiet ? worker_answered : NULL,
		.context = worker,
	};
	worker->talk = talk_make(&settings, &client->failure);
	return worker->talk ? 0 : -1;
}

/* Everything that threads work with. */
static int make_workers(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	size_t connections = client->options.connect == CONNECT_EACH ? threads : 1;
	if (talk_allow(connections, &client->failure) < 0)
		return -1;
	size_t talks = client_is_free(client) ? threads : 1;
	client->workers = calloc(threads, sizeof *client->workers);
	client->tallies = calloc(threads, sizeof *client->tallies);
	client->latencies =
		calloc(client->options.rate ? 2 * talks : talks, sizeof *client->latencies);
	if (!client->workers || !client->tallies || !client->latencies)
		return failure_set(&client->failure, "out of memory for %zu threads", threads);
	client->talks = talks;
	for (size_t i = 0; i < threads; i++) {
		struct worker *worker = &client->workers[i];
		worker->client = client;
		worker->number = i;
		if (i < talks && make_talk(client, i, connections / talks) < 0)
			return -1;
		worker->talk = client->workers[i < talks ? i : 0].talk;
	}
	return 0;
}

/* Everything that is needed before the first thread. 0, or -1 with the failure set. */
static int client_prepare(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	if (open_descriptors(client) < 0)
		return -1;
	output_open(&client->output, STDOUT_FILENO, client->stop);
	const char *input = client->options.input;
	if (input && input_open(&client->input, input, &client->failure) < 0)
		return -1;
	if (client_is_free(client))
		client->muster = muster_make(threads, CLIENT_DOORS, &client->failure);
	else
		client->turn = turn_make(threads, &client->failure);
	return client->muster || client->turn ? make_workers(client) : -1;
}

static void client_free(struct client *client)
{
	for (size_t i = 0; i < client->talks; i++)
		talk_free(client->workers[i].talk);
	for (size_t i = 0; client->workers && i < (size_t)client->options.threads; i++)
		text_free(&client->workers[i].line);
	turn_free(client->turn);
	muster_free(client->muster);
	output_free(&client->output);
	input_close(&client->input);
	acks_free(&client->acks);
	free(client->workers);
	free(client->tallies);
	free(client->latencies);
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
	int error = pthread_create(&worker->thread, attributes, worker_run, worker);
	if (error)
		atomic_fetch_sub(&client->running, 1);
	else
		client->made++;
	return error;
}

static void fail_to_start(struct client *client, int error)
{
	pthread_mutex_lock(&client->guard);
	client->failed = true;
	failure_set(&client->failure, "cannot make thread %zu of %zu: %s", client->made + 1,
		    (size_t)client->options.threads, strerror(error));
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
	int error = pthread_attr_init(&attributes);
	if (!error) {
		error = pthread_attr_setstacksize(&attributes, CLIENT_STACK);
		while (!error && client->made < threads)
			error = make_thread(client, &attributes);
		(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	}
	if (!error && client->turn)
		turn_pass(client->turn);
	if (error)
		fail_to_start(client, error);
}

/* A signal has come: the first one ends the work, the second one everything. One Ctrl-C can come
 * twice, from the terminal and from who started the client: what comes right after the first one is
 * the same. */
static void take_signal(struct client *client)
{
	if (!signals_take(client->signals))
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
	for (size_t i = 0; i < client->talks; i++)
		if (talk_connecting(client->workers[i].talk))
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
	progress_open(&client->progress, show ? STDERR_FILENO : -1,
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
		progress_update(&client->progress, answered(client));
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
		(void)signals_take(client->signals);
	sigset_t none;
	sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* cannot fail for a valid set */
}

static enum exit_status client_run(struct client *client)
{
	if (client_prepare(client) < 0) {
		program_complain(client->program, client->failure.words);
		return EXIT_FAILED;
	}
	open_progress(client);
	start_threads(client);
	await_end(client);
	progress_close(&client->progress);
	if (!client->abandoned)
		join_threads(client);
	let_signals_end(client);
	bool done = client_tell(client);
	if (client->abandoned)
		_exit(EXIT_FAILED); /* nothing may be freed under the thread that still runs */
	return done ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct client_options options = client_option_defaults;
	struct failure failure;
	const char *program = program_name(argv[0]);
	program_guard_descriptors();
	enum option_outcome outcome =
		options_read(&client_option_table, &options, argc, argv, &failure);
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	if (outcome == OPTIONS_WRONG || client_options_complete(&options, &failure) < 0) {
		program_complain(program, failure.words);
		return EXIT_USAGE;
	}
	const struct role *role = roles[options.service];
	if (role->run)
		return (int)role->run(&options, program);
	struct client *client = calloc(1, sizeof *client);
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
