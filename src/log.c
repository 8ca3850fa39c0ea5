/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "base/clock.h"
#include "log/reopen.h"
#include "log/state.h"
#include "log/watch.h"
#include "log/writer_notes.h"

/* How long deferred records may wait for the next batch, to be written with it; and for the next
 * try, where the log cannot be written. */
#define LOG_FLUSH_DELAY (5 * CLOCK_MILLISECOND)
#define LOG_FLUSH_DELAY_FAILING (200 * CLOCK_MILLISECOND)

/* --- leadership; with the lock --- */

/* To begin a new target. Only for a batch: none is closed while nothing comes. */
static bool wants_rotation(const struct log *log)
{
	return !batch_is_empty(log->writer.open) && writer_wants_rotation(&log->writer);
}

/* To reopen the target, to begin a new one, or for a summary. */
static bool wants_pause(const struct log *log)
{
	return log->reopen_wanted || writer_wants_summary(&log->writer) || wants_rotation(log);
}

/* Nothing is in flight. For a summary nothing is being delivered either: what it states is known
 * then. */
static bool is_paused(const struct writer *writer)
{
	return !writer->in_flight && !(writer->summaries && writer_is_delivering(writer));
}

/* There is something to do that the sink takes now. */
static bool wants_commit(const struct log *log)
{
	const struct writer *writer = &log->writer;
	bool work = wants_pause(log) ? is_paused(writer) : !batch_is_empty(writer->open);
	return work && writer_has_space(writer);
}

static bool has_work(const struct log *log)
{
	return wants_commit(log) || writer_has_completed(&log->writer);
}

/* Offers leadership to the committers if there is work and no leader. */
static void wake_committer(struct log *log)
{
	if (log->leadership != LEADERSHIP_IDLE || !has_work(log))
		return;
	log->leadership = LEADERSHIP_OFFERED;
	pthread_cond_signal(&log->work);
}

/* There is no work: schedules the write of the deferred records. */
static void rest(struct log *log)
{
	if (log->writer.deferred.length && log->flush_at == CLOCK_NEVER) {
		log->flush_at = clock_after(log->writer.failing ? LOG_FLUSH_DELAY_FAILING
								: LOG_FLUSH_DELAY);
		pthread_cond_signal(&log->work);
	}
	if (log->stopping)
		pthread_cond_broadcast(&log->work);
	pthread_cond_broadcast(&log->moved);
}

/* Ends leadership and delivers the settled batches. Slow commits: the next one may run beside the
 * delivery. Quick commits: if `gather`, the thread stays leader until it has delivered, so that
 * records gather in the open batch. Releases the lock while it delivers. */
static void end_leadership(struct log *log, bool gather)
{
	struct batch *settled = writer_take_settled(&log->writer);
	bool quick = writer_is_quick(&log->writer);
	if (quick && gather)
		writer_deliver(&log->writer, &settled);
	log->leadership = LEADERSHIP_IDLE;
	if (!quick)
		wake_committer(log);
	if (settled) {
		pthread_cond_broadcast(&log->moved);
		writer_deliver(&log->writer, &settled);
	}
	if (log->leadership == LEADERSHIP_IDLE && !has_work(log))
		rest(log);
}

/* --- commits; as leader and with the lock, which they drop for a while --- */

/* Reopens the target, or begins a new one. Before that the deferred records alone are committed, to
 * the old target; if it fails they go to the new one. */
static void change_target(struct log *log)
{
	struct writer *writer = &log->writer;
	if (writer->deferred.length && !writer->failing) {
		writer_commit_deferred(writer);
		return;
	}
	if (log->reopen_wanted) {
		log->reopen_wanted = false;
		writer_reopen(writer);
	} else {
		writer_rotate(writer);
	}
	if (writer->summary_deferred)
		writer_commit_deferred(writer);
}

/* Commits the open batch, or does what needs a pause. */
static void commit_next(struct log *log)
{
	struct writer *writer = &log->writer;
	if (!wants_pause(log) || !is_paused(writer)) {
		/* else no thread waits for space */
		if (batch_is_full(writer->open, false) || batch_is_full(writer->open, true))
			pthread_cond_broadcast(&log->moved);
		writer_commit(writer);
	} else if (log->reopen_wanted || wants_rotation(log)) {
		change_target(log);
	} else {
		writer_summarise(writer);
		writer_commit_deferred(writer);
	}
}

