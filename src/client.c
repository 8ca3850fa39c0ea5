/* SPDX-License-Identifier: MIT */
/* The client: n threads take strict turns to send a line each, and every line must be acknowledged.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client_output.h"
#include "client_report.h"
#include "clock.h"
#include "options_client.h"
#include "random.h"
#include "role/role.h"
#include "signals.h"
#include "talk.h"
#include "tally.h"
#include "turn.h"

enum {
	CLIENT_STACK = 128 * 1024,
	/* How long threads may take to end after they were told to, in milliseconds, before it is
	 * assumed that one of them hangs in looking up or connecting to the host. */
	CLIENT_GRACE = 200,
};

struct worker {
	struct client *client;
	size_t number;
	pthread_t thread;
};

/* Who has the turn writes to the members from `output` on; main() reads them when the threads have
 * ended. */
struct client {
	struct client_options options;
	const char *program;
	int signals;
	int stop; /* eventfd, readable from when all are told to end */
	int over; /* eventfd, readable when the last thread has ended */
	struct turn *turn;
	struct talk *talk;
	struct worker *workers;
	size_t made; /* threads that were made */
	atomic_size_t running;
	int64_t interrupted; /* ns, when the first signal came; 0: none */
	bool abandoned;	     /* a thread could not be ended, and is not waited for */
	struct output output;
	struct tally *tallies;
	struct latency *latency;
	struct acks acks;
	int64_t started, ended; /* ns, 0: not yet */
	bool failed;
	struct failure failure;
};

static void raise_event(int descriptor)
{
	/* an eventfd takes so few without blocking, and then nothing else can go wrong */
	(void)eventfd_write(descriptor, 1);
}

/* Tells everybody to end, whatever they wait for. */
static void client_stop(struct client *client)
{
	raise_event(client->stop);
	talk_stop(client->talk);
	turn_stop(client->turn);
}

/* One turn: composes, shows and sends this thread's line for an iteration. */
static bool take_turn(struct worker *worker, int64_t iteration)
{
	struct client *client = worker->client;
	size_t connection = client->options.connect == CONNECT_EACH ? worker->number : 0;
	char line[ROLE_LINE_SIZE];
	size_t length = roles[client->options.service]->compose(line, client->options.number,
								worker->number, iteration);
	if (!talk_ready(client->talk, &client->failure))
		return false;
	/* shown before it is sent: what showing takes is no part of its latency */
	if (!client->options.quiet && !output_line(&client->output, line, length, &client->failure))
		return false;
	return talk_send(client->talk, connection, worker->number, line, length, &client->failure);
}

/* What the first turn of all begins with, and the last one ends with. */
static bool begin(struct client *client)
{
	if (!talk_open(client->talk, &client->failure))
		return false;
	client->started = clock_now();
	return true;
}

static bool finish(struct client *client)
{
	if (!talk_finish(client->talk, &client->failure))
		return false;
	client->ended = clock_now();
	return true;
}

/* All turns of a thread. False: one of them failed; the others are to end as well. */
static bool take_turns(struct worker *worker)
{
	struct client *client = worker->client;
	bool first = worker->number == 0;
	bool last = worker->number + 1 == (size_t)client->options.threads;
	for (int64_t i = 1; i <= client->options.iterations; i++) {
		if (!turn_wait(client->turn, worker->number))
			return true;
		if (first && i == 1 && !begin(client))
			return false;
		if (!take_turn(worker, i))
			return false;
		if (last && i == client->options.iterations)
			return finish(client);
		/* at once: the next thread reads the answer to this line before it sends its own */
		turn_pass(client->turn);
	}
	return true;
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct client *client = worker->client;
	if (!take_turns(worker)) {
		client->failed = true;
		client->ended = clock_now();
		turn_stop(client->turn);
	}
	if (atomic_fetch_sub(&client->running, 1) == 1)
		raise_event(client->over);
	return NULL;
}

/* The thread that makes connection number `connection` has the turn. */
static void note_connection(void *context, size_t connection, const char *local_name)
{
	struct client *client = context;
	if (client->options.acks >= 0)
		acks_connection(&client->acks, &client->options, client->tallies, connection,
				local_name);
}

/* Who reads an echo has the turn. */
static bool show_echo(void *context, const char *answer, size_t length, struct failure *failure)
{
	struct client *client = context;
	return output_echo(&client->output, answer, length, failure);
}

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

static int make_talk(struct client *client, size_t connections)
{
	const struct client_options *options = &client->options;
	struct talk_settings settings = {
		.host = options->host,
		.port = (int)options->port,
		.connections = connections,
		.window = (size_t)options->window,
		.delay = options->delay,
		.seed = random_state((uint64_t)options->seed, (uint64_t)options->number, 0),
		.timeout = options->timeout,
		.retry = options->retry,
		.stop = client->stop,
		.tallies = client->tallies,
		.latency = client->latency,
		.echoes = roles[options->service]->echoes,
		.connected = note_connection,
		.answered = roles[options->service]->echoes && !options->quiet ? show_echo : NULL,
		.context = client,
	};
	client->talk = talk_make(&settings, &client->failure);
	return client->talk ? 0 : -1;
}

