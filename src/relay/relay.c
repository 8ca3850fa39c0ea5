/* SPDX-License-Identifier: MIT */
#include "relay/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "log/sink.h"
#include "once/route.h"
#include "relay/recovery.h"
#include "relay/threads.h"

enum { WORKER_STACK = 128 * 1024 };

/* A log of any length must not hold up the end, nor a signal that is to end it at once. */
#define COUNT_TIME (500 * CLOCK_MILLISECOND)

int relay_next_parse(const char *next, struct relay_address *address, struct error *error)
{
	struct error other;
	size_t prefix =
		strncmp(next, RELAY_ONCE, sizeof RELAY_ONCE - 1) ? 0 : sizeof RELAY_ONCE - 1;
	address->once = prefix > 0;
	if (hosts_parse(&address->hosts, next + prefix, 0, error) == 0)
		return 0;
	address->once = false; /* a host may have this name */
	if (prefix && hosts_parse(&address->hosts, next, 0, &other) == 0)
		return 0;
	if (prefix && !strchr(next, ','))
		*error = other;
	return -1;
}

/* At most what lines take in the log, with their sent records: each byte may be escaped, and
 * escaped again in JSON. */
static size_t log_bytes(size_t lines, size_t bytes)
{
	enum { HEADERS_MAX = 512, ESCAPED_MAX = 5 };
	return lines * HEADERS_MAX + bytes * ESCAPED_MAX;
}

bool relay_admit(void *relay, size_t lines, size_t bytes, bool wait)
{
	return relay_queue_reserve(((struct relay *)relay)->queue, log_bytes(lines, bytes), wait);
}

void relay_admitted(void *relay, size_t lines, size_t bytes)
{
	relay_queue_release(((struct relay *)relay)->queue, log_bytes(lines, bytes));
}

void relay_drain(void *relay)
{
	relay_queue_drain(((struct relay *)relay)->queue);
}

int relay_finish(void *context, int64_t deadline, struct error *error)
{
	struct relay *relay = context;
	struct relay_rest rest;
	/* answered lines may be on their way to the log */
	(void)log_flush(relay->settings.log, deadline);
	if (relay_queue_wait_finished(relay->queue, deadline, &rest))
		return 0;
	if (!error)
		return -1;
	deadline = clock_after(COUNT_TIME);
	uint64_t left = rest.jobs + relay_reader_count(relay, rest.read, rest.committed, deadline);
	bool more = clock_now() >= deadline;
	if (!left && !more)
		return error_set(error, "the log does not yet note all lines as acknowledged");
	return error_set(
		error, "%s%llu line%s not yet forwarded to %s; start with -append to forward them",
		more ? "more than " : "", (unsigned long long)left, left == 1 ? " is" : "s are",
		relay->settings.next);
}

static void free_relay(struct relay *relay)
{
	relay_queue_free(relay->queue);
	log_cursor_close(&relay->cursor);
	free(relay);
}

void relay_stop(void *context)
{
	struct relay *relay = context;
	struct log *log = relay->settings.log;
	relay_queue_stop(relay->queue);
	for (size_t i = 0; i < relay->count; i++)
		pthread_join(relay->threads[i], NULL);
	keeper_protect(relay->settings.keeper, NULL);
	/* a leader may be about to report what it has committed */
	if (!log_flush(log, clock_after(CLOCK_SECOND)))
		return; /* the log blocks in a write, and so does its end: nothing is freed */
	log_watch(log, NULL);
	log_end_summary(log, relay_queue_summary(relay->queue));
	free_relay(relay);
}

/* --- start --- */

static void needed(struct keeper_guard *guard, bool noted, struct file_id *first, uint64_t *behind)
{
	const struct relay *relay = (void *)((char *)guard - offsetof(struct relay, guard));
	*first = relay_queue_needed(relay->queue, noted);
	*behind = relay_queue_behind_file(relay->queue);
}

