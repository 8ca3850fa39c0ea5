/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "relay/threads.h"

enum { LOOK_EVERY = 1024 }; /* lines that are counted before the clock is asked */

#define READ_RETRY (100 * CLOCK_MILLISECOND) /* after the log could not be read, or no memory */

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
	job->start = cursor->file.start + cursor->log.start;
	memcpy(job->received, cursor->time, sizeof job->received);
	relay_queue_add(relay->queue, job, cursor->file.start + cursor->log.at);
	if (!relay->settings.command)
		delay_job(&relay->settings, job);
	return true;
}

/* Reads the next line of a file, up to a position. False: stopped. */
static bool read_line(struct relay *relay, const struct relay_file *file, int64_t limit,
		      bool *warned)
{
	struct log_cursor *cursor = &relay->cursor;
	struct error error;
	enum log_line found = LOG_UNREADABLE;
	if (log_cursor_enter(cursor, relay->log, file, file->start, limit, &error) == 0)
		found = log_cursor_next(cursor, &error);
	if (found == LOG_UNREADABLE && !*warned)
		log_note(relay->settings.log, RECORD_WARNING, RECORD_SERVER, "%s; trying again",
			 error.message);
	*warned = found == LOG_UNREADABLE;
	if (found == LOG_UNREADABLE)
		return relay_queue_pause(relay->queue, READ_RETRY);
	if (found == LOG_RECORD)
		return take_line(relay);
	relay_queue_add(relay->queue, NULL, limit);
	return true;
}

void *relay_reader_run(void *context)
{
	struct relay *relay = context;
	struct relay_file file;
	int64_t limit;
	bool warned = false, going = true;
	while (going && relay_queue_wait_log(relay->queue, &file, &limit))
		going = read_line(relay, &file, limit, &warned);
	return NULL;
}

uint64_t relay_reader_count(const struct relay *relay, int64_t from, int64_t to, int64_t deadline)
{
	struct log_cursor *cursor = memory_calloc(1, sizeof *cursor);
	struct relay_file file;
	struct error ignored;
	uint64_t lines = 0;
	if (cursor)
		cursor->log.descriptor = -1;
	while (cursor && from < to && clock_now() < deadline) {
		int64_t limit = relay_queue_part(relay->queue, from, &file);
		limit = limit < to ? limit : to;
		if (log_cursor_enter(cursor, relay->log, &file, from, limit, &ignored) < 0)
			break;
		while (log_cursor_next(cursor, &ignored) == LOG_RECORD)
			if (++lines % LOOK_EVERY == 0 && clock_now() >= deadline)
				break;
		from = limit;
	}
	if (cursor)
		log_cursor_close(cursor);
	free(cursor);
	return lines;
}
