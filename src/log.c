/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "log/writer.h"
#include "log/stdout_tee.h"

enum { LOG_BATCH_MOST = 1 << 21 }; /* bytes of records in the open batch; then submitters wait */

/* How long "sent" records may wait for the next batch, to be written with it; and for the next try,
 * where the log cannot be written. */
#define LOG_LINGER (5 * CLOCK_MILLISECOND)
#define LOG_LINGER_FAILING (200 * CLOCK_MILLISECOND)

/* A yield that takes longer than this does harm, and is not done again for so many times as long.
 */
#define LOG_YIELD_LONG (1 * CLOCK_MILLISECOND)
#define LOG_YIELD_PAUSE 100

const char *const log_sync_names[] = {"none", "write", "disk", NULL};

/* --- with the duty, without the lock --- */

/* At -sync none an ok means "queued": the answers go first. There must be room for the records in
 * the carry. */
static void commit_released(struct log *log, const struct batch *batch)
{
	struct buffer sent = {0};
	const struct record_format *format = log->settings.format;
	batch_release(batch, NULL, format, &log->sent_stamp, &sent);
	(void)buffer_append(&log->carry, batch->records.bytes,
			    batch->records.length); /* has room */
	/* out of memory: the lines are there, and that is what was promised */
	(void)buffer_append(&log->carry, sent.bytes, sent.length);
	buffer_free(&sent);
	(void)log_store_carry(log); /* kept in the carry, if it fails */
}

static void commit_batch(struct log *log, const struct batch *batch)
{
	stamp_update(&log->sent_stamp);
	/* a log that fails is tried first all the same, so that no more is promised than what waits
	 * already; and so it is where there is no memory to queue in */
	if (log->settings.sync == LOG_SYNC_NONE && !log->failing &&
	    buffer_reserve(&log->carry, batch->records.length)) {
		commit_released(log, batch);
		return;
	}
	int errnum = log_store(log, &batch->records, log->settings.sync == LOG_SYNC_DISK);
	if (errnum)
		log->unlogged += batch->lines;
	batch_release(batch, errnum ? strerror(errnum) : NULL, log->settings.format,
		      &log->sent_stamp, &log->carry);
}

/* --- the duty --- */

static bool waiting(const struct log *log)
{
	return log->open->records.length > 0 || log->reopen_wanted;
}

/* Commits what is open. Called with the duty and with the lock, which it drops meanwhile. */
static void commit_open(struct log *log)
{
	struct batch *batch = log->open;
	bool reopen_wanted = log->reopen_wanted;
	log->open = log->spare;
	log->spare = NULL;
	log->reopen_wanted = false;
	pthread_cond_broadcast(&log->room);
	pthread_mutex_unlock(&log->lock);

	if (reopen_wanted)
		log_store_reopen(log);
	commit_batch(log, batch);
	batch_clear(batch);

	pthread_mutex_lock(&log->lock);
	log->spare = batch;
}

/* Writes the carry by itself. Called with the duty and with the lock, which it drops meanwhile. */
static void flush_carry(struct log *log)
{
	log->lingering = false;
	pthread_mutex_unlock(&log->lock);
	(void)log_store_carry(log); /* if it fails, all stays in the carry */
	if (!log->carry.length)	    /* a log that is well again has a note in it */
		buffer_clear(&log->carry, LOG_BATCH_MOST);
	pthread_mutex_lock(&log->lock);
}

/* Lays the duty down; called with the lock. */
static void end_duty(struct log *log)
{
	log->committing = log->handed_over = false;
	/* what no further batch takes along is written by the committer, a little later */
	if (log->carry.length && !log->lingering) {
		log->lingering = true;
		log->linger_until = clock_after(log->failing ? LOG_LINGER_FAILING : LOG_LINGER);
		pthread_cond_signal(&log->duty);
	}
	pthread_cond_broadcast(&log->idle);
}

/* Gives the duty to the committer; called with the lock. */
static void hand_over(struct log *log)
{
	log->committing = log->handed_over = true;
	pthread_cond_signal(&log->duty);
}

/* Waits until the committer has something to do. Called with the lock. */
static void await_duty(struct log *log)
{
	while (!log->handed_over && !log->stopping) {
		bool due = log->lingering && clock_now() >= log->linger_until;
		if (due && !log->committing)
			return;
		if (due) /* whoever commits now writes the carry, too, or leaves another one */
			log->linger_until = clock_after(LOG_LINGER);
		int64_t until = log->lingering ? log->linger_until : CLOCK_NEVER;
		(void)clock_condition_wait(&log->duty, &log->lock, until);
	}
}