/* The log has stored a note of the forwarder. */
static bool note_stored(struct reply_target *notes, const char *answers, size_t length,
			size_t lines)
{
	(void)answers;
	(void)length;
	(void)lines; /* one at a time */
	struct relay *relay = notes->context;
	if (relay_queue_end_note(relay->queue, true))
		keeper_wake(relay->settings.keeper);
	return true;
}

static void note_failed(struct reply_target *notes, const char *reason, size_t lines)
{
	(void)reason;
	(void)lines;
	(void)relay_queue_end_note(((struct relay *)notes->context)->queue, false);
}

int relay_look_at_old(const char *log, enum old_content old, struct error *message)
{
	struct recovery recovery;
	int result = recovery_read(&recovery, log, false, message);
	recovery_end(&recovery);
	if (result < 0)
		return old == OLD_OVERWRITE ? -1 : 1;
	uint64_t left = recovery.lines - recovery.acknowledged;
	if (!left || !recovery.relayed) /* lines of another service were not to be forwarded */
		return 0;
	if (old == OLD_OVERWRITE)
		return error_set(message, "-overwrite: %.300s has %llu line%s not yet forwarded",
				 log, (unsigned long long)left,
				 left == 1 ? " that is" : "s that are");
	error_set(message,
		  "%llu line%s in %.150s %s not yet forwarded; start with -append -log %.150s to "
		  "forward %s",
		  (unsigned long long)left, left == 1 ? "" : "s", log, left == 1 ? "is" : "are",
		  log, left == 1 ? "it" : "them");
	return 1;
}

/* Sets the name under which lines are sent: that of the log, or a new one. -1: the error is set. */
static int set_name(struct relay *relay, const struct recovery *recovery, struct error *error)
{
	const struct relay_settings *settings = &relay->settings;
	struct once_link *link = &relay->link;
	*link = (struct once_link){.max = recovery->behind,
				   .several = settings->address.hosts.count > 1};
	memcpy(link->name, recovery->name, sizeof link->name);
	link->drawn = !*link->name;
	if (link->drawn)
		relay_name_draw(link->name, settings->source);
	else if (!relay_name_is_of(link->name, settings->source))
		log_note(settings->log, RECORD_WARNING, RECORD_SERVER,
			 "-source %s: the log is forwarded as %s all the same", settings->source,
			 link->name);
	relay_queue_number(relay->queue, link->name, link->max);
	route_add_own(settings->route, relay_name_id(link->name));
	if (!log_note(settings->log, RECORD_INFO, RECORD_SERVER,
		      RELAY_FORWARDS_AS "%s" RELAY_BEHIND "%llu", link->name,
		      (unsigned long long)recovery->lines))
		return error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
	return 0;
}

/* Sets the files from the one on where reading begins. Returns the position of the last one's end.
 */
static int64_t set_files(const struct recovery *recovery, struct relay_file *files)
{
	int64_t start = 0;
	for (size_t i = 1; i <= recovery->file; i++)
		start -= recovery->back.files[i].log.limit;
	for (size_t i = recovery->file + 1; i-- > 0;) {
		const struct log_reader *log = &recovery->back.files[i].log;
		*files++ = (struct relay_file){
			.id = descriptor_file(log->descriptor), .start = start, .old = log->limit};
		start += log->limit;
	}
	return start;
}

/* Makes the queue, and goes to the first line to be forwarded. -1: the error is set. */
static int begin_queue(struct relay *relay, const struct recovery *recovery, struct error *error)
{
	size_t count = recovery->file + 1;
	struct relay_file *files = memory_malloc(count * sizeof *files);
	if (!files)
		return error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
	struct relay_queue_start start = {.workers = relay->settings.workers,
					  .acknowledged = recovery->acknowledged,
					  .lines = recovery->lines,
					  .behind_file = recovery->behind_file,
					  .committed = set_files(recovery, files),
					  .read = files[0].start + recovery->offset,
					  .files = files,
					  .file_count = count};
	relay->acknowledged = relay->cursor.received = recovery->acknowledged;
	int result =
		log_cursor_enter(&relay->cursor, relay->log, files, start.read, start.read, error);
	if (result == 0)
		relay->queue = relay_queue_make(&start, error);
	free(files);
	return relay->queue ? 0 : -1;
}

