/* SPDX-License-Identifier: MIT */
#include "relay/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "log/sink.h"
#include "relay/threads.h"

#define READ_RETRY (100 * CLOCK_MILLISECOND) /* after the log could not be read, or no memory */

enum { WORKER_STACK = 128 * 1024 };

int relay_next_parse(const char *next, char host[SOCKET_NAME_SIZE], int *port)
{
	struct error ignored;
	if (unix_is_name(next)) {
		(void)snprintf(host, SOCKET_NAME_SIZE, "%s", next);
		*port = 0;
		return unix_check(next, &ignored);
	}
	return socket_name_split(next, host, port) < 0 || *port < 1 ? -1 : 0;
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
	uint64_t left = rest.jobs + log_cursor_count(&relay->cursor, rest.read, rest.committed);
	if (!left)
		return error_set(error, "the log does not yet note all lines as acknowledged");
	return error_set(
		error, "%llu line%s not yet forwarded to %s; start with -append to forward them",
		(unsigned long long)left, left == 1 ? " is" : "s are", relay->settings.next);
}

static void free_relay(struct relay *relay)
{
	relay_queue_free(relay->queue);
	log_reader_close(&relay->cursor.log);
	free(relay);
}

void relay_stop(void *context)
{
	struct relay *relay = context;
	struct log *log = relay->settings.log;
	relay_queue_stop(relay->queue);
	for (size_t i = 0; i < relay->count; i++)
		pthread_join(relay->threads[i], NULL);
	/* a leader may be about to report what it has committed */
	if (!log_flush(log, clock_after(CLOCK_SECOND)))
		return; /* the log blocks in a write, and so does its end: nothing is freed */
	log_watch(log, NULL);
	free_relay(relay);
}

/* --- reader --- */

static void end_delay(struct task *task)
{
	relay_job_done((struct relay_job *)task);
}

/* The job stays in the queue, and is freed with it. */
static void drop_delay(struct task *task)
{
	(void)task;
}

static void delay_job(const struct relay_settings *settings, struct relay_job *job)
{
	uint64_t state = random_state((uint64_t)settings->seed, 0, job->number);
	int64_t delay = random_in(&state, &settings->delay);
	job->task = (struct task){.run = end_delay, .drop = drop_delay};
	/* without memory, or when the timer queue was stopped, there is no delay */
	if (delay == 0 || timer_queue_at(settings->timer_queue, &job->task, clock_after(delay)) < 0)
		relay_job_done(job);
}

/* Waits while memory is out. False: stopped. */
static bool take_line(struct relay *relay)
{
	const struct log_cursor *cursor = &relay->cursor;
	const struct slice line = cursor->log.record.bytes;
	struct relay_job *job;
	while (!(job = memory_calloc(1, sizeof *job)) ||
	       !buffer_append(&job->line, line.bytes, line.length) ||
	       !buffer_append_string(&job->line, "\n")) {
		relay_job_free(job);
		if (!relay_queue_pause(relay->queue, READ_RETRY))
			return false;
	}
	job->line.length--;
	job->start = cursor->log.start;
	memcpy(job->received, cursor->time, sizeof job->received);
	relay_queue_add(relay->queue, job, cursor->log.at);
	if (!relay->settings.command)
		delay_job(&relay->settings, job);
	return true;
}

/* The reader's thread: reads lines from the log into the queue; without a command it has each
 * delayed. */
static void *run_reader(void *context)
{
	struct relay *relay = context;
	struct log_cursor *cursor = &relay->cursor;
	struct error error;
	bool warned = false, going = true;
	while (going && relay_queue_wait_log(relay->queue, &cursor->log.limit)) {
		enum log_line found = log_cursor_next(cursor, &error);
		if (found == LOG_UNREADABLE && !warned)
			log_note(relay->settings.log, RECORD_WARNING, RECORD_SERVER,
				 "%s; trying again", error.message);
		warned = found == LOG_UNREADABLE;
		if (found == LOG_UNREADABLE)
			going = relay_queue_pause(relay->queue, READ_RETRY);
		else if (found == LOG_END)
			relay_queue_add(relay->queue, NULL, cursor->log.limit);
		else
			going = take_line(relay);
	}
	return NULL;
}

/* --- start --- */

/* The log has stored a note of the forwarder. */
static bool note_stored(struct reply_target *notes, const char *answers, size_t length,
			size_t lines)
{
	(void)answers;
	(void)length;
	(void)lines; /* one at a time */
	relay_queue_end_note(notes->context, true);
	return true;
}

static void note_failed(struct reply_target *notes, const char *reason, size_t lines)
{
	(void)reason;
	(void)lines;
	relay_queue_end_note(notes->context, false);
}

int relay_look_at_old(const char *log, enum old_content old, struct error *message)
{
	struct log_cursor cursor;
	if (log_cursor_open(&cursor, log, message) < 0)
		return old == OLD_OVERWRITE ? -1 : 1;
	uint64_t left = log_cursor_count(&cursor, cursor.log.at, cursor.log.limit);
	bool relayed = cursor.relayed;
	log_reader_close(&cursor.log);
	if (!left || !relayed) /* lines of another service were not to be forwarded */
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

/* Finds the first line to be forwarded. -1: the error is set. */
static int set_up(struct relay *relay, struct error *error)
{
	const struct relay_settings *settings = &relay->settings;
	struct log_cursor *cursor = &relay->cursor;
	const char *name = sink_file_name(settings->log_name);
	if (!name)
		return error_set(error, "cannot forward from the log %.200s: it is not a file",
				 settings->log_name);
	/* what was noted so far is in the file, however slow the disk is: from its size on the
	 * watcher counts */
	(void)log_flush(settings->log, CLOCK_NEVER);
	if (log_cursor_open(cursor, name, error) < 0)
		return -1;
	relay->acknowledged = cursor->received;
	relay->queue = relay_queue_make(settings->workers, relay->acknowledged, cursor->log.old,
					cursor->log.at, error);
	relay->notes = (struct reply_target){.name = settings->next,
					     .deliver = note_stored,
					     .refuse = note_failed,
					     .control = true,
					     .context = relay->queue};
	return relay->queue ? 0 : -1;
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
					       left == 2 ? relay_forwarder_run : run_reader, relay);
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
	relay->cursor.log.descriptor = -1;
	if (set_up(relay, error) < 0) {
		free_relay(relay);
		return NULL;
	}
	log_watch(settings->log, relay_queue_watcher(relay->queue));
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
