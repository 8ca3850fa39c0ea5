/* SPDX-License-Identifier: MIT */
/* The server: answers each text line once it is in the log. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/acceptor.h"
#include "base/clock.h"
#include "base/directory.h"
#include "base/program.h"
#include "base/rlimit.h"
#include "log.h"
#include "net/socket.h"
#include "net/stream.h"
#include "service/server_options.h"
#include "session/send_queue.h"
#include "session/session_table.h"
#include "log/stdout_tee.h"
#include "base/signalfd.h"

enum { SERVER_DESCRIPTORS = 32 }; /* kept for all that is no connection */

/* How often a signal is looked for while waiting for the log. */
#define SERVER_LOOK (100 * CLOCK_MILLISECOND)

static const char *program = "server";

struct server {
	struct server_options options;
	int signals;
	struct stdout_tee *show;
	struct log *log;
	struct flusher *flusher;
	struct session_table *table;
	struct timer_queue *timer_queue;
	const struct service *service;
	void *state; /* the service's own */
	struct session_settings settings;
	struct busy_poll spin;
	struct acceptor acceptor;
};

static void warn(const char *words)
{
	program_complain(program, words);
}

/* As many descriptors as are allowed. Returns how many connections that allows; 0: failed. */
static int64_t raise_limit(const struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	uint64_t kept = SERVER_DESCRIPTORS, limit = rlimit_raise_descriptors();
	struct service_options own = server_options_of_service(options);
	if (service->descriptors)
		kept += (uint64_t)service->descriptors(&own);
	if (limit > kept)
		return limit > 1000000 ? 1000000 : (int64_t)(limit - kept);
	error_set(error, "the descriptor limit of %" PRIu64 " is too low", limit);
	return 0;
}

/* What can be known to be wrong before anything is opened: bad usage. */
static int check_options(struct server *server, int64_t most, struct error *error)
{
	if (server_options_complete(&server->options, error) < 0)
		return -1;
	if (server->options.connections > most)
		return error_set(error, "-connections: the descriptor limit allows %lld, not %lld",
				 (long long)most, (long long)server->options.connections);
	if (!server->options.connections)
		server->options.connections = most;
	return 0;
}

static int open_log(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	if (!options->quiet && !(server->show = stdout_tee_start(STDOUT_FILENO, error)))
		return -1;
	/* only where nobody has said where the log should be */
	if (!options->log && directory_make_for(server->service->log, error) < 0)
		return -1;
	const struct record_format *format = record_formats[options->format];
	struct log_settings settings = {.target = server_options_log(options),
					.append = options->append,
					.format = format == &record_text ? server->service->format
									 : format,
					.sync = (enum log_sync)options->sync,
					.tee = server->show,
					.warn = warn};
	server->log = log_open(&settings, error);
	return server->log ? 0 : -1;
}

static int start_service(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	const struct service_settings settings = {
		.options = server_options_of_service(options),
		.log = server->log,
		.log_name = server_options_log(options),
		.append = options->append,
		.timer_queue = server->timer_queue,
		.stream_type = &stream_tcp,
		.broadcast = session_table_broadcast(server->table),
		.warn = warn,
	};
	if (!server->service->start)
		return 0;
	server->state = server->service->start(&settings, error);
	return server->state ? 0 : -1;
}

static int open_connections(struct server *server, struct error *error)
{
	if (!(server->flusher = flusher_start(error)) ||
	    !(server->table = session_table_new(error)) ||
	    !(server->timer_queue = timer_queue_start(error)) || start_service(server, error) < 0)
		return -1;
	server->spin.time = server->options.spin;
	server->settings = (struct session_settings){
		.log = server->log,
		.flusher = server->flusher,
		.stream_type = &stream_tcp,
		.spin = &server->spin,
		.service = server->service,
		.state = server->state,
		.maxline = (size_t)server->options.maxline,
		.idle = server->options.idle,
		.closing = session_table_closing,
		.finished = session_table_finished,
		.context = server->table,
	};
	server->acceptor = (struct acceptor){.listener = server->acceptor.listener,
					     .most = (size_t)server->options.connections,
					     .table = server->table,
					     .settings = &server->settings,
					     .warn = warn};
	return 0;
}

