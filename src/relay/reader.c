/* SPDX-License-Identifier: MIT */
#include "relay/threads.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

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
	struct relay_job *job;
	while (!(job = memory_calloc(1, sizeof *job)) ||
	       !buffer_append(&job->line, cursor->bytes.bytes, cursor->bytes.length) ||
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

void *relay_reader_run(void *context)
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
			relay_queue_skip(relay->queue, cursor->log.limit);
		else
			going = take_line(relay);
	}
	return NULL;
}
