/* SPDX-License-Identifier: MIT */
/* What is committed together: the records of many connections, and the answers that wait for them.
 */
#ifndef ACKLINE_LOG_BATCH_H
#define ACKLINE_LOG_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "log/item.h"
#include "record/format.h"
#include "base/buffer.h"

/* The answers of one recipient that stand together in the batch. */
struct batch_entry {
	struct reply_target *recipient;
	size_t start, length; /* in the batch's answers */
	size_t lines;
	bool is_sent_record; /* they need no sent records any more */
};

struct batch {
	struct buffer records;
	struct buffer answers; /* each with its line end */
	struct batch_entry *entries;
	size_t count, capacity;
	size_t lines; /* in all entries whose recipients wait for answers */
};

/* Adds records and answers. False: out of memory, and nothing has changed. */
bool batch_add(struct batch *batch, const struct record_format *format, const struct stamp *stamp,
	       struct reply_target *recipient, const struct log_item *items, size_t count);

/* Releases every answer and appends the records that say so to `sent`, as far as there is memory
 * for them. If reason is not NULL the records could not be stored: then every answer is
 * refused for that reason, and `sent` stays as it is. */
void batch_release(const struct batch *batch, const char *reason,
		   const struct record_format *format, const struct stamp *stamp,
		   struct buffer *sent);

/* Empties it for the next commit, keeping what memory a usual one needs. */
void batch_clear(struct batch *batch);
void batch_free(struct batch *batch);

#endif
