/* SPDX-License-Identifier: MIT */
#include "log/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	BATCH_KEEP = 1 << 22, /* bytes of records and answers kept for the next commit */
	BATCH_KEEP_ENTRIES = 16384,
};

/* The recipient's entry at the end of the batch, which grows: one send for all its answers. */
static struct batch_entry *entry_for(struct batch *batch, struct reply_target *recipient,
				     size_t start, bool is_sent_record)
{
	struct batch_entry *last = batch->count ? &batch->entries[batch->count - 1] : NULL;
	if (last && last->recipient == recipient && last->is_sent_record == is_sent_record)
		return last;
	struct batch_entry *entries =
		memory_grow(batch->entries, batch->count, &batch->capacity, sizeof *entries);
	if (!entries)
		return NULL;
	batch->entries = entries;
	struct batch_entry *entry = &batch->entries[batch->count++];
	*entry = (struct batch_entry){
		.recipient = recipient, .start = start, .is_sent_record = is_sent_record};
	return entry;
}

static bool add_answers(struct batch *batch, struct reply_target *recipient,
			const struct log_item *items, size_t count)
{
	size_t before = batch->answers.length, lines = 0;
	for (size_t i = 0; i < count; i++) {
		if (!items[i].answer_length)
			continue;
		if (!buffer_append(&batch->answers, items[i].answer, items[i].answer_length) ||
		    (!items[i].raw && !buffer_append(&batch->answers, "\n", 1)))
			goto failed;
		lines++;
	}
	if (!lines)
		return true;
	struct batch_entry *entry = entry_for(batch, recipient, before, items[0].is_sent_record);
	if (!entry)
		goto failed;
	entry->length += batch->answers.length - before;
	entry->lines += lines;
	batch->lines += recipient->refuse && !recipient->control ? lines : 0;
	return true;
failed:
	batch->answers.length = before;
	return false;
}

bool batch_add(struct batch *batch, const struct record_format *format, const struct stamp *stamp,
	       struct reply_target *recipient, const struct log_item *items, size_t count)
{
	size_t before = batch->records.length;
	for (size_t i = 0; i < count; i++) {
		struct record record = {.level = items[i].level,
					.event = items[i].event,
					.subject = recipient->name,
					.bytes = items[i].bytes,
					.length = items[i].length,
					.fields = items[i].fields};
		if (!format->append(&batch->records, stamp, &record))
			goto failed;
	}
	if (add_answers(batch, recipient, items, count))
		return true;
failed:
	batch->records.length = before;
	return false;
}

/* A record for each answer; where memory runs out the rest is left out: the lines themselves are in
 * the log, and that is what was promised. */
static void append_sent(struct buffer *sent, const struct record_format *format,
			const struct stamp *stamp, const char *name, const char *answers,
			size_t length)
{
	const char *end = answers + length, *previous = NULL;
	size_t previous_length = 0, start = 0;
	while (answers < end) {
		const char *feed = memchr(answers, '\n', (size_t)(end - answers));
		if (!feed)
			feed = end; /* an exact answer need not end a line */
		struct record record = {.event = RECORD_SENT,
					.subject = name,
					.bytes = answers,
					.length = (size_t)(feed - answers)};
		/* one ok after the other: the same record */
		bool again = previous && previous_length == record.length &&
			     !memcmp(previous, answers, record.length);
		size_t before = sent->length;
		if (again ? !buffer_repeat(sent, start, before - start)
			  : !format->append(sent, stamp, &record))
			return;
		start = before;
		previous = answers;
		previous_length = record.length;
		answers = feed < end ? feed + 1 : end;
	}
}

/* Releases answers whose records are stored, and adds the records that say so. */
static void release_stored(const struct batch_entry *entry, const char *answers,
			   const struct record_format *format, const struct stamp *stamp,
			   struct buffer *sent)
{
	/* first the record, then the release, after which the recipient may be gone */
	size_t before = sent->length;
	const struct reply_target recipient = *entry->recipient;
	if (!entry->is_sent_record)
		append_sent(sent, format, stamp, recipient.name, answers, entry->length);
	if (recipient.deliver(entry->recipient, answers, entry->length, entry->lines))
		return;
	sent->length = before;
	if (recipient.on_undelivered)
		recipient.on_undelivered(recipient.context, answers, entry->length);
}

/* The records could not be stored. No record: a line that is not in the log has none for its answer
 * either. */
static void release_failed(const struct batch_entry *entry, const char *answers, const char *reason)
{
	const struct reply_target recipient = *entry->recipient;
	if (recipient.on_undelivered)
		recipient.on_undelivered(recipient.context, answers, entry->length);
	if (recipient.refuse)
		recipient.refuse(entry->recipient, reason, entry->lines);
}

void batch_release(const struct batch *batch, const char *reason,
		   const struct record_format *format, const struct stamp *stamp,
		   struct buffer *sent)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		const char *answers = batch->answers.bytes + entry->start;
		if (reason)
			release_failed(entry, answers, reason);
		else
			release_stored(entry, answers, format, stamp, sent);
	}
}

void batch_clear(struct batch *batch)
{
	buffer_clear(&batch->records, BATCH_KEEP);
	buffer_clear(&batch->answers, BATCH_KEEP);
	if (batch->capacity > BATCH_KEEP_ENTRIES) {
		free(batch->entries);
		batch->entries = NULL;
		batch->capacity = 0;
	}
	batch->count = batch->lines = 0;
}

void batch_free(struct batch *batch)
{
	buffer_free(&batch->records);
	buffer_free(&batch->answers);
	free(batch->entries);
	*batch = (struct batch){0};
}
