/* SPDX-License-Identifier: MIT */
#include "log/writer.h"

#include <string.h>
#include <sys/resource.h>

#include "log/metrics.h"
#include "log/watch.h"
#include "log/writer_notes.h"

/* A commit counts no longer than this, so that one that was interrupted does not make all slow. */
enum { WRITER_TOOK_WEIGHT = 8 }; /* of the average: commits */
#define WRITER_TOOK_MAX (4 * WRITER_SLOW)

/* --- deferred records; as leader --- */

static void swap(struct buffer *one, struct buffer *other)
{
	struct buffer kept = *one;
	*one = *other;
	*other = kept;
}

/* Puts records before those that are deferred, behind those returned already. Out of memory: they
 * are left out: false. They are notes and sent records: at -sync none, where lines are deferred
 * too, nothing is in flight beside a batch that fails, so that its records meet no others. */
static bool return_records(struct writer *writer, struct buffer *records)
{
	struct buffer *deferred = &writer->deferred;
	size_t length = records->length;
	if (!deferred->length) {
		swap(deferred, records);
	} else if (length && buffer_reserve(deferred, length)) {
		char *place = deferred->bytes + writer->returned;
		memmove(place + length, place, deferred->length - writer->returned);
		memcpy(place, records->bytes, length);
		deferred->length += length;
	} else {
		return false;
	}
	writer->returned += length;
	return true;
}

void writer_defer_first(struct writer *writer, enum record_level level, const char *message)
{
	struct buffer note = {0};
	size_t returned = writer->returned;
	stamp_update(&writer->stamp);
	writer_note(writer, &note, level, message);
	writer->returned = 0;
	(void)return_records(writer, &note); /* without memory it is left out */
	writer->returned += returned;
	buffer_free(&note);
}

void writer_defer_note(struct writer *writer)
{
	struct sink *sink = writer->sink;
	if (sink->note)
		writer_defer_first(writer, sink->note_level, sink->note);
	sink->note = NULL;
}

/* --- settling; as leader, without the lock --- */

static void show_text(struct writer *writer, const char *bytes, size_t length)
{
	stdout_tee_push(writer->settings.tee, bytes, length);
	if (writer->settings.metrics)
		recent_push(&writer->settings.metrics->recent, bytes, length);
}

static void show(struct writer *writer, const struct buffer *records)
{
	if (!writer->sink->type->structured) {
		show_text(writer, records->bytes, records->length);
		return;
	}
	const struct sink_record *record;
	for (size_t at = 0; at < records->length; at += record->size) {
		record = (const void *)(records->bytes + at);
		show_text(writer, (const char *)record + record->text_start, record->text_length);
	}
}

static void settle_stored(struct writer *writer, struct batch *batch)
{
	show(writer, &batch->deferred);
	show(writer, &batch->records);
	/* the next deferred records go where these were, which is in the caches */
	batch->deferred.length = 0;
	if (!writer->deferred.length)
		swap(&batch->deferred, &writer->deferred);
	batch_append_sent(batch, writer->sink->format, &writer->stamp, &writer->deferred);
	size_t stored = batch->commit.stored, due = writer->summary_due;
	if (batch->records.length) /* else they are counted already */
		writer->lines += batch->counts.lines;
	writer->summary_due = due > stored ? due - stored : 0;
	writer->rotation_due -= stored < writer->rotation_due ? stored : writer->rotation_due;
	writer->summary_deferred &= !batch->commit.durable;
	watch_settled(writer, batch, batch->commit.stored);
	log_metrics_settled(writer->settings.metrics, batch, 0);
	writer_defer_note(writer);
	writer->returned = 0;
	writer_works(writer, &batch->commit);
}

static void settle_failed(struct writer *writer, struct batch *batch)
{
	if (batch->commit.unknown) /* the sink has them */
		batch->deferred.length = 0;
	if (return_records(writer, &batch->deferred))
		writer->queued += batch->queued;
	else
		writer->lines -= batch->queued;
	watch_settled(writer, batch, 0);
	log_metrics_settled(writer->settings.metrics, batch, writer->errnum);
	writer_defer_note(writer);
	writer_fails(writer, writer->errnum);
	writer->refused += batch->lines;
}

