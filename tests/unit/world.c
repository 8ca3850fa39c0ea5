/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/table.h"
#include "support.h"
#include "xor_stream.h"

#define PATIENCE (20 * CLOCK_SECOND)

struct world world;

static void keep_warning(const char *words)
{
	size_t length = strlen(world.warnings);
	(void)snprintf(world.warnings + length, sizeof world.warnings - length, "%s\n", words);
}

static void ignore_warning(const char *words)
{
	(void)words; /* the log's are looked at in test_log_faults.c */
}

static size_t groups = 2;

void world_use_groups(void)
{
	groups = 2;
}

void world_use_own(void)
{
	groups = 0;
}

void world_open(const char *target, size_t max, size_t maxline, int64_t idle)
{
	struct error error;
	struct log_settings log = {.target = target,
				   .format = &record_text,
				   .sync = LOG_SYNC_WRITE,
				   .warn = ignore_warning};
	world.log = log_open(&log, &error);
	ck_assert_msg(world.log != NULL, "%s", error.message);
	ck_assert_ptr_nonnull(world.flusher = flusher_start(&error));
	ck_assert_ptr_nonnull(world.table = session_table_new(&error));
	if (groups)
		ck_assert_ptr_nonnull(world.settings.receiver =
					      receiver_new(groups, 50 * CLOCK_MICROSECOND, &error));
	ck_assert_ptr_nonnull(world.timer_queue = timer_queue_start(&error));
	ck_assert_ptr_nonnull(world.settings.notes =
				      peer_notes_new(world.log, world.timer_queue, &error));
	world.settings.log = world.log;
	world.settings.flusher = world.flusher;
	world.settings.stream_type = stream_type;
	world.spin.time = 50 * CLOCK_MICROSECOND;
	world.settings.spin = &world.spin;
	world.settings.handler = &services[0]->handler;
	world.settings.maxline = maxline;
	world.settings.idle = world.settings.unfinished = idle;
	world.settings.table = world.table;
	world.settings.addresses = NULL;
	world.acceptor = (struct acceptor){.listener = tcp_listen(&world.port),
					   .max = max,
					   .paused_until = CLOCK_NEVER,
					   .settings = &world.settings,
					   .warn = keep_warning};
	ck_assert_int_eq(fcntl(world.acceptor.listener, F_SETFL, O_NONBLOCK), 0);
}

void world_turn(int timeout)
{
	struct acceptor *acceptor = &world.acceptor;
	bool paused = acceptor->paused_until != CLOCK_NEVER;
	struct pollfd ready[] = {
		{.fd = world.table->descriptor, .events = POLLIN},
		{.fd = paused ? -1 : acceptor->listener, .events = POLLIN},
	};
	int count = poll(ready, 2, timeout);
	ck_assert_int_ge(count, 0);
	if (ready[0].revents)
		session_table_join(world.table);
	if (acceptor->listener >= 0 && count)
		acceptor_run(acceptor);
}

void world_await(size_t connections)
{
	int64_t deadline = clock_after(PATIENCE);
	while (world.table->count != connections) {
		world_turn(10);
		ck_assert_msg(clock_now() < deadline, "%zu connections, not %zu",
			      world.table->count, connections);
	}
}

int world_connect(void)
{
	/* not how many there are: another may end then */
	uint64_t before = world.acceptor.accepted;
	int64_t deadline = clock_after(PATIENCE);
	int peer = tcp_connect(world.port);
	while (world.acceptor.accepted == before) {
		world_turn(10);
		ck_assert_msg(clock_now() < deadline, "not accepted");
	}
	return peer;
}

void slow_pair(int *accepted, int *connected)
{
	struct timeval patience = {.tv_sec = PATIENCE / CLOCK_SECOND};
	int pair[2], some = 32768;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &some, sizeof some), 0);
		ck_assert_int_eq(setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &some, sizeof some), 0);
	}
	*accepted = pair[0];
	*connected = pair[1];
	ck_assert_int_eq(
		setsockopt(*connected, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	xor_greet(*connected);
}

int world_connect_slow(struct session **connected)
{
	int accepted, peer;
	slow_pair(&accepted, &peer);
	struct stream *stream = stream_open(stream_type, accepted, STREAM_SERVER);
	struct session *session =
		session_new(stream, "slow", ++world.acceptor.accepted, &world.settings);
	ck_assert_ptr_nonnull(session);
	ck_assert_int_eq(session_start(session), 0);
	if (connected)
		*connected = session;
	return peer;
}

void world_fill_queue(struct session *session, int peer)
{
	size_t total = 0;
	int64_t deadline = clock_after(PATIENCE);
	do {
		peer_send_until_stuck(peer, &total);
		world_turn(1);
		ck_assert_msg(clock_now() < deadline, "%zu bytes of lines, and no full queue",
			      total);
	} while (!responder_is_held_up(&session->responder));
}

void world_drain(int64_t duration)
{
	if (world.acceptor.listener >= 0)
		acceptor_close(&world.acceptor);
	world.settings.drain_deadline = clock_after(duration);
	atomic_store(&world.settings.draining, true);
	session_table_drain(world.table);
}

bool world_end(void)
{
	if (world.acceptor.listener >= 0)
		acceptor_close(&world.acceptor);
	session_table_stop(world.table);
	world_await(0);
	receiver_free(world.settings.receiver);
	session_table_free(world.table);
	address_table_free(world.settings.addresses);
	flusher_stop(world.flusher);
	timer_queue_free(world.timer_queue);
	peer_notes_free(world.settings.notes);
	return log_close(world.log);
}

void world_close(void)
{
	ck_assert(world_end());
}

char *world_log(void)
{
	ck_assert(log_flush(world.log, clock_after(PATIENCE)));
	return file_read("log", NULL);
}

void assert_answers(int peer, size_t lines, const char *expected)
{
	char *answers = peer_lines(peer, lines);
	ck_assert_str_eq(answers, expected);
	free(answers);
}

void assert_last(int peer, const char *expected)
{
	char *answers = peer_all(peer);
	ck_assert_str_eq(answers, expected);
	free(answers);
	(void)close(peer);
}

void assert_logged(const char *word, size_t times)
{
	char *log = world_log();
	size_t length = strlen(log);
	ck_assert_msg(count_of(log, word) == times, "not %zu times '%s' in what ends so:\n%s",
		      times, word, length > 2000 ? log + length - 2000 : log);
	free(log);
}
