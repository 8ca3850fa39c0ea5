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
#include "log/batch.h"
#include "log/writer.h"

enum {
	LOG_BATCH_MAX = 1 << 21, /* bytes of records in the open batch; then submitters wait */
	/* in flight, open, and one that was open when a batch failed */
	LOG_BATCHES = SINK_IN_FLIGHT_MAX + 2,
};

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
	enum log_sync sync;
	pthread_t committer;

	pthread_mutex_t lock;
	pthread_cond_t work;  /* for the committer: leadership, deferred records, or the end */
	pthread_cond_t space; /* the open batch has been taken */
	pthread_cond_t idle;  /* leadership is idle */
	/* under the lock */
	enum leadership leadership;
	struct batch *open;
	struct batch *oldest, **end; /* the queue of those submitted and not settled, and its end */
	struct batch *spare;	     /* a list */
	int in_flight;		     /* in the queue */
	int refused; /* errno value: a batch has failed, and so do all in the queue; 0: none */
	struct stamp stamp;
	bool reopen_wanted;
	bool stopping;
	bool flush_pending;		 /* the deferred records are written at flush_at */
	int64_t flush_at;		 /* ns */
	const struct reply_target *last; /* whose line was committed last; only compared */
	int64_t yield_from;		 /* ns, when a commit may yield again */

	/* the leader's; under the lock while leadership is idle */
	struct writer writer;
	struct batch batches[LOG_BATCHES];
};

const char *const log_sync_names[] = {"none", "write", "disk", NULL};

/* --- the queue; with the lock --- */

static void enqueue(struct log *log, struct batch *batch)
{
	batch->next = NULL;
	batch->completed = false;
	*log->end = batch;
	log->end = &batch->next;
	log->in_flight++;
}

/* Takes the oldest batch off the queue, settled and empty. */
static void dequeue(struct log *log)
{
	struct batch *batch = log->oldest;
	log->oldest = batch->next;
	if (!log->oldest)
		log->end = &log->oldest;
	log->in_flight--;
	batch->next = log->spare;
	log->spare = batch;
}

static struct batch *take_spare(struct log *log)
{
	struct batch *batch = log->spare;
	log->spare = batch->next;
	return batch;
}

/* Takes the open batch, and opens another one. */
static struct batch *take_open(struct log *log)
{
	struct batch *batch = log->open;
	log->open = take_spare(log);
	pthread_cond_broadcast(&log->space);
	return batch;
}

/* --- leadership; with the lock --- */

static bool has_lines(const struct log *log)
{
	return !record_list_is_empty(&log->open->records) || log->reopen_wanted;
}

/* The sink takes another batch, or can be reopened. */
static bool can_commit(const struct log *log)
{
	return !log->oldest || (!log->refused && !log->reopen_wanted &&
				log->in_flight < writer_in_flight(&log->writer));
}

static bool has_work(const struct log *log)
{
	return (log->oldest && log->oldest->completed) || (has_lines(log) && can_commit(log));
}

static void pass_to_committer(struct log *log)
{
	log->leadership = LEADERSHIP_COMMITTER;
	pthread_cond_signal(&log->work);
}

/* Passes leadership to the committer if there is work and no leader. */
static void wake_committer(struct log *log)
{
	if (log->leadership == LEADERSHIP_IDLE && has_work(log))
		pass_to_committer(log);
}

static void end_leadership(struct log *log)
{
	log->leadership = LEADERSHIP_IDLE;
	if (!record_list_is_empty(&log->writer.deferred) && !log->flush_pending) {
		log->flush_pending = true;
		log->flush_at = clock_after(log->writer.failing ? LOG_FLUSH_DELAY_FAILING
								: LOG_FLUSH_DELAY);
		pthread_cond_signal(&log->work);
	}
	pthread_cond_broadcast(&log->idle);
}

/* --- commits; as leader and with the lock, which is dropped for each batch --- */

/* The oldest batch has failed: all behind it fail too, those in flight by the sink's contract, and
 * the open one here, so that no later line of a connection is stored. A batch without lines loses
 * nothing. */
static void refuse_open(struct log *log, const struct batch *failed)
{
	log->refused = failed->errnum;
	if (record_list_is_empty(&failed->records) || record_list_is_empty(&log->open->records))
		return;
	struct batch *batch = take_open(log);
	enqueue(log, batch);
	batch->completed = true;
}

