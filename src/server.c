/* SPDX-License-Identifier: MIT */
/* The server: logs each received line, then answers it. main() is at the end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/notify.h"
#include "base/program.h"
#include "base/signalfd.h"
#include "base/thread.h"
#include "base/trimmer.h"
#include "log.h"
#include "net/listener.h"
#include "net/stream.h"
#include "once/route.h"
#include "page/page.h"
#include "service/forwarding.h"
#include "service/server_log.h"
#include "service/server_options_check.h"
#include "service/server_tls.h"
#include "session/acceptor.h"
#include "session/receiver.h"

/* While the drain waits for the log or the service: how often it checks for a signal, and warns. */
#define SERVER_LOOK (100 * CLOCK_MILLISECOND)
#define SERVER_TELL (2 * CLOCK_SECOND)

/* How long freed memory is kept for later lines before it is returned to the system. */
#define SERVER_TRIM CLOCK_SECOND

static const char *program = "server";

struct server {
	struct server_options options;
	int signals; /* a descriptor */
	struct server_log log;
	struct page *page; /* NULL: none */
	struct timer_queue *timer_queue;
	struct trimmer trimmer;
	struct server_tls tls;
	struct relay_route route;
	const struct service *service;
	void *relay; /* that forwards lines; NULL: none */
	struct address_table addresses;
	struct busy_poll spin;
	struct session_settings sessions; /* with the log, the session table, the service's state */
	struct acceptor acceptor;
	struct notify notify;  /* of the service manager */
	struct error reopened; /* no error: the note that begins a reopened log */
};

static void warn(const char *message)
{
	program_complain(program, message);
}

static int fail(const struct error *error)
{
	warn(error->message);
	return EXIT_FAILED;
}

/* Reports a state to the service manager. A failure is only warned of. */
static void notify(const struct server *server, const char *state, const char *words)
{
	char name[SOCKET_NAME_SIZE];
	struct error error;
	socket_local_name(server->acceptor.listener, name);
	if (notify_send(&server->notify, &error, state, "%s %s", words, name) < 0)
		warn(error.message);
}

/* --- opening, in this order --- */

static int open_threads(struct server *server, struct error *error)
{
	struct session_settings *sessions = &server->sessions;
	sessions->stream_type = server_tls_type(server->tls.own);
	sessions->flusher = flusher_start(error);
	sessions->table = sessions->flusher ? session_table_new(error) : NULL;
	server->timer_queue = sessions->table ? timer_queue_start(error) : NULL;
	trimmer_init(&server->trimmer, server->timer_queue, SERVER_TRIM);
	sessions->trimmer = &server->trimmer;
	if (server->timer_queue)
		sessions->notes = peer_notes_new(sessions->log, server->timer_queue, error);
	if (!sessions->notes || server->options.receive == RECEIVE_OWN)
		return sessions->notes ? 0 : -1;
	sessions->receiver = receiver_new(receiver_group_count(), server->options.spin, error);
	return sessions->receiver ? 0 : -1;
}

/* And forwarding, if lines are forwarded. */
static int start_service(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	struct session_settings *sessions = &server->sessions;
	const struct service_settings settings = {
		.options = server_options_of_service(options),
		.log = sessions->log,
		.log_name = server_options_log(options),
		.appends = options->append,
		.sync = (enum log_sync)options->sync,
		.timeout = options->timeout,
		.route = &server->route,
		.timer_queue = server->timer_queue,
		.broadcast = &sessions->table->broadcast,
		.news = page_news(server->page),
	};
	const struct forwarding_settings forwarding = {
		.options = &options->forwarding,
		.server = &settings,
		.keeper = &server->log.keeper,
		.stream_type = server_tls_type(server->tls.next),
	};
	if (server->service->start &&
	    !(sessions->service = server->service->start(&settings, error)))
		return -1;
	if (!options->forwarding.next)
		return 0;
	server->relay = forwarding_start(&forwarding, &sessions->back_pressure, error);
	return server->relay ? 0 : -1;
}

/* Logs where the server listens, and tells the program that started it. */
static int announce(struct server *server, struct error *error)
{
	const struct server_options *options = &server->options;
	struct log *log = server->sessions.log;
	char name[SOCKET_NAME_SIZE];
	socket_local_name(server->acceptor.listener, name);
	server_options_describe(options, name, &server->reopened);
	log_describe(log, server->reopened.message);
	log_note(log, RECORD_INFO, RECORD_SERVER, "%s",
		 server->reopened.message + strlen(RECORD_REOPENED));
	if (!options->tls.ca && listener_is_exposed(server->acceptor.listener, error))
		warn(error->message);
	server_tls_tell(&server->tls, log, warn);
	if (server->service->random || options->delay.min >= 0)
		log_note(log, RECORD_INFO, RECORD_SERVER, "seed %lld", (long long)options->seed);
	if (page_start(server->page, &server->sessions, server->relay, error) < 0)
		return -1;
	/* the program that waits for -ready may read these records; a log that hangs delays it by
	 * one second at most */
	(void)log_flush(log, clock_after(CLOCK_SECOND));
	if (keeper_start(&server->log.keeper, error) < 0)
		return -1;
	notify(server, NOTIFY_READY, "listening on");
	return options->ready < 0 ? 0 : socket_ready_write((int)options->ready, name, error);
}

