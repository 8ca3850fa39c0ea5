/* SPDX-License-Identifier: MIT */
#include "log/reopen.h"

#include <string.h>

#include "log/writer_notes.h"

/* The new target begins with: what the sink notes, the note of a reopened log, the summary, and
 * what was deferred if it could not be written before. It is not closed before it has more than
 * that, and as much again as its summary: a log must not consist of summaries. */
static void begin_target(struct writer *writer, const char *note, size_t summary)
{
	if (writer->sink->is_new && note && !record_leaves_out(writer->sink->format, RECORD_NOTE))
		writer_defer_first(writer, RECORD_INFO, note);
	writer_defer_note(writer);
	writer->returned = 0;
	if (!writer->sink->is_new)
		return;
	if (writer->watcher && writer->watcher->moved)
		writer->watcher->moved(writer->watcher, writer->sink->file);
	writer->rotation_due =
		strlen(writer->settings.format->header) + writer->deferred.length + summary + 1;
}

/* Calls the sink with the summary deferred, and begins the target that it has then. If that fails
 * the summary is taken back. */
static int change(struct writer *writer, int (*call)(struct sink *, struct error *),
		  const char *note, struct error *error)
{
	size_t deferred = writer->deferred.length, due = writer->summary_due;
	bool was_deferred = writer->summary_deferred;
	if (writer->summaries && !writer_defer_summary(writer, true))
		return error_set(error, "cannot reopen the log: out of memory");
	size_t summary = writer->deferred.length - deferred;
	writer->sink->is_new = false;
	if (call(writer->sink, error) == 0) {
		begin_target(writer, note, summary);
		return 0;
	}
	writer->deferred.length = deferred;
	writer->summary_due = due;
	writer->summary_deferred = was_deferred;
	return -1;
}

/* Goes on with the old target. */
static void tell_failure(struct writer *writer, const struct error *error)
{
	struct error message;
	error_set(&message, "WARNING: %s; going on with the old file", error->message);
	/* the record has its level before it */
	writer_note(writer, &writer->deferred, RECORD_WARNING,
		    message.message + strlen("WARNING: "));
	writer->settings.warn(message.message);
}

void writer_reopen(struct writer *writer)
{
	struct error error;
	const char *note = writer->reopen_note;
	if (!writer->sink->type->reopen)
		return;
	pthread_mutex_unlock(writer->lock);
	stamp_update(&writer->stamp);
	if (change(writer, writer->sink->type->reopen, note, &error) < 0)
		tell_failure(writer, &error);
	pthread_mutex_lock(writer->lock);
}

void writer_rotate(struct writer *writer)
{
	struct error error;
	const char *note = writer->reopen_note;
	pthread_mutex_unlock(writer->lock);
	stamp_update(&writer->stamp);
	bool done = change(writer, writer->sink->type->rotate, note, &error) == 0;
	if (!done && !writer->rotation_fails)
		tell_failure(writer, &error);
	writer->rotation_fails = !done;
	pthread_mutex_lock(writer->lock);
}