/* Puts a batch into the queue. */
static struct batch *enqueue(struct writer *writer, struct batch *batch)
{
	writer->queue[writer->in_flight++] = batch;
	batch->commit.unknown = false;
	atomic_init(&batch->result, SINK_PENDING); /* the sink publishes the batch */
	return batch;
}

/* Puts the open batch into the queue. With the lock. */
static struct batch *enqueue_open(struct writer *writer)
{
	struct batch *batch = writer->open;
	writer->open = delivery_take_next(&writer->delivery, batch);
	return enqueue(writer, batch);
}

/* Takes the oldest batch off the queue, to be delivered. */
static void dequeue(struct writer *writer)
{
	struct batch *batch = writer->queue[0];
	int left = --writer->in_flight;
	for (int i = 0; i < left; i++)
		writer->queue[i] = writer->queue[i + 1];
	batch->next = NULL;
	*writer->settled_end = batch;
	writer->settled_end = &batch->next;
}

/* A batch fails, as all of the queue do from the first one on. If it has lines, the open batch is
 * made to fail too, once, so that no later line of a connection is stored. The first may have none,
 * and lose nothing. */
static void fail(struct writer *writer, const struct batch *batch)
{
	if (!writer->errnum)
		writer->errnum = batch->result;
	if (writer->open_refused || batch_is_empty(batch))
		return;
	writer->open_refused = true;
	pthread_mutex_lock(writer->lock);
	writer->failures++;
	if (!batch_is_empty(writer->open))
		enqueue_open(writer)->result = writer->errnum;
	pthread_mutex_unlock(writer->lock);
}

static void settle_completed(struct writer *writer)
{
	while (writer_has_completed(writer)) {
		struct batch *batch = writer->queue[0];
		if (batch->result || writer->errnum) {
			fail(writer, batch);
			settle_failed(writer, batch);
		} else {
			settle_stored(writer, batch);
		}
		batch->refused = writer->errnum;
		dequeue(writer);
		if (!writer->errnum || writer->in_flight)
			continue;
		writer->errnum = 0;
		writer->open_refused = false;
		writer->returned = 0;
		if (writer->sink->type->resume)
			writer->sink->type->resume(writer->sink);
	}
}

/* --- for log.c --- */

int writer_open(struct writer *writer, struct error *error)
{
	const struct log_settings *settings = &writer->settings;
	writer->sink = sink_open(settings, error);
	if (!writer->sink)
		return -1;
	if (writer->sink->type->stores_first && settings->sync == LOG_SYNC_NONE)
		writer->settings.sync = LOG_SYNC_WRITE;
	/* at -sync none the records of one batch at most come back from the sink: see
	 * return_records() */
	writer->in_flight_max = settings->sync == LOG_SYNC_NONE ? 1 : writer->sink->in_flight;
	if (settings->sync == LOG_SYNC_DISK) {
		writer->took = WRITER_TOOK_MAX;
		writer->watched = WRITER_TOOK_WEIGHT;
	}
	delivery_open(&writer->delivery, writer->lock, writer->in_flight_max, settings->metrics);
	writer->open = delivery_take_next(&writer->delivery, NULL);
	writer->settled_end = &writer->settled;
	writer_defer_note(writer);
	writer->returned = 0;
	stdout_tee_push(settings->tee, settings->format->header, strlen(settings->format->header));
	return 0;
}

void writer_close(struct writer *writer)
{
	if (writer->sink)
		writer->sink->type->close(writer->sink);
	delivery_close(&writer->delivery);
	buffer_free(&writer->deferred);
}

/* At -sync none an ok means "queued": the records are deferred and the answers delivered. After a
 * write error, or out of memory, the batch is written before it is answered: no further line is
 * promised. */
static void queue_records(struct writer *writer, struct batch *batch)
{
	struct buffer *records = &batch->records;
	if (writer->failing || !buffer_append(&writer->deferred, records->bytes, records->length))
		return;
	writer->lines += batch->counts.lines;
	writer->queued += batch->counts.lines;
	batch_append_sent(batch, writer->sink->format, &writer->stamp, &writer->deferred);
	batch->refused = 0;
	delivery_run(&writer->delivery, batch);
	batch_clear(batch);
	pthread_mutex_lock(writer->lock);
	delivery_end(&writer->delivery, batch);
	pthread_mutex_unlock(writer->lock);
}