static int server_open(struct server *server, struct error *error)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, 0};
	const struct server_options *options = &server->options;
	int *listener = &server->acceptor.listener;
	if ((server->signals = signalfd_open(signals, error)) < 0 ||
	    (*listener = listener_open(options->listener, options->host, (int)options->port,
				       server->signals, &server->acceptor.file, error)) < 0 ||
	    page_open(&server->page, options, server->signals, error) < 0 ||
	    !(server->sessions.log = server_log_open(&server->log, options,
						     page_metrics(server->page), warn, error)) ||
	    open_threads(server, error) < 0 || start_service(server, error) < 0)
		return -1;
	thread_run_in_batches();
	return socket_listen(*listener, error) < 0 ? -1 : announce(server, error);
}

/* --- running --- */

static void reload(struct server *server)
{
	notify(server, NOTIFY_RELOADING, "reopening the log; listening on");
	server_tls_reload(&server->tls, server->sessions.log, warn);
	log_reopen(server->sessions.log, server->reopened.message);
	notify(server, NOTIFY_READY, "listening on");
}

/* Accepts connections and joins finished sessions, until a signal to end. */
static int server_run(struct server *server, struct error *error)
{
	struct session_table *table = server->sessions.table;
	struct acceptor *acceptor = &server->acceptor;
	for (;;) {
		bool paused = acceptor->paused_until != CLOCK_NEVER;
		struct pollfd ready[] = {
			{.fd = server->signals, .events = POLLIN},
			{.fd = table->descriptor, .events = POLLIN},
			{.fd = paused ? -1 : acceptor->listener, .events = POLLIN}};
		int count = clock_poll(ready, 3, acceptor->paused_until);
		if (count < 0)
			return error_set(error, "cannot wait for connections: %s", strerror(errno));
		int signal = signalfd_take(server->signals);
		if (signal == SIGHUP)
			reload(server);
		else if (signal)
			return 0;
		if (ready[1].revents)
			session_table_join(table);
		if (count == 0 || ready[1].revents || ready[2].revents)
			acceptor_run(acceptor);
	}
}

/* --- the drain: sessions, service and log finish their work, until the deadline --- */

/* A second signal to end exits at once, without finishing. */
static void end_if_told(const struct server *server)
{
	int signal = signalfd_take(server->signals);
	if (!signal || signal == SIGHUP)
		return;
	warn("second signal: exiting without finishing pending work");
	_exit(EXIT_FAILED);
}

/* Warns what a drain waits for, once from *tell_at on. */
static void tell_waiting(int64_t *tell_at, const char *what)
{
	struct error message;
	if (clock_now() < *tell_at)
		return;
	*tell_at = CLOCK_NEVER;
	error_set(&message, "stopping: %s; a second signal ends the server at once", what);
	warn(message.message);
}

/* Waits until all sessions have ended. False: not by the deadline. */
static bool wait_for_sessions(const struct server *server, int64_t deadline)
{
	struct session_table *table = server->sessions.table;
	int64_t tell_at = clock_after(SERVER_TELL);
	for (bool late = false; table->count && !late;) {
		struct pollfd ready[] = {{.fd = server->signals, .events = POLLIN},
					 {.fd = table->descriptor, .events = POLLIN}};
		late = clock_now() >= deadline;
		(void)clock_poll(ready, 2, clock_earlier(deadline, tell_at));
		end_if_told(server);
		session_table_join(table);
		if (table->count)
			tell_waiting(&tell_at, "waiting for connections to end");
	}
	return !table->count;
}

/* Accepts nothing more, and lets each session answer what has arrived. */
static void drain_sessions(struct server *server)
{
	struct session_settings *sessions = &server->sessions;
	notify(server, NOTIFY_STOPPING, "finishing open work; listened on");
	sessions->drain_deadline = clock_after(server->options.drain);
	acceptor_finish(&server->acceptor);
	acceptor_close(&server->acceptor);
	atomic_store(&sessions->draining, true);
	if (server->service->drain)
		server->service->drain(sessions->service);
	if (server->relay)
		relay_drain(server->relay);
	session_table_drain(sessions->table);
	if (wait_for_sessions(server, sessions->drain_deadline))
		return;
	timer_queue_stop(server->timer_queue); /* no session waits for a later answer any more */
	log_note(sessions->log, RECORD_WARNING, RECORD_SERVER,
		 "stopping; connections that did not end in time: %zu", sessions->table->count);
	atomic_store(&sessions->stopping, true);
	session_table_stop(sessions->table);
	if (wait_for_sessions(server, clock_after(CLOCK_SECOND)))
		return;
	warn("cannot close all connections: the log cannot be written");
	_exit(EXIT_FAILED); /* their threads use what would be freed */
}

