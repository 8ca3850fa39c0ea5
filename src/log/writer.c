/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "log/writer.h"
#include "log/stdout_tee.h"

/* On a disk that is nearly full a small batch still fits after a large one has failed: only after
 * this time without a failure the log counts as healed, so that the warnings don't alternate. */
#define LOG_HEALED (1 * CLOCK_SECOND)

static void append_note(struct log *log, struct buffer *text, const struct stamp *stamp,
			enum record_level level, const char *words)
{
	struct record record = {.level = level,
				.event = RECORD_NOTE,
				.subject = RECORD_SERVER,
				.bytes = words,
				.length = strlen(words)};
	/* out of memory: it was for information only */
	(void)log->settings.format->append(text, stamp, &record);
}

static void began_failing(struct log *log, int errnum)
{
	struct error words;
	log->failed = clock_now();
	if (log->failing)
		return;
	log->failing = true;
	error_set(&words,
		  "WARNING: cannot write to %s: %s; lines are answered with an error until it "
		  "can be written",
		  log->settings.target, strerror(errnum));
	log->settings.warn(words.message);
}

void log_store_unlogged(struct log *log)
{
	struct error words;
	error_set(&words, "the log could not be written; %zu lines were answered with an error",
		  log->unlogged);
	append_note(log, &log->carry, &log->sent_stamp, RECORD_WARNING, words.message);
}

/* The log can be written again: says so, once it is likely to stay so. */
static void ended_failing(struct log *log)
{
	struct error words;
	if (!log->failing || clock_now() - log->failed < LOG_HEALED)
		return;
	log_store_unlogged(log);
	error_set(&words, "%s can be written again; %zu lines were answered with an error",
		  log->settings.target, log->unlogged);
	log->settings.warn(words.message);
	log->failing = false;
	log->unlogged = 0;
}

int log_store(struct log *log, const struct buffer *records, bool durable)
{
	const char *header = log->sink->fresh ? log->settings.format->header : "";
	struct iovec parts[] = {{(char *)(uintptr_t)header, strlen(header)}, /* only read */
				{log->carry.bytes, log->carry.length},
				{records->bytes, records->length}};
	if (!log->carry.length && !records->length)
		return 0;
	int errnum = log->sink->type->commit(log->sink, parts, 3, durable);
	if (errnum) {
		began_failing(log, errnum);
		return errnum;
	}
	if (log->settings.tee) {
		stdout_tee_push(log->settings.tee, log->carry.bytes, log->carry.length);
		stdout_tee_push(log->settings.tee, records->bytes, records->length);
	}
	if (log->stored)
		log->stored(log->stored_context,
			    parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
	log->carry.length = 0;
	ended_failing(log);
	return 0;
}

int log_store_carry(struct log *log)
{
	static const struct buffer nothing;
	return log_store(log, &nothing, false);
}

void log_store_reopen(struct log *log)
{
	struct error error, words;
	stamp_update(&log->sent_stamp);
	(void)log_store_carry(log); /* on an error the carry goes to the new file */
	if (log->sink->type->reopen(log->sink, &error) == 0) {
		log_store_torn(log);
		return;
	}
	error_set(&words, "WARNING: %s; going on with the old file", error.message);
	append_note(log, &log->carry, &log->sent_stamp, RECORD_WARNING,
		    words.message + strlen("WARNING: ")); /* the record has its level before it */
	log->settings.warn(words.message);
}

/* A crash has left half a record: its line is ended, and the next record says what it is. A quote
 * left open would make the records below part of it, for whoever reads CSV. */
void log_store_torn(struct log *log)
{
	if (!log->sink->torn)
		return;
	struct buffer waiting = log->carry;
	log->carry = (struct buffer){0};
	stamp_update(&log->sent_stamp);
	bool quoted = log->settings.format->quotes && log->sink->open_quote;
	/* out of memory: the torn line joins the next record */
	(void)buffer_append_string(&log->carry, quoted ? "\"\n" : "\n");
	append_note(log, &log->carry, &log->sent_stamp, RECORD_WARNING,
		    "the line before this one is torn: the server was stopped while it wrote it");
	(void)buffer_append(&log->carry, waiting.bytes, waiting.length);
	buffer_free(&waiting);
	log->sink->torn = false;
}
