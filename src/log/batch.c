/* SPDX-License-Identifier: MIT */
#include "log/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	BATCH_KEEP = 1 << 22, /* bytes of records and answers kept for the next commit */
	BATCH_KEEP_ENTRIES = 16384,
};

/* The number of the batch that is delivered before these answers of the target, 0: none. Notes this
 * batch as the target's last one. */
static uint64_t order_after(struct batch *batch, struct reply_target *target)
{
	uint64_t after = target->broadcast ? batch->number - 1 : target->batch;
	if (after >= batch->number) /* it has a place in this batch, or had one in another log */
		after = 0;
	batch->is_barrier |= target->broadcast;
	target->batch = batch->number;
	return after > batch->barrier ? after : batch->barrier;
}

/* The target's entry at the end of the batch, which grows: one send for all its answers. */
static struct batch_entry *entry_for(struct batch *batch, struct reply_target *target, size_t start,
				     const struct log_item *item)
{
	struct batch_entry *last = batch->count ? &batch->entries[batch->count - 1] : NULL;
	bool is_sent_record = item->is_sent_record || item->unrecorded;
	if (last && last->target == target && last->is_sent_record == is_sent_record &&
	    last->unrecorded == item->unrecorded && last->sender == item->sender)
		return last;
	if (batch->count == batch->capacity) {
		void *larger =
			memory_grow(batch->entries, batch->count, &batch->capacity, sizeof *last);
		if (!larger)
			return NULL;
		batch->entries = larger;
	}
	struct batch_entry *entry = &batch->entries[batch->count++];
	*entry = (struct batch_entry){.target = target,
				      .start = start,
				      .received = batch->is_timed ? clock_now() : 0,
				      .after = order_after(batch, target),
				      .after_all = target->broadcast,
				      .sender = item->sender,
				      .is_sent_record = is_sent_record,
				      .unrecorded = item->unrecorded};
	return entry;
}

static bool add_answers(struct batch *batch, struct reply_target *target,
			const struct log_item *items, size_t count)
{
	struct buffer *answers = &batch->answers;
	size_t before = answers->length, lines = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = items[i].answer_length;
		if (!length)
			continue;
		if (!buffer_reserve(answers, length + 1))
			goto failed;
		memcpy(answers->bytes + answers->length, items[i].answer, length);
		answers->length += length;
		if (!items[i].raw)
			answers->bytes[answers->length++] = '\n';
		lines++;
	}
	if (!lines)
		return true;
	struct batch_entry *entry = entry_for(batch, target, before, items);
	if (!entry)
		goto failed;
	entry->length += answers->length - before;
	entry->lines += lines;
	if (entry->unrecorded)
		batch->unrecorded += answers->length - before;
	if (target->refuse && !target->control && !entry->unrecorded)
		batch->lines += lines;
	return true;
failed:
	answers->length = before;
	return false;
}

/* Without memory it is left out: it was for information only. */
static void add_warning(struct batch *batch, const struct record_format *format,
			const struct stamp *stamp, const struct record *record)
{
	if (record->event != RECORD_NOTE || record->level != RECORD_WARNING ||
	    !record_leaves_out(format, RECORD_NOTE))
		return;
	struct record alone = *record;
	alone.before = NULL; /* that one is in another buffer */
	(void)record_append(&record_text, &batch->warnings, stamp, &alone);
}

/* The bytes of an item's record, and at most of its answer's sent record: that one has the same
 * header, but for a few bytes. */
static size_t charge_of(const struct record_format *format, const struct log_item *item,
			size_t record)
{
	enum { HEADERS_DIFFER_MAX = 16 };
	if (!item->answer_length || item->is_sent_record || record_leaves_out(format, RECORD_SENT))
		return record;
	size_t header = record > item->length ? record - item->length : 0;
	return record + header + HEADERS_DIFFER_MAX + item->answer_length;
}

static void count_item(struct batch_counts *counts, const struct log_item *item)
{
	bool received = item->event == RECORD_RECEIVED;
	counts->lines += received;
	counts->bytes += received ? item->length : 0;
	/* a warning that is answered stands in place of a line */
	counts->rejected += item->level == RECORD_WARNING && item->answer_length > 0;
}

