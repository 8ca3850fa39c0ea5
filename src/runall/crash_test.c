/* SPDX-License-Identifier: MIT */
#include "runall/crash_test.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/plural.h"
#include "base/random.h"
#include "measure/histogram.h"
#include "record/log_reader.h"

#define PATIENCE (10 * CLOCK_SECOND) /* for a line to be logged, beyond clients' pauses */
#define SEARCH_INTERVAL (2 * CLOCK_MILLISECOND)
#define DEATH_TIMEOUT (10 * CLOCK_SECOND) /* for a killed server to be gone */

/* After the first line was logged. */
static const struct range kill_delay = {5 * CLOCK_MILLISECOND, 100 * CLOCK_MILLISECOND};

void drill_set_up(struct drill *drill, const struct runall_options *options,
		  struct supervisor *watch)
{
	*drill = (struct drill){.watch = watch,
				.options = options,
				.patience = PATIENCE + options->client.delay.max,
				.random = random_state((uint64_t)options->client.seed, 0, 0)};
}

/* Something has ended that the drill needs, or runall was interrupted. */
static bool is_broken(const struct supervisor *watch, size_t unused)
{
	(void)unused;
	for (size_t i = 0; i < watch->count; i++)
		if (supervisor_over(watch, i))
			return true;
	return watch->interrupts;
}

/* Sets why the drill does not go on. The caller names clients that have ended. */
static int set_broken(const struct drill *drill, struct error *error)
{
	const struct process *server = &drill->watch->children[0];
	char how[128];
	if (drill->watch->interrupts)
		return error_set(error, "interrupted");
	process_describe(server, how, sizeof how);
	return error_set(error, "%s%s after %" PRId64 " of %" PRId64 " kill%s",
			 server->running ? "the drill ended" : "server ",
			 server->running ? "" : how, drill->kills, drill->options->drill,
			 PLURAL(drill->options->drill));
}

/* Does the log have a line since the server's last start? */
static bool has_lines(const struct drill *drill)
{
	struct log_reader log;
	struct error ignored; /* a server that was killed may have left no log yet */
	enum log_line kind;
	if (log_reader_open(&log, drill->options->server.log, drill->end, &ignored) < 0)
		return false;
	log.plain = runall_is_plain(drill->options);
	do
		kind = log_reader_next_record(&log, &ignored);
	while (kind == LOG_RECORD && log.record.event != RECORD_RECEIVED);
	log_reader_close(&log);
	return kind == LOG_RECORD;
}

void drill_note_start(struct drill *drill)
{
	/* the server notes its start before it reports that it listens */
	drill->end = log_end(drill->options->server.log);
	drill->starts++;
}

/* Waits until lines are logged. */
static int await_work(struct drill *drill, struct error *error)
{
	int64_t deadline = clock_after(drill->patience);
	char time[DURATION_SIZE];
	while (!has_lines(drill)) {
		bool late = clock_now() >= deadline;
		if (supervisor_until(drill->watch, is_broken, 0, clock_after(SEARCH_INTERVAL)))
			return set_broken(drill, error);
		if (!late)
			continue;
		duration_format(drill->patience, time);
		return error_set(
			error, "no line was logged for %s after %" PRId64 " of %" PRId64 " kill%s",
			time, drill->kills, drill->options->drill, PLURAL(drill->options->drill));
	}
	return 0;
}

static int kill_server(struct drill *drill, struct error *error)
{
	const struct process *server = &drill->watch->children[0];
	int64_t pause = random_in(&drill->random, &kill_delay);
	if (supervisor_until(drill->watch, is_broken, 0, clock_after(pause)))
		return set_broken(drill, error);
	process_signal(server, SIGKILL);
	if (!supervisor_until(drill->watch, supervisor_over, 0, clock_after(DEATH_TIMEOUT)))
		return error_set(error, "cannot kill the server: it still runs after SIGKILL");
	if (!WIFSIGNALED(server->status) ||
	    WTERMSIG(server->status) != SIGKILL) /* it had ended by itself */
		return set_broken(drill, error);
	drill->kills++;
	return 0;
}

/* Kills a client, and starts it again. */
static int kill_client(struct drill *drill, struct error *error)
{
	struct supervisor *watch = drill->watch;
	const struct range clients = {0, (int64_t)watch->clients - 1};
	size_t i = (size_t)random_in(&drill->random, &clients);
	int64_t pause = random_in(&drill->random, &kill_delay);
	const struct process *client = &watch->children[watch->servers + i];
	if (supervisor_until(watch, is_broken, 0, clock_after(pause)))
		return set_broken(drill, error);
	process_signal(client, SIGKILL);
	if (!supervisor_until(watch, supervisor_over, watch->servers + i,
			      clock_after(DEATH_TIMEOUT)))
		return error_set(error, "cannot kill client %zu: it still runs after SIGKILL",
				 i + 1);
	if (!WIFSIGNALED(client->status) || WTERMSIG(client->status) != SIGKILL)
		return set_broken(drill, error);
	drill->client_kills++;
	return drill->start_client(drill->context, i, error);
}

int drill_run(struct drill *drill, struct error *error)
{
	if (await_work(drill, error) < 0)
		return -1;
	while (drill->kills < drill->options->drill) {
		if (drill->start_client && kill_client(drill, error) < 0)
			return -1;
		if (kill_server(drill, error) < 0 || drill->start(drill->context, error) < 0)
			return -1;
		drill_note_start(drill);
		if (await_work(drill, error) < 0)
			return -1;
	}
	return 0;
}
