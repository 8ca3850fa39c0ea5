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

enum { LOG_BATCH_MAX = 1 << 21 }; /* bytes of records in the open batch; then submitters wait */

/* How long deferred records may wait for the next batch, to be written with it; and for the next
 * try, where the log cannot be written. */
#define LOG_FLUSH_DELAY (5 * CLOCK_MILLISECOND)
#define LOG_FLUSH_DELAY_FAILING (200 * CLOCK_MILLISECOND)

/* A yield that takes longer than this does harm, and is not done again for so many times as long.
 */
#define LOG_YIELD_LONG (1 * CLOCK_MILLISECOND)
#define LOG_YIELD_PAUSE 100

/* Who commits: no thread, one that has submitted, or the committer. */
enum leadership { LEADERSHIP_IDLE, LEADERSHIP_LEADER, LEADERSHIP_COMMITTER };

struct log {
	pthread_t committer;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* for the committer: leadership, deferred records, or the end */
	pthread_cond_t moved; /* the open batch has been taken, or leadership is idle */
	/* under the lock */
	enum leadership leadership;
	struct stamp stamp;
	bool reopen_wanted;
	bool stopping;
	int64_t flush_at; /* ns, when the deferred records are written; CLOCK_NEVER: none are */
	const struct reply_target *last; /* whose line was committed last; only compared */
	int64_t yield_from;		 /* ns, when a commit may yield again */
	struct writer writer;		 /* but for the open batch, the leader's */
};

const char *const log_sync_names[] = {"none", "write", "disk", NULL};

/* --- leadership; with the lock --- */

static bool is_full(const struct log *log)
{
	return log->writer.open->records.length > LOG_BATCH_MAX;
}

/* There is something to do that the sink takes now. A target is reopened with nothing in flight. */
static bool wants_commit(const struct log *log)
{
	if (log->reopen_wanted)
		return !log->writer.in_flight;
	return log->writer.open->records.length && writer_has_space(&log->writer);
}

static bool has_work(const struct log *log)
{
	return wants_commit(log) || writer_has_completed(&log->writer);
}

/* Passes leadership to the committer if there is work and no leader. */
static void wake_committer(struct log *log)
{
	if (log->leadership != LEADERSHIP_IDLE || !has_work(log))
		return;
	log->leadership = LEADERSHIP_COMMITTER;
	pthread_cond_signal(&log->work);
}

/* Passes leadership on if there is work. */
static void end_leadership(struct log *log)
{
	log->leadership = LEADERSHIP_IDLE;
	wake_committer(log);
	if (log->leadership != LEADERSHIP_IDLE)
		return;
	if (log->writer.deferred.length && log->flush_at == CLOCK_NEVER) {
		log->flush_at = clock_after(log->writer.failing ? LOG_FLUSH_DELAY_FAILING
								: LOG_FLUSH_DELAY);
		pthread_cond_signal(&log->work);
	}
	pthread_cond_broadcast(&log->moved);
}

/* --- commits; as leader and with the lock, which they drop for a while --- */

/* Commits the open batch, or reopens the target if nothing is in flight. Before that the deferred
 * records alone are committed, to the old target; if it fails they go to the new one. */
static void commit_next(struct log *log)
{
	struct writer *writer = &log->writer;
	if (!log->reopen_wanted || writer->in_flight) {
		if (is_full(log)) /* else no thread waits for space */
			pthread_cond_broadcast(&log->moved);
		writer_commit(writer);
	} else if (writer->deferred.length && !writer->failing) {
		writer_commit_deferred(writer);
	} else {
		log->reopen_wanted = false;
		writer_reopen(writer);
	}
}

/* Waits until the committer is leader, and returns false when it is to end. */
static bool await_leadership(struct log *log)
{
	while (log->leadership != LEADERSHIP_COMMITTER) {
		bool idle = log->leadership == LEADERSHIP_IDLE;
		if (idle && log->stopping && !log->writer.in_flight)
			return false;
		bool due = clock_now() >= log->flush_at;
		if (due && idle && writer_has_space(&log->writer)) {
			log->leadership = LEADERSHIP_COMMITTER;
			log->flush_at = CLOCK_NEVER;
			writer_commit_deferred(&log->writer);
			return true;
		}
		if (due) /* the leader writes them, too, or defers others */
			log->flush_at = clock_after(LOG_FLUSH_DELAY);
		(void)clock_condition_wait(&log->work, &log->lock, log->flush_at);
	}
	return true;
}

/* Commits the deferred records, and waits until all is settled. */
static void commit_last(struct log *log)
{
	log->leadership = LEADERSHIP_COMMITTER;
	if (log->writer.failing) /* the last chance to say so */
		writer_defer_refused(&log->writer);
	writer_commit_deferred(&log->writer);
	while (log->writer.in_flight) {
		if (!writer_has_completed(&log->writer))
			pthread_cond_wait(&log->work, &log->lock);
		else
			writer_settle(&log->writer);
	}
}