static void settle_completed(struct log *log)
{
	while (log->oldest && log->oldest->completed) {
		struct batch *batch = log->oldest;
		if (batch->errnum && !log->refused)
			refuse_open(log, batch);
		int errnum = log->refused;
		pthread_mutex_unlock(&log->lock);
		writer_settle(&log->writer, batch, errnum);
		batch_clear(batch);
		pthread_mutex_lock(&log->lock);
		dequeue(log);
		if (log->oldest || !log->refused)
			continue;
		log->refused = 0;
		pthread_mutex_unlock(&log->lock);
		writer_resume(&log->writer);
		pthread_mutex_lock(&log->lock);
	}
}

/* Called by the sink, in any thread. */
static void complete(struct sink_batch *commit, int errnum)
{
	struct batch *batch = (struct batch *)commit;
	struct log *log = batch->log;
	pthread_mutex_lock(&log->lock);
	batch->errnum = errnum;
	batch->completed = true;
	wake_committer(log);
	pthread_cond_signal(&log->work); /* for log_close() */
	pthread_mutex_unlock(&log->lock);
}

/* Commits a batch; settles it, too, if it is completed at once. */
static void commit(struct log *log, struct batch *batch)
{
	bool alone = !log->oldest;
	enqueue(log, batch);
	pthread_mutex_unlock(&log->lock);
	int errnum = writer_submit(&log->writer, batch);
	bool settled = alone && errnum == 0;
	if (settled) {
		writer_settle(&log->writer, batch, 0);
		batch_clear(batch);
	}
	pthread_mutex_lock(&log->lock);
	if (settled) {
		dequeue(log);
		return;
	}
	if (errnum != SINK_PENDING) {
		batch->errnum = errnum;
		batch->completed = true;
	}
	settle_completed(log);
}

/* Commits the open batch. Before a reopening the deferred records alone, to the old target; if it
 * fails they go to the new one. */
static void commit_next(struct log *log)
{
	if (!log->reopen_wanted) {
		commit(log, take_open(log));
	} else if (!log->writer.failing && !record_list_is_empty(&log->writer.deferred)) {
		commit(log, take_spare(log));
	} else {
		log->reopen_wanted = false;
		pthread_mutex_unlock(&log->lock);
		writer_reopen(&log->writer);
		pthread_mutex_lock(&log->lock);
	}
}

/* Waits until the committer is leader, and returns false when it is to end. */
static bool await_leadership(struct log *log)
{
	while (log->leadership != LEADERSHIP_COMMITTER) {
		if (log->stopping && !log->oldest)
			return false;
		bool due = log->flush_pending && clock_now() >= log->flush_at;
		if (due && log->leadership == LEADERSHIP_IDLE && can_commit(log)) {
			log->leadership = LEADERSHIP_COMMITTER;
			log->flush_pending = false;
			if (!record_list_is_empty(&log->writer.deferred))
				commit(log, take_spare(log));
			return true;
		}
		if (due) /* the leader writes them, too, or defers others */
			log->flush_at = clock_after(LOG_FLUSH_DELAY);
		int64_t until = log->flush_pending ? log->flush_at : CLOCK_NEVER;
		(void)clock_condition_wait(&log->work, &log->lock, until);
	}
	return true;
}

static void *committer_run(void *argument)
{
	struct log *log = argument;
	pthread_mutex_lock(&log->lock);
	while (await_leadership(log)) {
		settle_completed(log);
		while (has_work(log)) {
			commit_next(log);
			settle_completed(log);
		}
		end_leadership(log);
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* Yields once, so that runnable threads add their lines to the batch. Where the CPUs are busy with
 * other programs a yield takes as long as those like to run, and all wait for the leader: then it
 * is left out for a hundred times as long. As leader and with the lock, which it drops meanwhile.
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

/* Leads for one batch, with a line of that target, and passes leadership on if more has come. With
 * the lock. */
static void lead_once(struct log *log, const struct reply_target *target)
{
	bool alone = log->last == target;
	log->leadership = LEADERSHIP_LEADER;
	log->last = target;
	if (!alone)
		let_others_in(log);
	commit_next(log);
	if (has_work(log))
		pass_to_committer(log);
	else
		end_leadership(log);
}

/* With the lock, which is dropped while waiting. */
static void wait_for_space(struct log *log)
{
	while (log->open->records.text.length > LOG_BATCH_MAX) {
		if (log->leadership != LEADERSHIP_IDLE || !can_commit(log))
			pthread_cond_wait(&log->space, &log->lock);
		else
			lead_once(log, NULL);
	}
}

/* --- for all threads --- */

static bool add(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count)
{
	stamp_update(&log->stamp);
	return batch_add(log->open, &log->stamp, target, items, count);
}

bool log_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, bool defer)
{
	pthread_mutex_lock(&log->lock);
	wait_for_space(log);
	bool added = add(log, target, items, count);
	if ((!defer || !added) && log->leadership == LEADERSHIP_IDLE && has_lines(log) &&
	    can_commit(log))
		lead_once(log, target);
	pthread_mutex_unlock(&log->lock);
	return added;
}

bool log_try_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		    size_t count)
{
	pthread_mutex_lock(&log->lock);
	bool added =
		log->open->records.text.length <= LOG_BATCH_MAX && add(log, target, items, count);
	if (added)
		wake_committer(log);
	pthread_mutex_unlock(&log->lock);
	return added;
}

