/* SPDX-License-Identifier: MIT */
/* The lines that a relay has received, read back from its own log: the log is its queue. Reads only
 * what was committed, in memory bounded by the longest record. */
#ifndef ACKLINE_RELAY_LOG_CURSOR_H
#define ACKLINE_RELAY_LOG_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A moment as it is forwarded: YYYY-MM-DD HH:MM:SS.ffffff and a NUL. */
#define RELAY_TIME_SIZE 27

/* What a note in the log begins with that says up to which line the next server has all. */
#define RELAY_ACKNOWLEDGED "acknowledged up to "

struct log_cursor {
	const char *name; /* borrowed */
	int descriptor;
	int64_t old;   /* bytes that were there before this server: only in these a line can be torn
			*/
	int64_t limit; /* bytes that may be read: what is committed; set by the caller */
	int64_t at;    /* up to here it was given out */

	uint64_t received;     /* lines received that were given out; the last one's number */
	uint64_t acknowledged; /* as the last note given out says; 0: none */

	char *buffer; /* owned; what was read from `at` on */
	size_t capacity, begin, end;
};

/* A line that was received. */
struct relay_line {
	uint64_t number;	    /* from 1, in the order of the log */
	int64_t start;		    /* where its record begins in the log */
	char time[RELAY_TIME_SIZE]; /* when it was received */
	const char *bytes;	    /* as it came; valid until the next call */
	size_t length;
};

enum log_cursor_result { RELAY_LINE, RELAY_END, RELAY_BROKEN };

/* Opens a log, which must be a regular file, and sets old and limit to its size. -1: the failure is
 * set, and nothing is to be closed. */
int log_cursor_open(struct log_cursor *cursor, const char *name, struct error *error);

/* Reads all that is there, to find what the next server has not acknowledged, and goes on before
 * the first such line. -1: the failure is set. */
int log_cursor_recover(struct log_cursor *cursor, struct error *error);

/* The next line that was received, up to the limit. RELAY_BROKEN: the failure is set; a later call
 * tries again. */
enum log_cursor_result log_cursor_next(struct log_cursor *cursor, struct relay_line *line,
				       struct error *error);

/* The lines received from one offset to another, at each of which a record begins or the log ends.
 * Changes nothing: any thread. 0 where they cannot be read. */
uint64_t log_cursor_count(const struct log_cursor *cursor, int64_t from, int64_t limit);

void log_cursor_close(struct log_cursor *cursor);

#endif
