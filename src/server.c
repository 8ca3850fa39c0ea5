/* SPDX-License-Identifier: MIT */
/* The server: answers each text line once it is in the log. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/signalfd.h"
#include "base/thread.h"
#include "log.h"
#include "log/stdout_tee.h"
#include "net/ready.h"
#include "net/stream.h"
#include "service/server_options.h"
#include "service/shutdown.h"

static const char *program = "server";

struct server {
	struct server_options options;
	int signals;
	struct stdout_tee *tee;
	struct log *log;
	struct flusher *flusher;
	struct session_table *table;
	struct timer_queue *timer_queue;
	const struct service *service;
	void *state; /* the service's */
	struct busy_poll spin;
	struct session_settings sessions;
	struct acceptor acceptor;
	struct shutdown shutdown;
};

static void warn(const char *message)
{
	program_complain(program, message);
}

/* --- opening, in this order --- */

static int open_log(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	if (!options->quiet && !(server->tee = stdout_tee_start(STDOUT_FILENO, error)))
		return -1;
	/* only for the default name */
	if (!options->log && program_make_directory(server->service->log, error) < 0)
		return -1;
	const struct record_format *format = record_formats[options->format];
	struct log_settings settings = {.target = server_options_log(options),
					.append = options->append,
					.format = format == &record_text ? server->service->format
									 : format,
					.sync = (enum log_sync)options->sync,
					.tee = server->tee,
					.warn = warn};
	server->log = log_open(&settings, error);
	return server->log ? 0 : -1;
}

static int open_threads(struct server *server, struct error *error)
{
	server->flusher = flusher_start(error);
	server->table = server->flusher ? session_table_new(error) : NULL;
	server->timer_queue = server->table ? timer_queue_start(error) : NULL;
	return server->timer_queue ? 0 : -1;
}

static int start_service(struct server *server, struct error *error)
{
	const struct service_settings settings = {
		.options = server_options_of_service(&server->options),
		.log = server->log,
		.log_name = server_options_log(&server->options),
		.timer_queue = server->timer_queue,
		.broadcast = &server->table->broadcast,
		.stream_type = &stream_tcp,
		.warn = warn,
	};
	if (!server->service->start)
		return 0;
	server->state = server->service->start(&settings, error);
	return server->state ? 0 : -1;
}

static void prepare_sessions(struct server *server)
{
	server->spin.time = server->options.spin;
	server->sessions = (struct session_settings){
		.log = server->log,
		.flusher = server->flusher,
		.table = server->table,
		.stream_type = &stream_tcp,
		.spin = &server->spin,
		.handler = &server->service->handler,
		.service = server->state,
		.maxline = (size_t)server->options.maxline,
		.idle = server->options.idle,
	};
	server->acceptor = (struct acceptor){.listener = server->acceptor.listener,
					     .max = (size_t)server->options.connections,
					     .settings = &server->sessions,
					     .warn = warn};
}

/* Logs where the server listens, and tells the program that started it. */
static int announce(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	char name[SOCKET_NAME_SIZE];
	socket_local_name(server->acceptor.listener, name);
	log_note(server->log, RECORD_INFO, RECORD_SERVER, "listening on %s, service %s, sync %s",
		 name, server->service->name, log_sync_names[options->sync]);
	if (server->service->random)
		log_note(server->log, RECORD_INFO, RECORD_SERVER, "seed %lld",
			 (long long)options->seed);
	/* so that the program finds it in the log; not for ever, if the log hangs */
	(void)log_flush(server->log, clock_after(CLOCK_SECOND));
	return options->ready < 0 ? 0 : ready_write((int)options->ready, name, error);
}

static int server_open(struct server *server, struct error *error)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, 0};
	const struct server_options *options = &server->options;
	if ((server->signals = signalfd_open(signals, error)) < 0 ||
	    (server->acceptor.listener = socket_bind(options->host, (int)options->port, error)) <
		    0 ||
	    open_log(server, error) < 0 || open_threads(server, error) < 0 ||
	    start_service(server, error) < 0)
		return -1;
	prepare_sessions(server);
	thread_run_in_batches();
	if (socket_listen(server->acceptor.listener, error) < 0)
		return -1;
	return announce(server, error);
}

/* --- running --- */

