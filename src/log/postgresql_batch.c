/* SPDX-License-Identifier: MIT */
#include "log/postgresql_batch.h"

#include <stdlib.h>
#include <string.h>

#include "log/postgresql_array.h"
#include "once/fnv.h"
#include "record/postgresql.h"

enum {
	MICROSECONDS = 1000000,
	EPOCH = 946684800, /* of PostgreSQL, 2000-01-01: seconds since that of Unix */
	KEPT = 1 << 22,	   /* bytes of a column that are kept for the next batch */
};

enum column { TIME, LEVEL, EVENT, PEER, CERTIFICATE, SENDER, NUMBER, BYTES, ROW_COLUMNS };
/* and of the senders that have lines among them */
enum { SENDER_NAME = ROW_COLUMNS, SENDER_FIRST, SENDER_LAST, SENDER_HASH, SENDER_BEGINS };

static const enum postgresql_type types[POSTGRESQL_COLUMNS] = {
	POSTGRESQL_TIMESTAMPTZ, POSTGRESQL_TEXT, POSTGRESQL_TEXT,  POSTGRESQL_TEXT, POSTGRESQL_TEXT,
	POSTGRESQL_TEXT,	POSTGRESQL_INT8, POSTGRESQL_BYTEA, POSTGRESQL_TEXT, POSTGRESQL_INT8,
	POSTGRESQL_INT8,	POSTGRESQL_INT8, POSTGRESQL_BOOL};

/* Lines of a sender that follow each other. */
struct sender_lines {
	struct slice name, last_line;
	int64_t first, last;
	bool begins; /* though it has no lines, and the first number is above 1 */
};

static const char *const level_names[] = {"INFO", "WARNING"};
static const char *const event_names[] = {"received", "sent", "ignored", "note"};

/* Takes the next bytes of a record. */
static struct slice take(const char **at, size_t length)
{
	struct slice slice = {*at, length};
	*at += length;
	return slice;
}

/* Adds a line to those of its sender. */
static bool add_numbered(struct postgresql_batch *batch, struct slice name, int64_t number,
			 bool begins, struct slice line)
{
	struct buffer *senders = &batch->senders;
	struct sender_lines one = {name, line, number, number, begins}, *last;
	if (senders->length) {
		last = (void *)(senders->bytes + senders->length - sizeof one);
		if (slice_same(last->name, name) && last->last + 1 == number) {
			last->last = number;
			last->last_line = line;
			return true;
		}
	}
	return buffer_append(senders, &one, sizeof one);
}

static int compare(const void *left, const void *right)
{
	const struct sender_lines *one = left, *other = right;
	size_t a = one->name.length, b = other->name.length;
	int names = memcmp(one->name.bytes, other->name.bytes, a < b ? a : b);
	if (names || a != b)
		return names ? names : a < b ? -1 : 1;
	return one->first < other->first ? -1 : one->first > other->first;
}

/* In the order of their names, as each server takes them: so none waits for another that waits for
 * it. */
static bool add_senders(struct postgresql_batch *batch)
{
	struct buffer *columns = batch->columns;
	struct sender_lines *at = (void *)batch->senders.bytes;
	size_t count = batch->senders.length / sizeof *at;
	bool added = true;
	if (count)
		qsort(at, count, sizeof *at, compare);
	for (size_t i = 0, next; i < count && added; i = next) {
		int64_t first = at[i].first;
		struct slice begins = {at[i].begins ? "\1" : "\0", 1};
		for (next = i + 1; next < count && slice_same(at[i].name, at[next].name); next++)
			continue;
		const struct sender_lines *last = &at[next - 1];
		uint64_t hash = fnv1a_64(last->last_line.bytes, last->last_line.length);
		batch->sender_count++;
		added = postgresql_array_add(&columns[SENDER_NAME], last->name) &&
			postgresql_array_add_number(&columns[SENDER_FIRST], first) &&
			postgresql_array_add_number(&columns[SENDER_LAST], last->last) &&
			postgresql_array_add_number(&columns[SENDER_HASH], (int64_t)hash) &&
			postgresql_array_add(&columns[SENDER_BEGINS], begins);
	}
	return added;
}

