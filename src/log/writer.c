/* SPDX-License-Identifier: MIT */
#include "log/writer.h"

#include <string.h>

#include "base/clock.h"

enum { WRITER_KEEP = 1 << 21 }; /* bytes of deferred records kept for the next commit */

/* On a disk that is nearly full a small batch still fits after a large one has failed: the log has
 * recovered after this time without a failure, so that the warnings do not alternate. */
#define WRITER_RECOVERED (1 * CLOCK_SECOND)

static void append_note(struct writer *writer, struct record_list *list, const char *message)
{
	struct record record = {.level = RECORD_WARNING,
				.event = RECORD_NOTE,
				.subject = RECORD_SERVER,
				.bytes = message,
				.length = strlen(message)};
	/* out of memory: it was for information only */
	(void)record_list_add(list, &writer->stamp, &record);
}

static void swap(struct record_list *one, struct record_list *other)
{
	struct record_list kept = *one;
	*one = *other;
	*other = kept;
}

/* Puts records before those that are deferred, and clears `first`. Out of memory: it is left out.
 * Those are notes and sent records: at -sync none, where lines are deferred too, nothing is in
 * flight beside a batch that fails, so that its records meet no others. */
static void defer_first(struct writer *writer, struct record_list *first)
{
	swap(&writer->deferred, first);
	if (!record_list_append(&writer->deferred, first))
		swap(&writer->deferred, first);
	record_list_clear(first, WRITER_KEEP);
}

/* Records what the sink has found when it opened its target. */
static void defer_warning(struct writer *writer)
{
	if (!writer->sink->warning)
		return;
	stamp_update(&writer->stamp);
	append_note(writer, &writer->returned, writer->sink->warning);
	writer->sink->warning = NULL;
	defer_first(writer, &writer->returned);
}

int writer_open(struct writer *writer, struct error *error)
{
	writer->sink = sink_open(&writer->settings, error);
	if (!writer->sink)
		return -1;
	writer->deferred.format = writer->returned.format = writer->settings.format;
	writer->deferred.structured = writer->returned.structured = writer->sink->type->structured;
	defer_warning(writer);
	const char *header = writer->settings.format->header;
	if (writer->tee)
		stdout_tee_push(writer->tee, header, strlen(header));
	return 0;
}

void writer_close(struct writer *writer)
{
	if (writer->sink)
		writer->sink->type->close(writer->sink);
	record_list_free(&writer->deferred);
	record_list_free(&writer->returned);
}

int writer_in_flight(const struct writer *writer)
{
	return writer->sync == LOG_SYNC_NONE ? 1 : writer->sink->in_flight;
}

/* At -sync none an ok means "queued": the answers go first. There must be space for the records in
 * the deferred ones. */
static void deliver_queued(struct writer *writer, struct batch *batch)
{
	struct record_list *sent = &batch->deferred; /* empty until the batch is submitted */
	batch_deliver(batch, NULL, &writer->stamp, sent);
	(void)record_list_append(&writer->deferred, &batch->records); /* has space */
	/* out of memory: the lines are there, and that is what was promised */
	(void)record_list_append(&writer->deferred, sent);
	record_list_clear(sent, WRITER_KEEP);
	batch_clear(batch);
}

int writer_submit(struct writer *writer, struct batch *batch)
{
	struct sink_batch *commit = &batch->commit;
	stamp_update(&writer->stamp);
	/* At -sync none, after a write error or without memory to queue in, write before answering:
	 * no more is promised than what is queued already. */
	if (writer->sync == LOG_SYNC_NONE && !writer->failing &&
	    record_list_reserve(&writer->deferred, &batch->records))
		deliver_queued(writer, batch);
	swap(&batch->deferred, &writer->deferred);
	if (record_list_is_empty(&batch->deferred) && record_list_is_empty(&batch->records))
		return 0;
	const struct record_list *parts[SINK_PARTS] = {&batch->deferred, &batch->records};
	for (int i = 0; i < SINK_PARTS; i++) {
		commit->text[i] = (struct iovec){parts[i]->text.bytes, parts[i]->text.length};
		commit->records[i] =
			(struct iovec){parts[i]->fields.bytes, parts[i]->fields.length};
	}
	/* deferred records alone are not answered */
	commit->durable = writer->sync == LOG_SYNC_DISK && !record_list_is_empty(&batch->records);
	commit->stored = 0;
	return writer->sink->type->submit(writer->sink, commit);
}

void writer_defer_refused(struct writer *writer)
{
	struct error message;
	error_set(&message, "the log could not be written; %zu lines were answered with an error",
		  writer->refused);
	append_note(writer, &writer->deferred, message.message);
}

static void begin_failing(struct writer *writer, int errnum)
{
	struct error message;
	writer->failed = clock_now();
	if (writer->failing)
		return;
	writer->failing = true;
	error_set(&message,
		  "WARNING: cannot write to %s: %s; lines are answered with an error until it "
		  "can be written",
		  writer->settings.target, strerror(errnum));
	writer->warn(message.message);
}

/* The log can be written again: warns of it once it is likely to stay so. */
static void end_failing(struct writer *writer)
{
	struct error message;
	if (!writer->failing || clock_now() - writer->failed < WRITER_RECOVERED)
		return;
	writer_defer_refused(writer);
	error_set(&message, "%s can be written again; %zu lines were answered with an error",
		  writer->settings.target, writer->refused);
	writer->warn(message.message);
	writer->failing = false;
	writer->refused = 0;
}

static void settle_stored(struct writer *writer, struct batch *batch)
{
	const struct buffer *deferred = &batch->deferred.text, *records = &batch->records.text;
	if (record_list_is_empty(&batch->deferred) && record_list_is_empty(&batch->records))
		return;
	if (writer->tee) {
		stdout_tee_push(writer->tee, deferred->bytes, deferred->length);
		stdout_tee_push(writer->tee, records->bytes, records->length);
	}
	if (writer->on_committed)
		writer->on_committed(writer->context, batch->commit.stored);
	record_list_clear(&batch->deferred, WRITER_KEEP);
	end_failing(writer);
}

static void settle_failed(struct writer *writer, struct batch *batch, int errnum)
{
	if (record_list_is_empty(&writer->returned))
		swap(&writer->returned, &batch->deferred);
	/* out of memory: as in defer_first() */
	(void)record_list_append(&writer->returned, &batch->deferred);
	record_list_clear(&batch->deferred, WRITER_KEEP);
	begin_failing(writer, errnum);
	writer->refused += batch->lines;
}

void writer_settle(struct writer *writer, struct batch *batch, int errnum)
{
	writer->errnum = errnum;
	if (errnum)
		settle_failed(writer, batch, errnum);
	else
		settle_stored(writer, batch);
	batch_deliver(batch, errnum ? strerror(errnum) : NULL, &writer->stamp, &writer->deferred);
}

void writer_resume(struct writer *writer)
{
	defer_first(writer, &writer->returned);
	if (writer->sink->type->resume)
		writer->sink->type->resume(writer->sink);
}

void writer_reopen(struct writer *writer)
{
	struct error error, message;
	const struct sink_type *type = writer->sink->type;
	if (!type->reopen)
		return;
	stamp_update(&writer->stamp);
	if (type->reopen(writer->sink, &error) == 0) {
		defer_warning(writer);
		return;
	}
	error_set(&message, "WARNING: %s; going on with the old file", error.message);
	/* the record has its level before it */
	append_note(writer, &writer->deferred, message.message + strlen("WARNING: "));
	writer->warn(message.message);
}