/* Commits the deferred records alone. */
static void flush_deferred(struct log *log)
{
	log->leadership = LEADERSHIP_TAKEN;
	log->flush_at = CLOCK_NEVER;
	writer_commit_deferred(&log->writer);
	end_leadership(log, true);
}

/* Waits until leadership is offered, and returns false when the committer is to end. Writes the
 * deferred records when they are due. */
static bool await_leadership(struct log *log)
{
	while (log->leadership != LEADERSHIP_OFFERED) {
		bool idle = log->leadership == LEADERSHIP_IDLE;
		if (idle && log->stopping && !log->writer.in_flight &&
		    !writer_is_delivering(&log->writer))
			return false;
		bool due = clock_now() >= log->flush_at;
		if (due && idle && writer_has_space(&log->writer)) {
			flush_deferred(log);
			wake_committer(log);
			continue;
		}
		if (due) /* the leader writes them, too, or defers others */
			log->flush_at = clock_after(LOG_FLUSH_DELAY);
		(void)clock_condition_wait(&log->work, &log->lock, log->flush_at);
	}
	return true;
}

void *log_run_committer(void *argument)
{
	struct log *log = argument;
	pthread_mutex_lock(&log->lock);
	while (await_leadership(log)) {
		do { /* leads as long as there is work, so no other thread is woken for it */
			log->leadership = LEADERSHIP_TAKEN;
			if (writer_has_completed(&log->writer))
				writer_settle(&log->writer);
			else if (wants_commit(log))
				commit_next(log);
			end_leadership(log, true);
		} while (log->leadership == LEADERSHIP_IDLE && has_work(log));
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

static void let_others_in(struct log *log)
{
	pthread_mutex_unlock(&log->lock);
	yield_to_others(&log->yield);
	pthread_mutex_lock(&log->lock);
}

/* Leads for one batch; if `yield`, other threads may add to it first. If there is more work then, a
 * committer continues. With the lock. */
static void lead_once(struct log *log, bool gather, bool yield)
{
	log->leadership = LEADERSHIP_TAKEN;
	if (yield)
		let_others_in(log);
	commit_next(log);
	end_leadership(log, gather);
	wake_committer(log);
}

/* With the lock, which is dropped while waiting. */
static void wait_for_space(struct log *log, bool for_others)
{
	while (batch_is_full(log->writer.open, for_others)) {
		if (log->leadership == LEADERSHIP_IDLE && wants_commit(log))
			lead_once(log, true, true);
		else
			pthread_cond_wait(&log->moved, &log->lock);
	}
}

/* --- for all threads --- */

static bool add(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, bool for_others)
{
	struct batch *open = log->writer.open;
	size_t before = batch_size(open), charge = open->charge;
	stamp_update(&log->stamp);
	if (!batch_add(open, log->writer.sink->format, &log->stamp, target, items, count))
		return false;
	if (for_others)
		open->for_others += batch_size(open) - before;
	watch_submitted(&log->writer, open->charge - charge);
	return true;
}

enum { ANY_FAILURES = -1 };

static enum submit_result submit(struct log *log, struct reply_target *target,
				 const struct log_item *items, size_t count, enum submission kind,
				 uint64_t failures)
{
	bool for_others = kind == SUBMIT_FOR_OTHERS;
	enum submit_result result = SUBMITTED;
	pthread_mutex_lock(&log->lock);
	wait_for_space(log, for_others);
	if (failures != (uint64_t)ANY_FAILURES && failures != log->writer.failures)
		result = SUBMIT_FAILED_BEFORE;
	else if (!add(log, target, items, count, for_others))
		result = SUBMIT_NO_MEMORY;
	if ((kind == SUBMIT_COMMIT || result) && log->leadership == LEADERSHIP_IDLE &&
	    wants_commit(log)) {
		bool alone = log->last == target;
		log->last = target;
		lead_once(log, true, !alone);
	}
	pthread_mutex_unlock(&log->lock);
	return result;
}

bool log_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, enum submission kind)
{
	return submit(log, target, items, count, kind, (uint64_t)ANY_FAILURES) == SUBMITTED;
}

enum submit_result log_submit_behind(struct log *log, struct reply_target *target,
				     const struct log_item *items, size_t count,
				     enum submission kind, uint64_t failures)
{
	return submit(log, target, items, count, kind, failures);
}

uint64_t log_failures(const struct log *log)
{
	return log->writer.failures;
}

bool log_try_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		    size_t count)
{
	pthread_mutex_lock(&log->lock);
	bool added = !batch_is_full(log->writer.open, true) && add(log, target, items, count, true);
	if (added)
		wake_committer(log);
	pthread_mutex_unlock(&log->lock);
	return added;
}