void log_on_committed(struct log *log, void (*on_committed)(void *context, size_t bytes),
		      void *context)
{
	pthread_mutex_lock(&log->lock);
	/* the leader may be about to call the one before */
	while (log->leadership != LEADERSHIP_IDLE || log->oldest)
		pthread_cond_wait(&log->idle, &log->lock);
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
	return log->leadership == LEADERSHIP_IDLE && !log->oldest && !has_lines(log) &&
	       (!log->flush_pending || log->writer.failing);
}

bool log_flush(struct log *log, int64_t deadline)
{
	int late = 0;
	pthread_mutex_lock(&log->lock);
	while (!is_at_rest(log) && !late) {
		log->flush_at = 0;
		wake_committer(log);
		if (log->leadership == LEADERSHIP_IDLE)
			pthread_cond_signal(&log->work);
		late = clock_condition_wait(&log->idle, &log->lock, deadline);
	}
	bool done = is_at_rest(log);
	pthread_mutex_unlock(&log->lock);
	return done;
}

static void free_log(struct log *log)
{
	writer_close(&log->writer);
	pthread_cond_destroy(&log->idle);
	pthread_cond_destroy(&log->space);
	pthread_cond_destroy(&log->work);
	pthread_mutex_destroy(&log->lock);
	for (int i = 0; i < LOG_BATCHES; i++)
		batch_free(&log->batches[i]);
	free(log);
}

/* Prepares the batches: the first is open, the others are spare. */
static void open_batches(struct log *log)
{
	log->end = &log->oldest;
	for (int i = LOG_BATCHES - 1; i >= 0; i--) {
		struct batch *batch = &log->batches[i];
		batch->log = log;
		batch->commit.complete = complete;
		batch->records.format = batch->deferred.format = log->writer.settings.format;
		batch->records.structured = batch->deferred.structured =
			log->writer.sink->type->structured;
		batch->next = log->spare;
		log->spare = batch;
	}
	log->open = take_spare(log);
}

struct log *log_open(const struct log_settings *settings, struct error *error)
{
	struct log *log = memory_calloc(1, sizeof *log);
	if (!log) {
		error_set(error, "cannot open the log: %s", strerror(errno));
		return NULL;
	}
	log->writer = (struct writer){
		.settings = {settings->target, settings->append,
			     settings->format ? settings->format : &record_text},
		.sync = settings->sync,
		.tee = settings->tee,
		.warn = settings->warn,
	};
	/* without attributes none of these fails on Linux */
	pthread_mutex_init(&log->lock, NULL);
	(void)clock_condition_init(&log->work);
	pthread_cond_init(&log->space, NULL);
	(void)clock_condition_init(&log->idle);
	int errnum = 0;
	if (writer_open(&log->writer, error) == 0) {
		open_batches(log);
		errnum = thread_create(&log->committer, NULL, committer_run, log);
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
	if (log->writer.failing) /* the last chance to say so */
		writer_defer_refused(&log->writer);
	pthread_mutex_lock(&log->lock);
	log->leadership = LEADERSHIP_LEADER;
	commit(log, take_open(log));
	while (log->oldest) {
		pthread_cond_wait(&log->work, &log->lock);
		settle_completed(log);
	}
	pthread_mutex_unlock(&log->lock);
	bool written = log->writer.errnum == 0;
	free_log(log);
	return written;
}
