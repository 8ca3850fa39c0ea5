/* SPDX-License-Identifier: MIT */
#include "log/writer_notes.h"

#include <string.h>

#include "log/metrics.h"

/* On a disk that is nearly full a small batch still fits after a large one has failed: the log has
 * recovered after this time without a failure, so that the warnings do not alternate. */
#define WRITER_RECOVERED (1 * CLOCK_SECOND)

static struct record record_of(enum record_level level, struct slice message)
{
	return (struct record){.level = level,
			       .event = RECORD_NOTE,
			       .subject = RECORD_SERVER,
			       .bytes = message.bytes,
			       .length = message.length};
}

bool writer_add_note(struct writer *writer, struct buffer *buffer, enum record_level level,
		     struct slice message)
{
	const struct record record = record_of(level, message);
	return record_append(writer->sink->format, buffer, &writer->stamp, &record);
}

void writer_note(struct writer *writer, struct buffer *buffer, enum record_level level,
		 const char *message)
{
	const struct record record = record_of(level, slice_of(message));
	(void)writer_add_note(writer, buffer, level, slice_of(message));
	if (!record_leaves_out(writer->sink->format, RECORD_NOTE))
		return;
	struct buffer text = {0};
	if (record_append(&record_text, &text, &writer->stamp, &record))
		stdout_tee_push(writer->settings.warnings, text.bytes, text.length);
	buffer_free(&text);
}

void writer_add_summary(struct writer *writer, struct log_summary *summary, size_t since)
{
	size_t due = summary->every > since ? summary->every - since : 0;
	if (!writer->summaries || due < writer->summary_due)
		writer->summary_due = due;
	summary->next = writer->summaries;
	writer->summaries = summary;
}

void writer_end_summary(struct writer *writer, const struct log_summary *summary)
{
	struct log_summary **at = &writer->summaries;
	while (*at && *at != summary)
		at = &(*at)->next;
	if (*at)
		*at = summary->next;
}

bool writer_defer_summary(struct writer *writer, bool reopens)
{
	struct buffer *deferred = &writer->deferred, notes = {0};
	size_t before = deferred->length, every = 0;
	bool written = true;
	for (struct log_summary *at = writer->summaries; at && written; at = at->next) {
		written = at->write(at, &notes, writer->lines, reopens);
		every = at->every > every ? at->every : every;
	}
	struct slice rest = {notes.bytes, notes.length}, note;
	stamp_update(&writer->stamp);
	while (written && slice_cut(&rest, '\n', &note))
		written = writer_add_note(writer, deferred, RECORD_INFO, note);
	if (!written)
		deferred->length = before;
	size_t twice = 2 * (deferred->length - before);
	writer->summary_deferred |= written;
	writer->summary_due = twice > every ? twice : every;
	buffer_free(&notes);
	return written;
}

/* As messages have it. */
static const char *target_name(const struct writer *writer)
{
	const char *target = writer->settings.target;
	return sink_is_stdout(target) ? "stdout" : target;
}

void writer_fails(struct writer *writer, int errnum)
{
	struct error message;
	writer->failed = clock_now();
	log_metrics_fails(writer->settings.metrics, errnum);
	if (writer->failing)
		return;
	writer->failing = true;
	error_set(&message,
		  "WARNING: cannot write to %s: %s; lines are answered with an error until it "
		  "can be written",
		  target_name(writer), strerror(errnum));
	writer->settings.warn(message.message);
}

/* "N lines were answered with an error", behind some words. */
static void put_refused(struct error *message, const char *words, size_t lines)
{
	error_set(message, "%.400s; %zu line%s answered with an error", words, lines,
		  lines == 1 ? " was" : "s were");
}

void writer_defer_refused(struct writer *writer)
{
	struct error message;
	if (!writer->failing || (writer->told && !writer->refused))
		return;
	put_refused(&message, "the log could not be written", writer->refused);
	writer_note(writer, &writer->deferred, RECORD_WARNING, message.message);
	writer->told = true;
	writer->refused_before += writer->refused;
	writer->refused = 0;
}

void writer_works(struct writer *writer, const struct sink_batch *commit)
{
	struct error words, message;
	if (!writer->failing || !(commit->parts[0].iov_len + commit->parts[1].iov_len) ||
	    clock_now() - writer->failed < WRITER_RECOVERED)
		return;
	writer_defer_refused(writer);
	error_set(&words, "%s can be written again", target_name(writer));
	put_refused(&message, words.message, writer->refused_before);
	writer->settings.warn(message.message);
	writer->failing = writer->told = false;
	log_metrics_fails(writer->settings.metrics, 0);
	writer->refused_before = 0;
}

void writer_warn_lost(const struct writer *writer)
{
	struct error message;
	error_set(&message, "cannot write to %.200s: %s", target_name(writer),
		  writer->settings.sync == LOG_SYNC_NONE
			  ? "the last records are lost, and acknowledged lines can be among them"
			  : "the last notes and records of answers are lost, but no acknowledged "
			    "line");
	writer->settings.warn(message.message);
}
