/* SPDX-License-Identifier: MIT */
/* Records in order: as text and, for a sink that asks for it, as struct sink_record's beside it. A
 * list that is zeroed but for the format is an empty one of text alone. */
#ifndef ACKLINE_LOG_RECORD_LIST_H
#define ACKLINE_LOG_RECORD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "log/item.h"

struct record_list {
	const struct record_format *format; /* of the text */
	bool structured;		    /* fields are gathered */
	struct buffer text;
	struct buffer fields; /* struct sink_record's, one behind the other */
};

/* A place in a list, in bytes. */
struct record_mark {
	size_t text, fields;
};

bool record_list_is_empty(const struct record_list *list);

/* Each appends, or returns false if out of memory, and nothing has changed: a record; again what
 * stands behind the mark; another list. */
bool record_list_add(struct record_list *list, const struct stamp *stamp,
		     const struct record *record);
bool record_list_repeat(struct record_list *list, struct record_mark mark);
bool record_list_append(struct record_list *list, const struct record_list *more);

/* Makes space for another list, so that to append it cannot fail. Returns false if out of memory.
 */
bool record_list_reserve(struct record_list *list, const struct record_list *more);

/* The end of the list, and the way back to it. */
struct record_mark record_list_end(const struct record_list *list);
void record_list_cut(struct record_list *list, struct record_mark mark);

/* Empties it, and frees memory beyond `keep` bytes; frees all of it. */
void record_list_clear(struct record_list *list, size_t keep);
void record_list_free(struct record_list *list);

#endif