/* What the service adds; fields without a column are left out. */
static bool add_fields(struct postgresql_batch *batch, const struct sink_record *record,
		       const char *at, struct slice line)
{
	struct slice sender = {0};
	uint64_t number = 0;
	bool numbered = false, begins = false;
	for (size_t i = 0; i < record->field_count; i++) {
		struct slice value = take(&at, record->fields[i].length);
		if (!strcmp(record->fields[i].name, RECORD_SENDER))
			sender = value;
		else if (!strcmp(record->fields[i].name, RECORD_NUMBER))
			numbered = slice_number(&value, &number) && number <= INT64_MAX;
		else if (!strcmp(record->fields[i].name, RECORD_BEGINS))
			begins = true;
	}
	batch->stored += sender.length;
	numbered &= number > 0;
	if (numbered && !add_numbered(batch, sender, (int64_t)number, begins, line))
		return false;
	return postgresql_array_add(&batch->columns[SENDER], sender) &&
	       (numbered ? postgresql_array_add_number(&batch->columns[NUMBER], (int64_t)number)
			 : postgresql_array_add(&batch->columns[NUMBER], (struct slice){0}));
}

static bool add_row(struct postgresql_batch *batch, const struct sink_record *record)
{
	const char *at = sink_record_bytes(record);
	struct slice subject = take(&at, record->subject_length), peer = subject, certificate = {0};
	struct slice bytes = take(&at, record->length);
	struct buffer *columns = batch->columns;
	/* ADDRESS (CERTIFICATE) */
	if (slice_cut(&subject, ' ', &peer) && slice_skip(&subject, "("))
		(void)slice_cut(&subject, ')', &certificate);
	batch->rows++;
	batch->stored += peer.length + certificate.length + bytes.length;
	return postgresql_array_add_number(&columns[TIME], (record->second - EPOCH) * MICROSECONDS +
								   record->microsecond) &&
	       postgresql_array_add(&columns[LEVEL], slice_of(level_names[record->level])) &&
	       postgresql_array_add(&columns[EVENT], slice_of(event_names[record->event])) &&
	       postgresql_array_add(&columns[PEER], peer) &&
	       postgresql_array_add(&columns[CERTIFICATE], certificate) &&
	       postgresql_array_add(&columns[BYTES], bytes) && add_fields(batch, record, at, bytes);
}

static bool add_part(struct postgresql_batch *batch, const struct iovec *part)
{
	const char *at = part->iov_base, *end = at + part->iov_len;
	bool added = true;
	while (at < end && added) {
		const struct sink_record *record = (const void *)at;
		added = add_row(batch, record);
		at += record->size;
	}
	return added;
}

bool postgresql_batch_take(struct postgresql_batch *batch, uint64_t number,
			   const struct sink_batch *records)
{
	bool added = true;
	postgresql_batch_clear(batch);
	for (int i = 0; i < POSTGRESQL_COLUMNS && added; i++)
		added = postgresql_array_begin(&batch->columns[i]);
	for (int i = 0; i < SINK_PARTS && added; i++)
		added = add_part(batch, &records->parts[i]);
	if (!added || !add_senders(batch)) {
		postgresql_batch_clear(batch);
		return false;
	}
	for (int i = 0; i < POSTGRESQL_COLUMNS; i++) {
		size_t length = i < ROW_COLUMNS ? batch->rows : batch->sender_count;
		postgresql_array_end(&batch->columns[i], types[i], length);
	}
	batch->number = number;
	postgresql_put_number(batch->key, (int64_t)number);
	return true;
}

void postgresql_batch_values(const struct postgresql_batch *batch, const char *server,
			     struct slice level, struct slice values[POSTGRESQL_VALUES])
{
	values[0] = slice_of(server);
	values[1] = (struct slice){batch->key, sizeof batch->key};
	values[2] = level;
	for (int i = 0; i < POSTGRESQL_COLUMNS; i++)
		values[3 + i] = postgresql_array_value(&batch->columns[i]);
}

void postgresql_batch_clear(struct postgresql_batch *batch)
{
	for (int i = 0; i < POSTGRESQL_COLUMNS; i++)
		buffer_clear(&batch->columns[i], KEPT);
	batch->number = 0;
	buffer_clear(&batch->senders, KEPT);
	batch->rows = batch->stored = batch->sender_count = 0;
}

void postgresql_batch_free(struct postgresql_batch *batch)
{
	for (int i = 0; i < POSTGRESQL_COLUMNS; i++)
		buffer_free(&batch->columns[i]);
	buffer_free(&batch->senders);
}
