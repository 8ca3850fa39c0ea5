/* SPDX-License-Identifier: MIT */
/* Finds the server's notes in a log from its end back, without reading what is before the one that
 * is found: so a server that starts finds where it was in a log of any size. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "record/log_reader.h"

enum { NOTE_SEARCH_LINE_MAX = 4096 }; /* records that are longer are not found */

struct note_search {
	const struct log_reader *log; /* borrowed */
	const char *words;	      /* each note begins with them; borrowed */
	int64_t at;		      /* notes that begin before are searched */
	struct slice note;	    /* the one that was found, still escaped; until the next call */
	struct note_window *window; /* owned */
};

/* Begins a search of a regular file in a format that can be read, of which nothing at or behind
 * the log's limit is looked at. The words must be at the beginning of the note, as it is in the
 * log: without bytes that are escaped there. False: out of memory; note_search_end() is due in any
 * case. */
bool note_search_begin(struct note_search *search, const struct log_reader *log, const char *words);

/* Finds the last note that begins before `at`, and sets `at` to where it begins: log_reader_part()
 * can read on from there. A note without a line end does not count; one that is torn, and that the
 * server has closed, does: only who reads on from there sees it. 1; 0: there is none; -1: the error
 * is set. */
int note_search_back(struct note_search *search, struct error *error);

/* Frees what it owns. */
void note_search_end(struct note_search *search);
