/* SPDX-License-Identifier: MIT */
#include "relay/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "relay/queue.h"
#include "log/sink.h"

#define RELAY_RETRY (100 * CLOCK_MILLISECOND) /* after the log could not be read, or no memory */

void relay_job_free(struct relay_job *job)
{
	if (!job)
		return;
	buffer_free(&job->line);
	free(job);
}

void relay_wake_sender(struct relay *relay)
{
	if (!relay->sleeping)
		return;
	relay->sleeping = false;
	(void)eventfd_write(relay->wake, 1); /* takes so few without blocking */
}

void relay_job_done(struct relay_job *job)
{
	struct relay *relay = job->relay;
	pthread_mutex_lock(&relay->lock);
	stamp_update(&relay->stamp);
	/* always fits */
	(void)snprintf(job->done, sizeof job->done, "%.19s.%06u", relay->stamp.local,
		       (unsigned)relay->stamp.microsecond % 1000000);
	reorder_buffer_done(&relay->jobs, job->number, sizeof *job + job->line.length);
	relay->in_work--;
	pthread_cond_signal(&relay->feed);
	relay_wake_sender(relay);
	pthread_mutex_unlock(&relay->lock);
}

/* --- the feeder --- */

static void end_delay(struct task *task)
{
	relay_job_done((struct relay_job *)task);
}

/* It stays among the jobs, and is freed with them. */
static void drop_delay(struct task *task)
{
	(void)task;
}

/* Gives a job, which is among the jobs already, to whatever works on it. */
static void give_to_work(struct relay *relay, struct relay_job *job)
{
	if (relay->command) {
		pthread_mutex_lock(&relay->lock);
		*relay->last = job;
		relay->last = &job->next;
		pthread_cond_signal(&relay->hire);
		pthread_mutex_unlock(&relay->lock);
		return;
	}
	uint64_t state = random_state((uint64_t)relay->settings.seed, 0, job->number);
	int64_t delay = random_between(&state, relay->delay.min, relay->delay.max);
	job->task = (struct task){.run = end_delay, .drop = drop_delay};
	/* without memory, or when the end was forced, it goes on without its delay */
	if (delay == 0 ||
	    timer_queue_at(relay->settings.timer_queue, &job->task, clock_after(delay)) < 0)
		relay_job_done(job);
}

/* Can the feeder take another line? Called with the lock. */
static bool has_room(const struct relay *relay)
{
	return relay->in_work < relay->workers && !reorder_buffer_is_full(&relay->jobs);
}

/* Waits until there may be a line and there is room for it. False: it is to end. */
static bool await_line(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	while (!relay->stopping && (!has_room(relay) || relay->read == relay->committed))
		pthread_cond_wait(&relay->feed, &relay->lock);
	relay->tail.limit = relay->committed;
	bool go_on = !relay->stopping;
	pthread_mutex_unlock(&relay->lock);
	return go_on;
}

/* Waits a little. False: it is to end. */
static bool rest(struct relay *relay)
{
	int64_t deadline = clock_after(RELAY_RETRY);
	pthread_mutex_lock(&relay->lock);
	while (!relay->stopping && clock_now() < deadline)
		(void)clock_condition_wait(&relay->feed, &relay->lock, deadline);
	bool go_on = !relay->stopping;
	pthread_mutex_unlock(&relay->lock);
	return go_on;
}

/* NULL: out of memory. */
static struct relay_job *make_job(struct relay *relay, const struct relay_line *line)
{
	struct relay_job *job = memory_calloc(1, sizeof *job);
	if (!job || !buffer_append(&job->line, line->bytes, line->length)) {
		relay_job_free(job);
		return NULL;
	}
	job->relay = relay;
	job->number = line->number;
	job->start = line->start;
	memcpy(job->received, line->time, sizeof job->received);
	return job;
}

/* Puts a job among the jobs, and publishes how far the log was read. */
static void take_job(struct relay *relay, struct relay_job *job)
{
	pthread_mutex_lock(&relay->lock);
	(void)reorder_buffer_add(&relay->jobs, job, sizeof *job + job->line.length);
	relay->in_work++;
	relay->read = relay->tail.at;
	pthread_mutex_unlock(&relay->lock);
}

/* Has read up to the end for now. */
static void publish_end(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->read = relay->tail.at;
	pthread_cond_broadcast(&relay->progress);
	pthread_mutex_unlock(&relay->lock);
}

