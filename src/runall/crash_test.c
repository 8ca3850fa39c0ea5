/* SPDX-License-Identifier: MIT */
#include "runall/crash_test.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/random.h"
#include "measure/histogram.h"
#include "record/log_reader.h"

#define PATIENCE (10 * CLOCK_SECOND) /* for a line to be logged, beyond clients' pauses */
#define SEARCH_INTERVAL (2 * CLOCK_MILLISECOND)
#define DEATH_TIMEOUT (10 * CLOCK_SECOND) /* for a killed server to be gone */

/* After the first line was logged. */
static const struct range kill_delay = {5 * CLOCK_MILLISECOND, 100 * CLOCK_MILLISECOND};

/* Senders of each client, with numbered lines: in free order each thread is one. */
static size_t senders_of(const struct client_options *client)
{
	return client->order == ORDER_FREE ? (size_t)client->threads : 1;
}

/* The longest time between two lines of a sender, if the client does not wait for anything. */
static int64_t pause_of(const struct client_options *client)
{
	return client->rate > 0
		       ? CLOCK_SECOND * SCHEDULE_UNIT / client->rate * (int64_t)senders_of(client)
		       : client->delay.max;
}

void drill_set_up(struct drill *drill, const struct runall_options *options,
		  struct supervisor *watch)
{
	*drill = (struct drill){.watch = watch,
				.options = options,
				.patience = PATIENCE + pause_of(&options->client),
				.random = random_state((uint64_t)options->client.seed, 0, 0)};
	if (log_is_shared(options->server.log))
		(void)snprintf(drill->run, sizeof drill->run, DRILL_RUN "%016" PRIx64, random_id());
	(void)snprintf(drill->sender, sizeof drill->sender, "%.32s%s" DRILL_SENDER, drill->run,
		       *drill->run ? "-" : "");
}

struct log_place drill_log_end(const struct drill *drill)
{
	struct log_place end = log_end(drill->options->server.log, runall_is_plain(drill->options));
	if (*drill->run)
		(void)snprintf(end.before, sizeof end.before, "%s/", drill->run);
	return end;
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
static bool has_lines(const struct drill *drill, void *unused)
{
	(void)unused;
	struct log_reader log;
	struct error ignored; /* a server that was killed may have left no log yet */
	enum log_line kind;
	if (log_reader_open_all(&log, drill->options->server.log, &drill->end,
				runall_is_plain(drill->options), &ignored) < 0)
		return false;
	do
		kind = log_reader_next_record(&log, &ignored);
	while (kind == LOG_RECORD && log.record.event != RECORD_RECEIVED);
	log_reader_close(&log);
	return kind == LOG_RECORD;
}

void drill_note_start(struct drill *drill)
{
	/* the server notes its start before it reports that it listens */
	drill->end = drill_log_end(drill);
	drill->starts++;
}

/* Waits until holds() returns true. 0; 1: the drill has no more patience; -1: the error is set. */
static int await(struct drill *drill, bool (*holds)(const struct drill *drill, void *context),
		 void *context, struct error *error)
{
	int64_t deadline = clock_after(drill->patience);
	while (!holds(drill, context)) {
		bool late = clock_now() >= deadline;
		if (supervisor_until(drill->watch, is_broken, 0, clock_after(SEARCH_INTERVAL)))
			return set_broken(drill, error);
		if (late)
			return 1;
	}
	return 0;
}

/* Waits until lines are logged. */
static int await_work(struct drill *drill, struct error *error)
{
	char time[DURATION_SIZE];
	int result = await(drill, has_lines, NULL, error);
	if (result <= 0)
		return result;
	duration_format(drill->patience, time);
	return error_set(error, "no line was logged for %s after %" PRId64 " of %" PRId64 " kill%s",
			 time, drill->kills, drill->options->drill, PLURAL(drill->options->drill));
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
	struct process *client = &watch->children[watch->servers + i];
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
	*client = (struct process){0}; /* it has not failed, even if it does not start again */
	return drill->start_client(drill->context, i, error);
}

/* --- the end, with numbered lines --- */

/* Which senders have lines in the log. */
struct presence {
	const char *sender;	 /* what their names begin with */
	size_t clients, threads; /* of each, that are senders */
	size_t left;		 /* without a line since the server's last start */
	bool *seen;		 /* owned */
	struct log_place at;	 /* where the log is to be read on */
};

/* The index of a sender, by its name; clients * threads: it is of no client. */
static size_t index_of(const struct presence *presence, struct slice name)
{
	uint64_t client, thread = 1;
	bool named = slice_skip(&name, presence->sender) && slice_number(&name, &client) &&
		     (!slice_skip(&name, "/") || slice_number(&name, &thread)) && !name.length;
	if (!named || client - 1 >= presence->clients || thread - 1 >= presence->threads)
		return presence->clients * presence->threads;
	return (size_t)(client - 1) * presence->threads + (size_t)(thread - 1);
}

static void note_sender(struct presence *presence, const struct record_view *record)
{
	size_t i = index_of(presence, record->sender);
	if (record->event != RECORD_RECEIVED || i == presence->clients * presence->threads ||
	    presence->seen[i])
		return;
	presence->seen[i] = true;
	presence->left--;
}

/* Has each sender a line since the server's last start? Reads what is new in the log. */
static bool have_all(const struct drill *drill, void *context)
{
	struct presence *presence = context;
	struct log_reader log;
	struct error ignored; /* it is tried again */
	enum log_line kind;
	if (log_reader_open_all(&log, drill->options->server.log, &presence->at, false, &ignored) <
	    0)
		return false;
	while (presence->left && (kind = log_reader_next(&log, &ignored)) < LOG_TORN) {
		if (kind == LOG_RECORD)
			note_sender(presence, &log.record);
		presence->at = log_reader_place(&log);
	}
	log_reader_close(&log);
	return !presence->left;
}

/* Waits until each client is back. At -sync none a kill can take back lines that were acknowledged:
 * only then a client knows what the log has, and has begun to send it the rest again. */
static int await_clients(struct drill *drill, struct error *error)
{
	struct presence presence = {.sender = drill->sender,
				    .clients = drill->watch->clients,
				    .threads = senders_of(&drill->options->client),
				    .at = drill->end};
	char time[DURATION_SIZE];
	size_t i = 0;
	presence.left = presence.clients * presence.threads;
	presence.seen = memory_calloc(presence.left, sizeof *presence.seen);
	if (!presence.seen)
		return error_set(error, "out of memory for %zu senders", presence.left);
	int result = await(drill, have_all, &presence, error);
	while (result > 0 && presence.seen[i])
		i++;
	free(presence.seen);
	if (result <= 0)
		return result;
	duration_format(drill->patience, time);
	return error_set(error,
			 "client %zu is not back: it had no line logged for %s after the last kill",
			 i / presence.threads + 1, time);
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
	return drill->start_client ? await_clients(drill, error) : 0;
}
