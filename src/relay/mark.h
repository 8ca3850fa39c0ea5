/* SPDX-License-Identifier: MIT */
/* The note of a relay by which its log can be read from there on: `lines before this: N; ...`. It
 * begins each file, behind what the file continues, and is repeated in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "relay/once_link.h"

/* Begins the note. */
#define RELAY_MARK "lines before this: "

/* Behind it, and in a note of its own: up to which number the next server has acknowledged all. */
#define RELAY_ACKNOWLEDGED "acknowledged up to "

struct relay_mark {
	uint64_t lines;		    /* received, in this file and in those before */
	uint64_t acknowledged;	    /* as other notes in the log say */
	uint64_t behind_file;	    /* the log began when its closed files had numbers up to this */
	char name[RELAY_NAME_SIZE]; /* under which lines are sent; empty: none */
	uint64_t max; /* lines above this number were never sent under it; UINT64_MAX: unknown */
};

/* Appends the note and a line end. False: out of memory. */
bool relay_mark_write(const struct relay_mark *mark, struct buffer *notes);

/* Reads a note, still escaped. False: it is another one. */
bool relay_mark_read(struct slice note, struct relay_mark *mark);