/* Tells whoever started the server where it listens. */
static int tell_ready(int descriptor, const char *name, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	int port;
	if (descriptor < 0 || socket_name_split(name, host, &port) < 0)
		return 0;
	int written = dprintf(descriptor, "%s %d\n", host, port);
	if (written < 0)
		error_set(error, "cannot write to descriptor %d: %s", descriptor, strerror(errno));
	if (descriptor > STDERR_FILENO)	 /* no connection may become stdout or stderr */
		(void)close(descriptor); /* so that its reader sees the end */
	return written < 0 ? -1 : 0;
}

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
	/* whoever is told finds it in the log; a log that hangs must not keep it from being told */
	(void)log_flush(server->log, clock_after(CLOCK_SECOND));
	return tell_ready((int)options->ready, name, error);
}

/* Connection threads that were just woken don't push aside the one that commits. It needs no
 * privilege, and without it everything works, only slower. Threads made later inherit it. */
static void become_batch(void)
{
	struct sched_param none = {0};
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

static int server_open(struct server *server, struct error *error)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, 0};
	server->signals = signalfd_open(signals, error);
	if (server->signals < 0)
		return -1;
	int listener = socket_bind(server->options.host, (int)server->options.port, error);
	server->acceptor.listener = listener;
	if (listener < 0 || open_log(server, error) < 0 || open_connections(server, error) < 0)
		return -1;
	if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0)
		return error_set(error, "cannot listen: %s", strerror(errno));
	become_batch();
	return socket_listen(listener, error);
}

static void reopen_log(struct server *server)
{
	if (server->service->keeps_log)
		log_note(server->log, RECORD_WARNING, RECORD_SERVER,
			 "the log is not opened anew: lines are forwarded from it");
	else
		log_reopen(server->log);
}