bool batch_add(struct batch *batch, const struct record_format *format, const struct stamp *stamp,
	       struct reply_target *target, const struct log_item *items, size_t count)
{
	size_t before = batch->records.length, charge = 0;
	struct batch_counts counts = batch->counts;
	struct record_before last = {0};
	for (size_t i = 0; i < count && !items[i].unrecorded; i++) {
		size_t start = batch->records.length;
		struct record record = {.level = items[i].level,
					.event = items[i].event,
					.subject =
						items[i].subject ? items[i].subject : target->name,
					.bytes = items[i].bytes,
					.length = items[i].length,
					.fields = items[i].fields,
					.sender = items[i].sender,
					.number = items[i].number,
					.before = &last};
		if (!record_append(format, &batch->records, stamp, &record))
			goto failed;
		add_warning(batch, format, stamp, &record);
		charge += charge_of(format, &items[i], batch->records.length - start);
		count_item(&counts, &items[i]);
	}
	if (add_answers(batch, target, items, count)) {
		batch->charge += charge;
		batch->counts = counts;
		return true;
	}
failed:
	batch->records.length = before;
	return false;
}

void batch_refuse(struct sink_batch *commit, struct slice sender, uint64_t due)
{
	struct batch *batch = (struct batch *)commit;
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];
		if (!entry->sender || !slice_equals(sender, entry->sender))
			continue;
		entry->due = due;
		batch->left_out += entry->lines;
	}
}

/* Appends the bytes from offset `start` on once more. Returns false if out of memory. */
static bool repeat(struct buffer *buffer, size_t start)
{
	size_t length = buffer->length - start;
	if (!length || !buffer_reserve(buffer, length))
		return !length;
	memcpy(buffer->bytes + buffer->length, buffer->bytes + start, length);
	buffer->length += length;
	return true;
}

/* Appends a record for each answer. Out of memory: the remainder is left out; the lines themselves
 * are stored, and that is what was promised. */
static void append_sent(struct buffer *sent, const struct record_format *format,
			const struct stamp *stamp, const char *name, const char *answers,
			size_t length)
{
	const char *end = answers + length, *previous = NULL;
	size_t previous_length = 0, start = 0;
	while (answers < end) {
		const char *feed = memchr(answers, '\n', (size_t)(end - answers));
		if (!feed)
			feed = end; /* a raw answer need not end a line */
		struct record record = {.event = RECORD_SENT,
					.subject = name,
					.bytes = answers,
					.length = (size_t)(feed - answers)};
		/* one ok after the other: the same record */
		bool again = previous && previous_length == record.length &&
			     !memcmp(previous, answers, record.length);
		size_t before = sent->length;
		if (again ? !repeat(sent, start) : !record_append(format, sent, stamp, &record))
			return;
		start = before;
		previous = answers;
		previous_length = record.length;
		answers = feed < end ? feed + 1 : end;
	}
}

void batch_append_sent(struct batch *batch, const struct record_format *format,
		       const struct stamp *stamp, struct buffer *sent)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];
		struct reply_target *target = entry->target;
		if (entry->is_sent_record || entry->due)
			continue;
		entry->is_gone = target->is_gone && target->is_gone(target);
		if (!entry->is_gone && !record_leaves_out(format, RECORD_SENT))
			append_sent(sent, format, stamp, target->name,
				    batch->answers.bytes + entry->start, entry->length);
	}
}

void batch_clear(struct batch *batch)
{
	buffer_clear(&batch->deferred, BATCH_KEEP);
	buffer_clear(&batch->records, BATCH_KEEP);
	buffer_clear(&batch->answers, BATCH_KEEP);
	buffer_clear(&batch->warnings, 0);
	if (batch->capacity > BATCH_KEEP_ENTRIES) {
		free(batch->entries);
		batch->entries = NULL;
		batch->capacity = 0;
	}
	batch->count = batch->lines = batch->left_out = batch->unrecorded = batch->for_others = 0;
	batch->is_barrier = false;
}

void batch_free(struct batch *batch)
{
	buffer_free(&batch->deferred);
	buffer_free(&batch->records);
	buffer_free(&batch->answers);
	buffer_free(&batch->warnings);
	free(batch->entries);
	*batch = (struct batch){0};
}