bool log_commit(struct log *log, bool few)
{
	pthread_mutex_lock(&log->lock);
	bool mine = log->leadership == LEADERSHIP_IDLE && wants_commit(log);
	if (mine && !few) /* there is no leader, so this thread may read the writer's state */
		mine = writer_is_quick(&log->writer) && !batch_is_full(log->writer.open, false);
	if (mine)
		lead_once(log, false, false);
	else
		wake_committer(log);
	bool idle = log->leadership == LEADERSHIP_IDLE;
	pthread_mutex_unlock(&log->lock);
	return idle;
}

void log_watch(struct log *log, struct log_watcher *watcher)
{
	pthread_mutex_lock(&log->lock);
	/* the leader may be about to call the one before */
	while (log->leadership != LEADERSHIP_IDLE || log->writer.in_flight)
		pthread_cond_wait(&log->moved, &log->lock);
	watch_begin(&log->writer, watcher);
	pthread_mutex_unlock(&log->lock);
}

/* Takes the lock, once there is no leader: it may be about to call a summary. */
static void lock_summaries(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	while (log->leadership != LEADERSHIP_IDLE)
		pthread_cond_wait(&log->moved, &log->lock);
}

void log_summarise(struct log *log, struct log_summary *summary, size_t since)
{
	lock_summaries(log);
	writer_add_summary(&log->writer, summary, since);
	pthread_mutex_unlock(&log->lock);
}

void log_end_summary(struct log *log, struct log_summary *summary)
{
	lock_summaries(log);
	writer_end_summary(&log->writer, summary);
	pthread_mutex_unlock(&log->lock);
}

void log_describe(struct log *log, const char *note)
{
	pthread_mutex_lock(&log->lock);
	log->writer.reopen_note = note;
	pthread_mutex_unlock(&log->lock);
}

void log_reopen(struct log *log, const char *note)
{
	pthread_mutex_lock(&log->lock);
	log->reopen_wanted = true;
	log->writer.reopen_note = note;
	wake_committer(log);
	pthread_mutex_unlock(&log->lock);
}

/* Whether nothing is left to do, as far as the log can be written. With the lock. */
static bool is_at_rest(const struct log *log)
{
	return log->leadership == LEADERSHIP_IDLE && !log->writer.in_flight &&
	       !writer_is_delivering(&log->writer) && batch_is_empty(log->writer.open) &&
	       !log->reopen_wanted && (log->flush_at == CLOCK_NEVER || log->writer.failing);
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

void log_end_failing(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	writer_defer_refused(&log->writer);
	pthread_mutex_unlock(&log->lock);
}

void log_warn_lost(const struct log *log)
{
	writer_warn_lost(&log->writer);
}

void log_complete(struct sink_batch *commit, int errnum)
{
	struct batch *batch = (struct batch *)commit;
	struct log *log = batch->log;
	pthread_mutex_lock(&log->lock);
	batch->result = errnum;
	wake_committer(log);
	pthread_cond_signal(&log->work); /* for writer_finish() */
	pthread_mutex_unlock(&log->lock);
}

void log_stop_committers(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	wake_committer(log);
	pthread_cond_broadcast(&log->work);
	pthread_mutex_unlock(&log->lock);
	for (int i = 0; i < log->committer_count; i++)
		pthread_join(log->committers[i], NULL);
}