static void *feeder_run(void *argument)
{
	struct relay *relay = argument;
	struct error error;
	struct relay_line line;
	bool broken = false;
	while (await_line(relay)) {
		enum log_cursor_result result = log_cursor_next(&relay->tail, &line, &error);
		if (result == RELAY_BROKEN) {
			if (!broken)
				log_note(relay->settings.log, RECORD_WARNING, RECORD_SERVER,
					 "%s; trying again", error.message);
			broken = true;
			if (!rest(relay))
				break;
			continue;
		}
		broken = false;
		if (result == RELAY_END) {
			publish_end(relay);
			continue;
		}
		struct relay_job *job;
		while (!(job = make_job(relay, &line)))
			if (!rest(relay))
				return NULL;
		take_job(relay, job);
		give_to_work(relay, job);
	}
	return NULL;
}

/* --- for the log --- */

static void note_stored(void *context, size_t bytes)
{
	struct relay *relay = context;
	pthread_mutex_lock(&relay->lock);
	relay->committed += (int64_t)bytes;
	pthread_cond_signal(&relay->feed);
	pthread_mutex_unlock(&relay->lock);
}

/* A note that lines are acknowledged has been stored, or could not be. */
static void end_note(struct reply_target *recipient, bool failed)
{
	struct relay *relay =
		(struct relay *)((char *)recipient - offsetof(struct relay, acknowledger));
	pthread_mutex_lock(&relay->lock);
	relay->note_failed = failed;
	if (!failed)
		relay->noted = relay->noting;
	relay->noting = 0;
	pthread_cond_broadcast(&relay->progress);
	relay_wake_sender(relay);
	pthread_mutex_unlock(&relay->lock);
}

static bool note_acknowledged(struct reply_target *recipient, const char *answers, size_t length,
			      size_t lines)
{
	(void)answers;
	(void)length;
	(void)lines; /* one at a time */
	end_note(recipient, false);
	return true;
}

static void note_refused(struct reply_target *recipient, const char *reason, size_t lines)
{
	(void)reason; /* the log warns of it */
	(void)lines;
	end_note(recipient, true);
}

/* --- for the service --- */

/* How much of the log lies behind the first line that the next server has not. With the lock. */
static int64_t count_behind(const struct relay *relay)
{
	const struct relay_job *oldest = reorder_buffer_oldest(&relay->jobs);
	return relay->committed - (oldest ? oldest->start : relay->read);
}

void relay_wait_room(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	while (!relay->draining && !relay->stopping && count_behind(relay) > RELAY_BEHIND)
		pthread_cond_wait(&relay->progress, &relay->lock);
	pthread_mutex_unlock(&relay->lock);
}

void relay_drain(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->draining = true;
	pthread_cond_broadcast(&relay->progress);
	pthread_mutex_unlock(&relay->lock);
}

/* Has everything been forwarded, and does the log say so? With the lock. */
static bool is_finished(const struct relay *relay)
{
	return relay->read == relay->committed && reorder_buffer_is_empty(&relay->jobs) &&
	       relay->noted == relay->confirmed && !relay->noting;
}

int relay_finish(struct relay *relay, int64_t deadline, struct error *error)
{
	int late = 0;
	/* what has been answered may be on its way to the log */
	(void)log_flush(relay->settings.log, deadline);
	pthread_mutex_lock(&relay->lock);
	while (!is_finished(relay) && !late)
		late = clock_condition_wait(&relay->progress, &relay->lock, deadline);
	bool done = is_finished(relay);
	struct log_cursor tail = {.name = relay->tail.name,
				  .descriptor = relay->tail.descriptor,
				  .old = relay->tail.old,
				  .limit = relay->committed,
				  .at = relay->read};
	uint64_t left = relay->jobs.next - 1 - relay->confirmed;
	pthread_mutex_unlock(&relay->lock);
	if (done)
		return 0;
	left += log_cursor_rest(&tail);
	if (!left)
		return error_set(error, "the log does not say yet that all was forwarded");
	return error_set(error,
			 "%llu line%s not yet forwarded to %s; start again with -append to "
			 "go on",
			 (unsigned long long)left, left == 1 ? " is" : "s are", relay->link.name);
}

/* --- beginning and end --- */

