/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"

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

void world_open(const char *target, size_t most, size_t maxline, int64_t idle)
{
	struct failure failure;
	struct log_settings log = {
		.target = target, .sync = LOG_SYNC_WRITE, .warn = ignore_warning};
	world.log = log_open(&log, &failure);
	ck_assert_msg(world.log != NULL, "%s", failure.words);
	ck_assert_ptr_nonnull(world.drainer = drainer_start(&failure));
	ck_assert_ptr_nonnull(world.registry = registry_new(&failure));
	world.settings.log = world.log;
	world.settings.drainer = world.drainer;
	world.spin.time = 50 * CLOCK_MICROSECOND;
	world.settings.spin = &world.spin;
	world.settings.service = services[0];
	world.settings.maxline = maxline;
	world.settings.idle = idle;
	world.settings.closing = registry_closing;
	world.settings.finished = registry_finished;
	world.settings.context = world.registry;
	world.acceptor = (struct acceptor){.listener = tcp_listen(&world.port),
					   .most = most,
					   .registry = world.registry,
					   .settings = &world.settings,
					   .warn = keep_warning};
	ck_assert_int_eq(fcntl(world.acceptor.listener, F_SETFL, O_NONBLOCK), 0);
}

void world_turn(int timeout)
{
	struct acceptor *acceptor = &world.acceptor;
	struct pollfd ready[] = {
		{.fd = registry_descriptor(world.registry), .events = POLLIN},
		{.fd = acceptor->listener, .events = acceptor_events(acceptor)},
	};
	int count = poll(ready, 2, timeout);
	ck_assert_int_ge(count, 0);
	if (ready[0].revents)
		registry_join(world.registry);
	if (acceptor->listener >= 0 && count)
		acceptor_run(acceptor);
}

void world_await(size_t connections)
{
	int64_t deadline = clock_after(PATIENCE);
	while (registry_count(world.registry) != connections) {
		world_turn(10);
		ck_assert_msg(clock_now() < deadline, "%zu connections, not %zu",
			      registry_count(world.registry), connections);
	}
}

int world_connect(void)
{
	size_t before = registry_count(world.registry);
	int peer = tcp_connect(world.port);
	world_await(before + 1);
	return peer;
}

void world_drain(int64_t duration)
{
	if (world.acceptor.listener >= 0)
		acceptor_close(&world.acceptor);
	world.settings.drain_deadline = clock_after(duration);
	atomic_store(&world.settings.draining, true);
	registry_drain(world.registry);
}

bool world_end(void)
{
	if (world.acceptor.listener >= 0)
		acceptor_close(&world.acceptor);
	registry_stop(world.registry);
	world_await(0);
	registry_free(world.registry);
	drainer_stop(world.drainer);
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