static void *committer_run(void *argument)
{
	struct log *log = argument;
	pthread_mutex_lock(&log->lock);
	for (;;) {
		await_duty(log);
		if (log->stopping && !log->handed_over)
			break;
		log->committing = true;
		if (!log->handed_over)
			flush_carry(log);
		while (waiting(log))
			commit_open(log);
		end_duty(log);
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* Whoever can run now gets its lines into the batch as well. Where the CPUs are busy with other
 * programs a yield takes as long as those like to run, and everybody waits for the duty: then it is
 * left alone for a hundred times as long. Called with the duty and with the lock, which it drops
 * meanwhile. */
static void let_others_in(struct log *log)
{
	int64_t before = clock_now();
	if (before < log->yield_from)
		return;
	pthread_mutex_unlock(&log->lock);
	(void)sched_yield(); /* never fails on Linux */
	pthread_mutex_lock(&log->lock);
	int64_t took = clock_now() - before;
	if (took > LOG_YIELD_LONG)
		log->yield_from = before + LOG_YIELD_PAUSE * took;
}

/* Takes the duty for one batch, for a line of that recipient, and gives it on, if more has come.
 * Called with the lock. */
static void commit_once(struct log *log, const struct reply_target *recipient)
{
	bool alone = log->last == recipient;
	log->committing = true;
	log->last = recipient;
	if (!alone)
		let_others_in(log);
	commit_open(log);
	if (waiting(log))
		hand_over(log);
	else
		end_duty(log);
}

/* Called with the lock, which is dropped while waiting. */
static void wait_for_room(struct log *log)
{
	while (log->open->records.length > LOG_BATCH_MOST) {
		if (log->committing)
			pthread_cond_wait(&log->room, &log->lock);
		else
			commit_once(log, NULL);
	}
}

/* --- for everybody --- */

bool log_submit(struct log *log, struct reply_target *recipient, const struct log_item *items,
		size_t count, bool defer)
{
	pthread_mutex_lock(&log->lock);
	wait_for_room(log);
	stamp_update(&log->stamp);
	bool added =
		batch_add(log->open, log->settings.format, &log->stamp, recipient, items, count);
	if ((!defer || !added) && !log->committing && waiting(log))
		commit_once(log, recipient);
	pthread_mutex_unlock(&log->lock);
	return added;
}

bool log_try_submit(struct log *log, struct reply_target *recipient, const struct log_item *items,
		    size_t count)
{
	pthread_mutex_lock(&log->lock);
	bool room = log->open->records.length <= LOG_BATCH_MOST;
	if (room)
		stamp_update(&log->stamp);
	bool added = room && batch_add(log->open, log->settings.format, &log->stamp, recipient,
				       items, count);
	if (added && !log->committing && waiting(log))
		hand_over(log);
	pthread_mutex_unlock(&log->lock);
	return added;
}

void log_on_committed(struct log *log, void (*stored)(void *context, size_t bytes), void *context)
{
	pthread_mutex_lock(&log->lock);
	while (log->committing) /* whoever does may be about to call the one before */
		pthread_cond_wait(&log->idle, &log->lock);
	log->stored = stored;
	log->stored_context = context;
	pthread_mutex_unlock(&log->lock);
}

void log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...)
{
	char words[512];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(words, sizeof words, format, values);
	va_end(values);
	if (length < 0)
		return;
	size_t most = sizeof words - 1;
	struct record record = {.level = level,
				.event = RECORD_NOTE,
				.subject = subject,
				.bytes = words,
				.length = (size_t)length < most ? (size_t)length : most};
	pthread_mutex_lock(&log->lock);
	if (log->open->records.length <= LOG_BATCH_MOST) {
		stamp_update(&log->stamp);
		/* out of memory: it was for information only */
		(void)log->settings.format->append(&log->open->records, &log->stamp, &record);
		if (!log->committing)
			hand_over(log);
	}
	pthread_mutex_unlock(&log->lock);
}

void log_reopen(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	log->reopen_wanted = true;
	if (!log->committing)
		hand_over(log);
	pthread_mutex_unlock(&log->lock);
}

/* Nothing is left to be done, as far as the log can be written. Called with the lock. */
static bool at_rest(const struct log *log)
{
	return !log->committing && !waiting(log) && (!log->lingering || log->failing);
}

bool log_flush(struct log *log, int64_t deadline)
{
	int waited = 0;
	pthread_mutex_lock(&log->lock);
	while (!at_rest(log) && !waited) {
		log->linger_until = 0;
		if (waiting(log) && !log->committing)
			hand_over(log);
		else if (!log->committing)
			pthread_cond_signal(&log->duty);
		waited = clock_condition_wait(&log->idle, &log->lock, deadline);
	}
	bool done = at_rest(log);
	pthread_mutex_unlock(&log->lock);
	return done;
}

static void free_log(struct log *log)
{
	if (log->sink)
		log->sink->type->close(log->sink);
	pthread_cond_destroy(&log->idle);
	pthread_cond_destroy(&log->room);
	pthread_cond_destroy(&log->duty);
	pthread_mutex_destroy(&log->lock);
	batch_free(&log->batches[0]);
	batch_free(&log->batches[1]);
	buffer_free(&log->carry);
	free(log);
}

struct log *log_open(const struct log_settings *settings, struct error *error)
{
	struct log *log = memory_calloc(1, sizeof *log);
	if (!log) {
		error_set(error, "cannot open the log: %s", strerror(errno));
		return NULL;
	}
	log->settings = *settings;
	if (!log->settings.format)
		log->settings.format = &record_text;
	log->open = &log->batches[0];
	log->spare = &log->batches[1];
	/* without attributes none of these fails on Linux */
	pthread_mutex_init(&log->lock, NULL);
	(void)clock_condition_init(&log->duty);
	pthread_cond_init(&log->room, NULL);
	(void)clock_condition_init(&log->idle);
	log->sink = sink_open(settings->target, settings->append, error);
	int errnum = log->sink ? thread_create(&log->committer, NULL, committer_run, log) : 0;
	if (errnum)
		error_set(error, "cannot start the committer: %s", strerror(errnum));
	if (!log->sink || errnum) {
		free_log(log);
		return NULL;
	}
	log_store_torn(log);
	const char *header = log->settings.format->header;
	if (settings->tee)
		stdout_tee_push(settings->tee, header, strlen(header));
	return log;
}

bool log_close(struct log *log)
{
	if (!log)
		return true;
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	if (!log->committing && waiting(log))
		hand_over(log);
	pthread_cond_signal(&log->duty);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->committer, NULL);
	if (log->failing) /* the last chance to say so */
		log_store_unlogged(log);
	bool written = log_store_carry(log) == 0;
	free_log(log);
	return written;
}