static void tell_to_end(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->stopping = true;
	pthread_cond_broadcast(&relay->feed);
	pthread_cond_broadcast(&relay->hire);
	pthread_cond_broadcast(&relay->progress);
	pthread_mutex_unlock(&relay->lock);
	(void)eventfd_write(relay->stop, 1); /* takes so few without blocking */
}

static void free_relay(struct relay *relay)
{
	struct relay_job *job;
	while (relay->jobs.slots && (job = reorder_buffer_take(&relay->jobs)))
		relay_job_free(job);
	reorder_buffer_free(&relay->jobs);
	relay_link_close(&relay->link);
	log_cursor_close(&relay->tail);
	if (relay->wake >= 0)
		(void)close(relay->wake);
	if (relay->stop >= 0)
		(void)close(relay->stop);
	pthread_cond_destroy(&relay->progress);
	pthread_cond_destroy(&relay->hire);
	pthread_cond_destroy(&relay->feed);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

void relay_stop(struct relay *relay)
{
	tell_to_end(relay);
	if (relay->feeding)
		pthread_join(relay->feeder, NULL);
	relay_work_stop(relay);
	if (relay->sending)
		pthread_join(relay->sender, NULL);
	/* whoever commits may be about to tell of what it has stored */
	if (!log_flush(relay->settings.log, clock_after(CLOCK_SECOND)))
		return; /* the log is stuck in a write, and so will be the end: nothing is freed */
	log_on_committed(relay->settings.log, NULL, NULL);
	free_relay(relay);
}

static struct relay *make_relay(const struct relay_settings *settings)
{
	struct relay *relay = memory_calloc(1, sizeof *relay);
	if (!relay)
		return NULL;
	relay->settings = *settings;
	relay->delay = settings->delay;
	relay->workers = settings->workers;
	relay->command = settings->command;
	relay->last = &relay->waiting;
	relay->tail.descriptor = relay->link.socket = -1;
	relay->acknowledger = (struct reply_target){.name = settings->next,
						    .deliver = note_acknowledged,
						    .refuse = note_refused,
						    .control = true};
	/* none of these fails on Linux */
	pthread_mutex_init(&relay->lock, NULL);
	(void)clock_condition_init(&relay->feed);
	pthread_cond_init(&relay->hire, NULL);
	(void)clock_condition_init(&relay->progress);
	relay->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	relay->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return relay;
}

/* Finds where the log is to be gone on with. -1: the failure is set. */
static int find_place(struct relay *relay, struct error *error)
{
	const char *name = sink_file_name(relay->settings.log_name);
	if (!name)
		return error_set(error, "cannot forward from the log %.200s: it is not a file",
				 relay->settings.log_name);
	if (log_cursor_open(&relay->tail, name, error) < 0 ||
	    log_cursor_recover(&relay->tail, error) < 0)
		return -1;
	relay->committed = relay->tail.old;
	relay->read = relay->tail.at;
	relay->confirmed = relay->noted = relay->tail.received;
	if (!reorder_buffer_init(&relay->jobs, relay->tail.received + 1, RELAY_JOBS,
				 RELAY_JOBS_BYTES))
		return error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
	return 0;
}

static int start_threads(struct relay *relay, struct error *error)
{
	if (relay->command && relay_work_start(relay, error) < 0)
		return -1;
	int errnum = thread_create(&relay->feeder, NULL, feeder_run, relay);
	relay->feeding = !errnum;
	if (!errnum)
		errnum = thread_create(&relay->sender, NULL, relay_sender_run, relay);
	relay->sending = relay->feeding && !errnum;
	if (errnum)
		return error_set(error, "cannot start the relay: %s", strerror(errnum));
	return 0;
}

struct relay *relay_start(const struct relay_settings *settings, struct error *error)
{
	struct relay *relay = make_relay(settings);
	if (!relay) {
		error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
		return NULL;
	}
	if (relay->wake < 0 || relay->stop < 0)
		error_set(error, "cannot start the relay: %s", strerror(errno));
	else if (find_place(relay, error) == 0 && relay_link_open(relay, error) == 0) {
		log_on_committed(settings->log, note_stored, relay);
		if (start_threads(relay, error) == 0)
			return relay;
		relay_stop(relay);
		return NULL;
	}
	free_relay(relay);
	return NULL;
}