/* Everything that is needed before the first thread. 0, or -1 with the failure set. */
static int client_prepare(struct client *client)
{
	size_t threads = (size_t)client->options.threads;
	size_t connections = client->options.connect == CONNECT_EACH ? threads : 1;
	if (open_descriptors(client) < 0)
		return -1;
	output_open(&client->output, STDOUT_FILENO, client->stop);
	client->workers = calloc(threads, sizeof *client->workers);
	client->tallies = calloc(threads, sizeof *client->tallies);
	client->latency = calloc(1, sizeof *client->latency);
	if (!client->workers || !client->tallies || !client->latency)
		return failure_set(&client->failure, "out of memory for %zu threads", threads);
	client->turn = turn_make(threads, &client->failure);
	return client->turn ? make_talk(client, connections) : -1;
}

static void client_free(struct client *client)
{
	turn_free(client->turn);
	talk_free(client->talk);
	output_free(&client->output);
	acks_free(&client->acks);
	free(client->workers);
	free(client->tallies);
	free(client->latency);
	int descriptors[] = {client->signals, client->stop, client->over};
	for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
		if (descriptors[i] >= 0)
			(void)close(descriptors[i]); /* nothing is written through them */
	free(client);
}

/* 0, or the error of pthread. */
static int make_thread(struct client *client, const pthread_attr_t *attributes)
{
	struct worker *worker = &client->workers[client->made];
	*worker = (struct worker){.client = client, .number = client->made};
	atomic_fetch_add(&client->running, 1);
	int error = pthread_create(&worker->thread, attributes, worker_run, worker);
	if (error)
		atomic_fetch_sub(&client->running, 1);
	else
		client->made++;
	return error;
}

/* Makes the threads, who wait for their turns, and then starts the rotation. Where one cannot be
 * made, those that were end at once. */
static void start_threads(struct client *client)
{
	pthread_attr_t attributes;
	size_t threads = (size_t)client->options.threads;
	int error = pthread_attr_init(&attributes);
	if (!error) {
		error = pthread_attr_setstacksize(&attributes, CLIENT_STACK);
		while (!error && client->made < threads)
			error = make_thread(client, &attributes);
		(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	}
	if (!error) {
		turn_pass(client->turn);
		return;
	}
	client->failed = true;
	failure_set(&client->failure, "cannot make thread %zu of %zu: %s", client->made + 1,
		    threads, strerror(error));
	turn_stop(client->turn);
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

/* Waits until all threads have come to their end, or hang where nothing can wake them. */
static void await_end(struct client *client)
{
	struct pollfd waiting[] = {{.fd = client->over, .events = POLLIN},
				   {.fd = client->signals, .events = POLLIN}};
	while (atomic_load(&client->running)) {
		int ready = poll(waiting, 2, client->interrupted ? CLIENT_GRACE : -1);
		client->abandoned = ready == 0 && talk_connecting(client->talk);
		if (client->abandoned)
			return;
		if (ready > 0 && waiting[1].revents)
			take_signal(client);
	}
}

static void join_threads(struct client *client)
{
	for (size_t i = 0; i < client->made; i++)
		(void)pthread_join(client->workers[i].thread, NULL); /* made and not yet joined */
}

static struct tally total_of(const struct client *client)
{
	struct tally total = {0};
	for (int64_t i = 0; i < client->options.threads; i++)
		tally_merge(&total, &client->tallies[i]);
	return total;
}

/* On stderr; a client of echo has nothing to say there when all is well. False: stdout failed. */
static bool show_report(const struct client *client, const struct tally *total, int64_t elapsed)
{
	bool echoes = roles[client->options.service]->echoes;
	if (echoes && client->options.quiet)
		return true;
	FILE *where = echoes ? stdout : stderr;
	report_show(where, client->program, total, client->latency, elapsed);
	if (client->options.delay.max > client->options.delay.min)
		(void)fprintf(where, "%s: pauses by seed %" PRId64 "\n", client->program,
			      client->options.seed); /* stdout is checked below */
	if (fflush(stdout) == 0)
		return true;
	program_complain(client->program, "cannot write the report to stdout");
	return false;
}

/* Tells how it ended. True: every line was acknowledged, and everything could be told. */
static bool client_tell(struct client *client)
{
	struct failure failure;
	struct tally total = total_of(client);
	uint64_t planned = (uint64_t)client->options.threads * (uint64_t)client->options.iterations;
	bool done = !client->failed && !client->interrupted && total.acknowledged == planned;
	if (client->interrupted)
		program_complain(client->program, "interrupted");
	else if (client->failed)
		program_complain(client->program, client->failure.words);
	if (!output_flush(&client->output, &failure)) {
		program_complain(client->program, failure.words);
		done = false;
	}
	int64_t ended = client->ended ? client->ended : clock_now();
	if (client->started && !show_report(client, &total, ended - client->started))
		done = false;
	if (client->options.acks >= 0 &&
	    !acks_write(&client->acks, &client->options, client->tallies, &failure)) {
		program_complain(client->program, failure.words);
		done = false;
	}
	return done;
}

static enum exit_status client_run(struct client *client)
{
	if (client_prepare(client) < 0) {
		program_complain(client->program, client->failure.words);
		return EXIT_FAILED;
	}
	start_threads(client);
	await_end(client);
	if (!client->abandoned)
		join_threads(client);
	/* a first signal ends the program now as it does by default */
	sigset_t none;
	sigemptyset(&none);
	if (!client->interrupted)
		(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* cannot fail for a valid set */
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
	if (roles[options.service]->run)
		return (int)roles[options.service]->run(&options, program);
	struct client *client = calloc(1, sizeof *client);
	if (!client) {
		program_complain(program, "out of memory");
		return EXIT_FAILED;
	}
	client->options = options;
	client->program = program;
	client->signals = client->stop = client->over = -1;
	enum exit_status status = client_run(client);
	client_free(client);
	return (int)status;
}
