/* SPDX-License-Identifier: MIT */
#include "service/shutdown.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/signalfd.h"

/* How often a signal is looked for while waiting for the log. */
#define SHUTDOWN_LOOK (100 * CLOCK_MILLISECOND)

static void end_if_told(const struct shutdown *shutdown)
{
	int signal = signalfd_take(shutdown->signals);
	if (!signal || signal == SIGHUP)
		return;
	shutdown->warn("told twice to end: what was still under way is left undone");
	_exit(EXIT_FAILED);
}

/* Waits until all sessions have ended. False: not by the deadline. */
static bool wait_for_sessions(const struct shutdown *shutdown, int64_t deadline)
{
	struct session_table *table = shutdown->sessions->table;
	while (table->count) {
		struct pollfd ready[] = {
			{.fd = shutdown->signals, .events = POLLIN},
			{.fd = table->descriptor, .events = POLLIN},
		};
		int count = clock_poll(ready, 2, deadline);
		end_if_told(shutdown);
		session_table_join(table);
		if (count == 0)
			return table->count == 0;
	}
	return true;
}

bool shutdown_sessions(struct shutdown *shutdown, int64_t duration)
{
	struct session_table *table = shutdown->sessions->table;
	shutdown->deadline = clock_after(duration);
	acceptor_finish(shutdown->acceptor);
	acceptor_close(shutdown->acceptor);
	shutdown->sessions->drain_deadline = shutdown->deadline;
	atomic_store(&shutdown->sessions->draining, true);
	if (shutdown->service->drain)
		shutdown->service->drain(shutdown->state);
	session_table_drain(table);
	if (wait_for_sessions(shutdown, shutdown->deadline))
		return true;
	timer_queue_stop(shutdown->timer_queue); /* no session waits for a later answer any more */
	log_note(shutdown->log, RECORD_WARNING, RECORD_SERVER,
		 "stopping; connections that did not end in time: %zu", table->count);
	atomic_store(&shutdown->sessions->stopping, true);
	session_table_stop(table);
	return wait_for_sessions(shutdown, clock_after(CLOCK_SECOND));
}

int shutdown_service(struct shutdown *shutdown, struct error *error)
{
	int64_t look;
	if (!shutdown->service->finish)
		return 0;
	do {
		look = clock_after(SHUTDOWN_LOOK);
		if (look > shutdown->deadline)
			look = shutdown->deadline;
		if (shutdown->service->finish(shutdown->state, look, error) == 0)
			return 0;
		end_if_told(shutdown);
	} while (clock_now() < shutdown->deadline);
	return -1;
}

void shutdown_log(struct shutdown *shutdown)
{
	int64_t deadline = clock_after(CLOCK_SECOND);
	if (deadline < shutdown->deadline)
		deadline = shutdown->deadline;
	while (shutdown->log && !log_flush(shutdown->log, clock_after(SHUTDOWN_LOOK))) {
		if (clock_now() >= deadline) {
			shutdown->warn("the log cannot be written: the last records are lost");
			_exit(EXIT_FAILED); /* its threads are stuck in a write */
		}
		end_if_told(shutdown);
	}
}