static void *committer_run(void *argument)
{
	struct log *log = argument;
	pthread_mutex_lock(&log->lock);
	while (await_leadership(log)) {
		while (has_work(log)) {
			if (writer_has_completed(&log->writer))
				writer_settle(&log->writer);
			else
				commit_next(log);
		}
		end_leadership(log);
	}
	commit_last(log);
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* Yields once, so that runnable threads add their lines to the batch. Where the CPUs are busy with
 * other programs a yield takes as long as those like to run, and all wait for the leader: then it
 * is left out for a hundred times as long. As leader and with the lock, which it drops for a while.
 */
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

/* Leads for one batch and passes leadership on if more has come. With the lock. */
static void lead_once(struct log *log, bool yield)
{
	log->leadership = LEADERSHIP_LEADER;
	if (yield)
		let_others_in(log);
	commit_next(log);
	end_leadership(log);
}

/* With the lock, which is dropped while waiting. */
static void wait_for_space(struct log *log)
{
	while (is_full(log)) {
		if (log->leadership == LEADERSHIP_IDLE && wants_commit(log))
			lead_once(log, true);
		else
			pthread_cond_wait(&log->moved, &log->lock);
	}
}

/* --- for all threads --- */

static bool add(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count)
{
	stamp_update(&log->stamp);
	return batch_add(log->writer.open, log->writer.sink->format, &log->stamp, target, items,
			 count);
}

bool log_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, bool defer)
{
	pthread_mutex_lock(&log->lock);
	wait_for_space(log);
	bool added = add(log, target, items, count);
	if ((!defer || !added) && log->leadership == LEADERSHIP_IDLE && wants_commit(log)) {
		bool alone = log->last == target;
		log->last = target;
		lead_once(log, !alone);
	}
	pthread_mutex_unlock(&log->lock);
	return added;
}

bool log_try_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		    size_t count)
{
	pthread_mutex_lock(&log->lock);
	bool added = !is_full(log) && add(log, target, items, count);
	if (added)
		wake_committer(log);
	pthread_mutex_unlock(&log->lock);
	return added;
}

void log_commit(struct log *log, bool alone)
{
	pthread_mutex_lock(&log->lock);
	if (log->leadership == LEADERSHIP_IDLE && wants_commit(log) &&
	    (alone || writer_is_quick(&log->writer)))
		lead_once(log, false);
	else
		wake_committer(log);
	pthread_mutex_unlock(&log->lock);
}

void log_on_committed(struct log *log, void (*on_committed)(void *context, size_t bytes),
		      void *context)
{
	pthread_mutex_lock(&log->lock);
	/* the leader may be about to call the one before */
	while (log->leadership != LEADERSHIP_IDLE || log->writer.in_flight)
		pthread_cond_wait(&log->moved, &log->lock);
	log->writer.on_committed = on_committed;
	log->writer.context = context;
	pthread_mutex_unlock(&log->lock);
}

void log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...)
{
	char message[512];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(message, sizeof message, format, values);
	va_end(values);
	if (length < 0)
		return;
	size_t max = sizeof message - 1;
	struct reply_target target = {.name = subject};
	struct log_item item = {.level = level,
				.event = RECORD_NOTE,
				.bytes = message,
				.length = (size_t)length < max ? (size_t)length : max};
	/* full, or out of memory: it was for information only */
	(void)log_try_submit(log, &target, &item, 1);
}

void log_reopen(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	log->reopen_wanted = true;
	wake_committer(log);
	pthread_mutex_unlock(&log->lock);
}

/* Nothing is left to be done, as far as the log can be written. With the lock. */
static bool is_at_rest(const struct log *log)
{
	return log->leadership == LEADERSHIP_IDLE && !log->writer.in_flight &&
	       !log->writer.open->records.length && !log->reopen_wanted &&
	       (log->flush_at == CLOCK_NEVER || log->writer.failing);
}

bool log_flush(struct log *log, int64_t deadline)
{
	int late = 0;
	pthread_mutex_lock(&log->lock);
	while (!is_at_rest(log) && !late) {
		if (log->flush_at != CLOCK_NEVER)
			log->flush_at = 0;
		wake_committer(log);
		pthread_cond_signal(&log->work);
		late = clock_condition_wait(&log->moved, &log->lock, deadline);
	}
	bool done = is_at_rest(log);
	pthread_mutex_unlock(&log->lock);
	return done;
}

static void free_log(struct log *log)
{
	writer_close(&log->writer);
	pthread_cond_destroy(&log->moved);
	pthread_cond_destroy(&log->work);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* Called by the sink, in any thread. */
static void complete(struct sink_batch *commit, int errnum)
{
	struct batch *batch = (struct batch *)commit;
	struct log *log = batch->log;
	pthread_mutex_lock(&log->lock);
	batch->result = errnum;
	wake_committer(log);
	pthread_cond_signal(&log->work); /* for commit_last() */
	pthread_mutex_unlock(&log->lock);
}

struct log *log_open(const struct log_settings *settings, struct error *error)
{
	struct log *log = memory_calloc(1, sizeof *log);
	if (!log) {
		error_set(error, "cannot open the log: %s", strerror(errno));
		return NULL;
	}
	log->flush_at = CLOCK_NEVER;
	log->writer.settings = *settings;
	log->writer.lock = &log->lock;
	for (int i = 0; i < WRITER_BATCHES; i++) {
		log->writer.batches[i].log = log;
		log->writer.batches[i].commit.complete = complete;
	}
	/* without attributes none of these fails on Linux */
	pthread_mutex_init(&log->lock, NULL);
	clock_condition_init(&log->work);
	clock_condition_init(&log->moved);
	if (writer_open(&log->writer, error) == 0) {
		int errnum = thread_create(&log->committer, NULL, committer_run, log);
		if (!errnum)
			return log;
		error_set(error, "cannot start the committer: %s", strerror(errnum));
	}
	free_log(log);
	return NULL;
}

bool log_close(struct log *log)
{
	if (!log)
		return true;
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	wake_committer(log);
	pthread_cond_signal(&log->work);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->committer, NULL);
	bool written = !log->writer.deferred.length;
	free_log(log);
	return written;
}
