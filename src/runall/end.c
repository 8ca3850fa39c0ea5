/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/program.h"
#include "runall/context.h"
#include "runall/relay_chain.h"

#define END_TIMEOUT (5 * CLOCK_SECOND) /* for a program that was told to end */

enum { NAMED_MAX = 10 }; /* failed clients named one by one */

void runall_complain(struct runall *runall, const char *format, ...)
{
	char message[sizeof(struct error) + 64];
	va_list values;
	va_start(values, format);
	(void)vsnprintf(message, sizeof message, format, values); /* cut if it is too long */
	va_end(values);
	runall->failed = true;
	program_complain(runall->program, message);
}

static bool is_decided(const struct supervisor *watch, size_t unused)
{
	return supervisor_clients_over(watch, unused) || supervisor_over(watch, 0) ||
	       watch->interrupts;
}

static void signal_clients(struct supervisor *watch, int number)
{
	for (size_t i = watch->servers; i < watch->count; i++)
		process_signal(&watch->children[i], number);
	(void)supervisor_until(watch, supervisor_clients_over, 0, clock_after(END_TIMEOUT));
}

void end_clients(struct runall *runall, bool stop)
{
	struct supervisor *watch = &runall->watch;
	if (!stop)
		(void)supervisor_until(watch, is_decided, 0, CLOCK_NEVER);
	/* without a server they fail by themselves, unless they try again */
	if (!stop && supervisor_over(watch, 0) && !watch->interrupts)
		(void)supervisor_until(watch, supervisor_clients_over, 0, clock_after(END_TIMEOUT));
	signal_clients(watch, SIGTERM);
	signal_clients(watch, SIGKILL);
}

/* Server i is over, or one behind it in a chain, so that it cannot forward what it has. */
static bool is_settled(const struct supervisor *watch, size_t i)
{
	for (; i < watch->servers; i++)
		if (supervisor_over(watch, i))
			return true;
	return false;
}

static void signal_server(struct supervisor *watch, size_t i, int number)
{
	process_signal(&watch->children[i], number);
	(void)supervisor_until(watch, supervisor_over, i, clock_after(END_TIMEOUT));
}

void end_servers(struct runall *runall, bool finish)
{
	struct supervisor *watch = &runall->watch;
	bool chain = watch->servers > 1;
	int64_t drain = !finish ? 0
			: chain ? relay_chain_drain(&runall->options)
				: runall->options.server.drain;
	for (size_t i = 0; i < watch->servers; i++) {
		process_signal(&watch->children[i], SIGTERM);
		(void)supervisor_until(watch, is_settled, i, clock_after(drain + END_TIMEOUT));
		if (chain) /* the second signal: what it cannot forward stays in its log */
			signal_server(watch, i, SIGTERM);
		signal_server(watch, i, SIGKILL);
	}
}

void name_failed_server(struct runall *runall, size_t i)
{
	const struct process *server = &runall->watch.children[i];
	char how[128];
	if (!server->pid || process_succeeded(server))
		return;
	process_describe(server, how, sizeof how);
	runall_complain(runall, "%s %s", relay_chain_names[i], how);
}

void name_failed_clients(struct runall *runall)
{
	const struct supervisor *watch = &runall->watch;
	char how[128];
	size_t failed = 0;
	for (size_t i = 0; i < watch->clients && !watch->interrupts; i++) {
		const struct process *client = &watch->children[watch->servers + i];
		if (!client->pid || client->running || process_succeeded(client))
			continue;
		process_describe(client, how, sizeof how);
		if (++failed <= NAMED_MAX)
			runall_complain(runall, "client %zu %s", i + 1, how);
	}
	if (failed > NAMED_MAX)
		runall_complain(runall, "and %zu more clients failed", failed - NAMED_MAX);
}