/* Lets the relay forward what is left, until the deadline of the drain. -1: it could not, and the
 * error is set. */
static int finish_forwarding(struct server *server, struct error *error)
{
	int64_t deadline = server->sessions.drain_deadline, tell_at = clock_after(SERVER_TELL);
	if (!server->relay)
		return 0;
	for (int64_t look = 0; look < deadline;) {
		bool tells = clock_now() >= tell_at;
		look = clock_earlier(clock_after(SERVER_LOOK), deadline);
		if (relay_finish(server->relay, look, tells || look == deadline ? error : NULL) ==
		    0)
			return 0;
		end_if_told(server);
		if (tells)
			tell_waiting(&tell_at, error->message);
	}
	return -1;
}

/* Waits until the log has written and delivered everything: until the deadline of the drain, and
 * for a second at least, as a disk can be slow without being broken. Exits if it has not. */
static void flush_log(struct server *server)
{
	int64_t deadline = clock_after(CLOCK_SECOND);
	if (deadline < server->sessions.drain_deadline)
		deadline = server->sessions.drain_deadline;
	while (server->sessions.log && !log_flush(server->sessions.log, clock_after(SERVER_LOOK))) {
		if (clock_now() >= deadline) {
			log_warn_lost(server->sessions.log);
			_exit(EXIT_FAILED); /* its threads are stuck in a write */
		}
		end_if_told(server);
	}
}

/* Closes in reverse order. Returns the exit status, as it was so far or worse. */
static int server_close(struct server *server, int status)
{
	struct session_settings *sessions = &server->sessions;
	page_stop(server->page);
	keeper_stop(&server->log.keeper);
	timer_queue_stop(server->timer_queue);
	flush_log(server); /* it may still deliver to the service, and broadcast */
	if (server->relay)
		relay_stop(server->relay);
	if (sessions->service)
		server->service->stop(sessions->service);
	timer_queue_free(server->timer_queue);
	receiver_free(sessions->receiver);
	session_table_free(sessions->table);
	address_table_free(sessions->addresses);
	flusher_stop(sessions->flusher);
	peer_notes_free(sessions->notes);
	if (sessions->log) {
		log_end_failing(sessions->log);
		log_note(sessions->log, RECORD_INFO, RECORD_SERVER, "stopped");
	}
	flush_log(server);
	if (!log_close(sessions->log))
		status = EXIT_FAILED;
	page_free(server->page);
	if (!server_log_close(&server->log))
		_exit(status); /* stdout or stderr is stuck, and with it the tee's thread */
	acceptor_close(&server->acceptor); /* still open after a start that failed */
	server_tls_close(&server->tls);
	route_free(&server->route);
	(void)close(server->signals);
	notify_close(&server->notify);
	return status;
}

/* --- the start --- */

static void prepare(struct server *server)
{
	const struct server_options *options = &server->options;
	server->service = services[options->service];
	route_init(&server->route);
	server->spin.time = options->spin;
	server->sessions.spin = &server->spin;
	server->sessions.handler = &server->service->handler;
	server->addresses.max = (size_t)options->per_address;
	server->sessions.addresses = options->per_address ? &server->addresses : NULL;
	server->sessions.maxline = (size_t)options->maxline;
	server->sessions.idle = options->idle;
	server->sessions.unfinished = options->unfinished;
	server->acceptor = (struct acceptor){.listener = -1,
					     .max = (size_t)options->connections,
					     .paused_until = CLOCK_NEVER,
					     .settings = &server->sessions,
					     .warn = warn};
}

int main(int argc, char **argv)
{
	struct error error;
	struct server server = {.signals = -1};
	program_guard_descriptors();
	memory_share_heap();
	program = program_name(argv[0]);
	int status = server_options_read(&server.options, argc, argv, &error);
	if (status < 0)
		status = server_log_init(&server.options, &error);
	if (status < 0 && server_tls_open(&server.tls, &server.options, &error) < 0)
		status = EXIT_USAGE;
	if (status > EXIT_DONE)
		warn(error.message);
	if (status >= 0) {
		server_tls_close(&server.tls);
		return status;
	}
	prepare(&server);
	if (notify_open(&server.notify, &error) < 0)
		warn(error.message);
	if (server_open(&server, &error) < 0)
		return server_close(&server, fail(&error));
	status = server_run(&server, &error) < 0 ? fail(&error) : EXIT_DONE;
	drain_sessions(&server);
	if (finish_forwarding(&server, &error) < 0)
		status = fail(&error);
	return server_close(&server, status);
}