static void reopen_log(struct server *server)
{
	if (server->service->keeps_log)
		log_note(server->log, RECORD_WARNING, RECORD_SERVER,
			 "the log is not opened anew: lines are forwarded from it");
	else
		log_reopen(server->log);
}

/* Accepts connections and joins finished sessions, until a signal to end. */
static int server_run(struct server *server, struct error *error)
{
	struct acceptor *acceptor = &server->acceptor;
	for (;;) {
		struct pollfd ready[] = {
			{.fd = server->signals, .events = POLLIN},
			{.fd = server->table->descriptor, .events = POLLIN},
			{.fd = acceptor->listener, .events = acceptor_events(acceptor)},
		};
		int count = clock_poll(ready, 3, acceptor_deadline(acceptor));
		if (count < 0 && errno != EINTR)
			return error_set(error, "cannot wait for connections: %s", strerror(errno));
		int signal = signalfd_take(server->signals);
		if (signal == SIGHUP)
			reopen_log(server);
		else if (signal)
			return 0;
		if (ready[1].revents)
			session_table_join(server->table);
		if (count == 0 || ready[1].revents || ready[2].revents)
			acceptor_run(acceptor);
	}
}

/* --- closing, in reverse order --- */

static int fail(const struct error *error)
{
	warn(error->message);
	return EXIT_FAILED;
}

static void prepare_shutdown(struct server *server)
{
	server->shutdown = (struct shutdown){.signals = server->signals,
					     .log = server->log,
					     .timer_queue = server->timer_queue,
					     .acceptor = &server->acceptor,
					     .sessions = &server->sessions,
					     .service = server->service,
					     .state = server->state,
					     .warn = warn};
}

/* Finishes the work that is there. Returns the exit status. */
static int server_drain(struct server *server)
{
	struct error error;
	if (!shutdown_sessions(&server->shutdown, server->options.drain)) {
		warn("connections could not be ended: the log does not take their lines");
		_exit(EXIT_FAILED);
	}
	return shutdown_service(&server->shutdown, &error) < 0 ? fail(&error) : EXIT_DONE;
}

/* Frees what was opened. Returns the exit status, as it was so far or worse. */
static int server_close(struct server *server, int status)
{
	timer_queue_stop(server->timer_queue);
	shutdown_log(&server->shutdown); /* it may still deliver to the service, and broadcast */
	if (server->state)
		server->service->stop(server->state);
	timer_queue_free(server->timer_queue);
	session_table_free(server->table);
	flusher_stop(server->flusher);
	if (server->log)
		log_note(server->log, RECORD_INFO, RECORD_SERVER, "stopped");
	shutdown_log(&server->shutdown);
	if (!log_close(server->log)) {
		warn("the log cannot be written: the last records are lost");
		status = EXIT_FAILED;
	}
	if (!stdout_tee_stop(server->tee, clock_after(CLOCK_SECOND)))
		_exit(status); /* stdout is stuck, and with it the tee's thread */
	if (server->acceptor.listener >= 0)
		(void)close(server->acceptor.listener); /* never listened */
	(void)close(server->signals);
	return status;
}

/* Returns -1 to go on, or the exit status. */
static int read_options(struct server_options *options, int argc, char **argv)
{
	struct error error;
	server_options_init(options);
	enum option_outcome outcome =
		options_read(server_option_table(), options, argc, argv, &error);
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	int status = EXIT_USAGE;
	if (outcome == OPTIONS_READ)
		status = (int)server_options_check(options, program_raise_descriptors(), &error);
	if (status == EXIT_DONE)
		return -1;
	warn(error.message);
	return status;
}

int main(int argc, char **argv)
{
	struct error error;
	struct server server = {.signals = -1, .acceptor = {.listener = -1}};
	program_guard_descriptors();
	program = program_name(argv[0]);
	int status = read_options(&server.options, argc, argv);
	if (status >= 0)
		return status;
	server.service = services[server.options.service];
	int opened = server_open(&server, &error);
	prepare_shutdown(&server);
	if (opened < 0)
		return server_close(&server, fail(&error));
	status = EXIT_DONE;
	if (server_run(&server, &error) < 0)
		status = fail(&error);
	if (server_drain(&server) != EXIT_DONE)
		status = EXIT_FAILED;
	return server_close(&server, status);
}