/* How often the calling thread has slept. Having to wait for a CPU does not count. */
static long sleeps(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_THREAD, &usage); /* cannot fail */
	return usage.ru_nvcsw;
}

/* Has the sink store a batch, and learns how long it takes. A thread that did not sleep in it has
 * not waited for the sink, and the commit counts as quick, whatever time passed: then the CPUs are
 * busy. Sleeps are counted for some commits after a long one, so that quick ones make no call for
 * it. At -sync disk deferred records alone say nothing, as they are not synced. */
static int submit_to_sink(struct writer *writer, struct batch *batch)
{
	bool watched = writer->watched > 0;
	long slept = watched ? sleeps() : 0;
	int64_t before = clock_now();
	int result = writer->sink->type->submit(writer->sink, &batch->commit);
	int64_t took = clock_now() - before;
	if (!batch->commit.durable && writer->settings.sync == LOG_SYNC_DISK)
		return result;
	if (took < WRITER_SLOW) {
		writer->watched -= watched;
	} else {
		writer->watched = WRITER_TOOK_WEIGHT;
		if (!watched || sleeps() == slept)
			took = 0;
	}
	if (took > WRITER_TOOK_MAX)
		took = WRITER_TOOK_MAX;
	writer->took += (took - writer->took) / WRITER_TOOK_WEIGHT;
	return result;
}

/* Stores a batch that is in the queue, and settles what is completed. Drops the lock for a while.
 */
static void submit(struct writer *writer, struct batch *batch)
{
	pthread_mutex_unlock(writer->lock);
	stamp_update(&writer->stamp);
	stdout_tee_push(writer->settings.warnings, batch->warnings.bytes, batch->warnings.length);
	if (writer->settings.sync == LOG_SYNC_NONE)
		queue_records(writer, batch);
	swap(&batch->deferred, &writer->deferred);
	batch->queued = writer->queued;
	writer->queued = 0;
	batch->commit.parts[0] = (struct iovec){batch->deferred.bytes, batch->deferred.length};
	batch->commit.parts[1] = (struct iovec){batch->records.bytes, batch->records.length};
	batch->commit.stored = 0;
	batch->submitted = log_metrics_now(writer->settings.metrics);
	/* deferred records alone are not answered */
	batch->commit.durable = writer->settings.sync == LOG_SYNC_DISK &&
				(batch->records.length || writer->summary_deferred);
	int result = submit_to_sink(writer, batch);
	if (result != SINK_PENDING)
		atomic_init(&batch->result, result);
	settle_completed(writer);
	pthread_mutex_lock(writer->lock);
}

void writer_commit(struct writer *writer)
{
	submit(writer, enqueue_open(writer));
}

void writer_commit_deferred(struct writer *writer)
{
	if (writer->deferred.length)
		submit(writer, enqueue(writer, delivery_take(&writer->delivery)));
}

bool writer_finish(struct writer *writer, pthread_cond_t *completed)
{
	writer_defer_refused(writer); /* no later record can say it */
	writer_commit_deferred(writer);
	while (writer->in_flight) {
		if (!writer_has_completed(writer))
			pthread_cond_wait(completed, writer->lock);
		else
			writer_settle(writer);
	}
	if (writer->deferred.length)
		writer_warn_lost(writer);
	return !writer->deferred.length;
}

void writer_settle(struct writer *writer)
{
	pthread_mutex_unlock(writer->lock);
	settle_completed(writer);
	pthread_mutex_lock(writer->lock);
}

struct batch *writer_take_settled(struct writer *writer)
{
	struct batch *settled = writer->settled;
	writer->settled = NULL;
	writer->settled_end = &writer->settled;
	return settled;
}

void writer_deliver(struct writer *writer, struct batch **settled)
{
	while (*settled) {
		struct batch *batch = *settled;
		*settled = batch->next;
		pthread_mutex_unlock(writer->lock);
		delivery_run(&writer->delivery, batch);
		batch_clear(batch);
		pthread_mutex_lock(writer->lock);
		delivery_return(&writer->delivery, batch);
	}
}

void writer_summarise(struct writer *writer)
{
	pthread_mutex_unlock(writer->lock);
	(void)writer_defer_summary(writer, false); /* out of memory: the one before is still true */
	pthread_mutex_lock(writer->lock);
}