/* From now on the queue knows what the log stores: nothing was submitted since it was read. */
static void watch_log(struct relay *relay, const struct recovery *recovery)
{
	const struct relay_settings *settings = &relay->settings;
	log_summarise(settings->log, relay_queue_summary(relay->queue), recovery->since);
	log_watch(settings->log, relay_queue_watcher(relay->queue));
	relay->guard.needed = needed;
	keeper_protect(settings->keeper, &relay->guard);
	if (recovery->lost)
		log_note(settings->log, RECORD_WARNING, RECORD_SERVER,
			 "lines %llu to %llu are in no file any more: they are not forwarded",
			 (unsigned long long)(recovery->acknowledged - recovery->lost + 1),
			 (unsigned long long)recovery->acknowledged);
}

/* Finds the first line to be forwarded. -1: the error is set. */
static int set_up(struct relay *relay, struct error *error)
{
	const struct relay_settings *settings = &relay->settings;
	struct recovery recovery;
	relay->log = sink_file_name(settings->log_name);
	if (!relay->log)
		return error_set(error, "cannot forward from the log %.200s: it is not a file",
				 settings->log_name);
	/* a note that begins the log */
	(void)log_flush(settings->log, CLOCK_NEVER);
	int result = recovery_read(&recovery, relay->log, settings->appends, error);
	if (result == 0)
		result = begin_queue(relay, &recovery, error);
	if (result == 0) {
		watch_log(relay, &recovery);
		if (settings->address.once)
			result = set_name(relay, &recovery, error);
	}
	recovery_end(&recovery);
	relay->notes = (struct reply_target){.name = settings->next,
					     .deliver = note_stored,
					     .refuse = note_failed,
					     .control = true,
					     .context = relay};
	return result;
}

/* The reader comes last: where a thread before it cannot be made, no job is in work, and no delay
 * scheduled. Returns 0 or an errno value. */
static int start_threads(struct relay *relay, size_t workers)
{
	int errnum = 0;
	while (!errnum && relay->count < workers + 2) {
		size_t left = workers + 2 - relay->count;
		pthread_t *thread = &relay->threads[relay->count];
		if (left > 2)
			errnum = thread_start(thread, WORKER_STACK, relay_worker_run, relay);
		else
			errnum = thread_create(thread, NULL,
					       left == 2 ? relay_forwarder_run : relay_reader_run,
					       relay);
		relay->count += !errnum;
	}
	return errnum;
}

void relay_figures(void *relay, struct relay_figures *figures)
{
	relay_queue_figures(((struct relay *)relay)->queue, figures);
}

void *relay_start(const struct relay_settings *settings, struct error *error)
{
	size_t workers = settings->command ? settings->workers : 0;
	struct relay *relay =
		memory_calloc(1, sizeof *relay + (workers + 2) * sizeof *relay->threads);
	if (!relay)
		return error_null(error, "cannot start the relay: %s", strerror(ENOMEM));
	relay->settings = *settings;
	next_server_init(&relay->next, &relay->settings);
	relay->cursor.log.descriptor = -1;
	if (set_up(relay, error) < 0) {
		if (relay->queue)
			relay_stop(relay);
		else
			free_relay(relay);
		return NULL;
	}
	int errnum = start_threads(relay, workers);
	if (!errnum)
		return relay;
	if (relay->count < workers)
		error_set(error, "cannot start %zu workers: %s", workers, strerror(errnum));
	else
		error_set(error, "cannot start the relay: %s", strerror(errnum));
	relay_stop(relay);
	return NULL;
}