/* Accepts and joins connections until a signal says to end. */
static int server_run(struct server *server, struct error *error)
{
	struct acceptor *acceptor = &server->acceptor;
	for (;;) {
		struct pollfd ready[] = {
			{.fd = server->signals, .events = POLLIN},
			{.fd = session_table_descriptor(server->table), .events = POLLIN},
			{.fd = acceptor->listener, .events = acceptor_events(acceptor)},
		};
		int count = poll(ready, 3, clock_poll_timeout(acceptor_deadline(acceptor)));
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

/* Asked twice: ends at once, without what is still under way. */
static void end_if_told(const struct server *server)
{
	int signal = signalfd_take(server->signals);
	if (!signal || signal == SIGHUP)
		return;
	warn("told twice to end: what was still under way is left undone");
	_exit(EXIT_FAILED);
}

/* Waits until all connections have ended. False: not by the deadline. */
static bool wait_for_connections(struct server *server, int64_t deadline)
{
	while (session_table_count(server->table)) {
		struct pollfd ready[] = {
			{.fd = server->signals, .events = POLLIN},
			{.fd = session_table_descriptor(server->table), .events = POLLIN},
		};
		int count = poll(ready, 2, clock_poll_timeout(deadline));
		end_if_told(server);
		session_table_join(server->table);
		if (count == 0)
			return session_table_count(server->table) == 0;
	}
	return true;
}

/* Answers what has come and lets go of everybody. False: threads may still use what there is. */
static bool server_drain(struct server *server)
{
	int64_t deadline = clock_after(server->options.drain);
	acceptor_finish(&server->acceptor);
	acceptor_close(&server->acceptor);
	server->settings.drain_deadline = deadline;
	atomic_store(&server->settings.draining, true);
	if (server->service->drain)
		server->service->drain(server->state);
	session_table_drain(server->table);
	if (wait_for_connections(server, deadline))
		return true;
	timer_queue_stop(
		server->timer_queue); /* what a connection waits for does not come any more */
	log_note(server->log, RECORD_WARNING, RECORD_SERVER,
		 "stopping; connections that did not end in time: %zu",
		 session_table_count(server->table));
	atomic_store(&server->settings.stopping, true);
	session_table_stop(server->table);
	return wait_for_connections(server, clock_after(CLOCK_SECOND));
}

/* Lets the service do what is left when all connections have ended. */
static int server_finish(struct server *server, struct error *error)
{
	int64_t deadline = server->settings.drain_deadline, look;
	if (!server->service->finish)
		return 0;
	do {
		look = clock_after(SERVER_LOOK);
		if (server->service->finish(server->state, look < deadline ? look : deadline,
					    error) == 0)
			return 0;
		end_if_told(server);
	} while (clock_now() < deadline);
	return -1;
}

/* Waits until the log has everything, as long as the drain may take and a second at least: a disk
 * can be slow without being broken. False: it is stuck. */
static bool flush_log(struct server *server)
{
	int64_t deadline = clock_after(CLOCK_SECOND);
	if (deadline < server->settings.drain_deadline)
		deadline = server->settings.drain_deadline;
	while (!log_flush(server->log, clock_after(SERVER_LOOK))) {
		if (clock_now() >= deadline)
			return false;
		end_if_told(server);
	}
	return true;
}

/* Waits until all that was given to the log has been released; does not return if it is stuck. */
static void settle_log(struct server *server)
{
	if (!server->log || flush_log(server))
		return;
	warn("the log cannot be written: the last records are lost");
	_exit(EXIT_FAILED); /* its threads are stuck in a write */
}

/* Frees what is there, in reverse order. Returns the exit status so far. */
static int server_close(struct server *server, int status)
{
	timer_queue_stop(server->timer_queue);
	settle_log(server); /* what it still has may be for the service, or for everyone */
	if (server->state)
		server->service->stop(server->state);
	timer_queue_free(server->timer_queue);
	session_table_free(server->table);
	flusher_stop(server->flusher);
	if (server->log)
		log_note(server->log, RECORD_INFO, RECORD_SERVER, "stopped");
	settle_log(server);
	if (!log_close(server->log)) {
		warn("the log cannot be written: the last records are lost");
		status = EXIT_FAILED;
	}
	if (!stdout_tee_stop(server->show, clock_after(CLOCK_SECOND)))
		_exit(status); /* stdout is stuck, and with it the thread that shows */
	if (server->acceptor.listener >= 0)
		(void)close(server->acceptor.listener); /* never listened */
	(void)close(server->signals);
	return status;
}

/* Before anything is open. Returns the status. */
static int give_up(const struct error *error, enum exit_status status)
{
	warn(error->message);
	return (int)status;
}

int main(int argc, char **argv)
{
	struct error error;
	struct server server = {.acceptor = {.listener = -1}};
	program_guard_descriptors();
	program = program_name(argv[0]);
	server_options_init(&server.options);
	enum option_outcome outcome =
		options_read(server_option_table(), &server.options, argc, argv, &error);
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	if (outcome == OPTIONS_WRONG)
		return give_up(&error, EXIT_USAGE);
	int64_t most = raise_limit(&server.options, &error);
	if (!most)
		return give_up(&error, EXIT_FAILED);
	if (check_options(&server, most, &error) < 0)
		return give_up(&error, EXIT_USAGE);
	server.service = services[server.options.service];
	if (server_open(&server, &error) < 0 || announce(&server, &error) < 0) {
		warn(error.message);
		return server_close(&server, EXIT_FAILED);
	}
	int status = EXIT_DONE;
	if (server_run(&server, &error) < 0) {
		warn(error.message);
		status = EXIT_FAILED;
	}
	if (!server_drain(&server)) {
		warn("connections could not be ended: the log does not take their lines");
		_exit(EXIT_FAILED);
	}
	if (server_finish(&server, &error) < 0) {
		warn(error.message);
		status = EXIT_FAILED;
	}
	return server_close(&server, status);
}
