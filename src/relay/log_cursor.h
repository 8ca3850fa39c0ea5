/* SPDX-License-Identifier: MIT */
/* The lines that a relay has received, read back from its own log. Reads only what is committed, in
 * memory bounded by the longest record. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "record/log_reader.h"

/* A time as it is forwarded: YYYY-MM-DD HH:MM:SS.ffffff and a NUL. */
#define RELAY_TIME_SIZE 27

/* Begins the note that says up to which number the next server has acknowledged all lines. */
#define RELAY_ACKNOWLEDGED "acknowledged up to "

struct log_cursor {
	struct log_reader log;	    /* its limit, the committed bytes, is set by the caller */
	uint64_t received;	    /* number of the line given last, from 1 */
	uint64_t acknowledged;	    /* as the last note says that was passed; 0: none */
	char time[RELAY_TIME_SIZE]; /* of the line given last */
	bool relayed;		    /* a note that was passed says that a relay has written it */
};

/* Opens a log, a regular file, with its size as limit. Reads it to find the first line that is not
 * acknowledged; reading continues there. log_reader_close() ends it. -1: the error is set, and
 * nothing is open. */
int log_cursor_open(struct log_cursor *cursor, const char *name, struct error *error);

/* Gives the next line up to the limit, LOG_RECORD: log.record has its bytes as received. LOG_END:
 * there is none. LOG_UNREADABLE: the error is set; a later call tries again. */
enum log_line log_cursor_next(struct log_cursor *cursor, struct error *error);

/* Counts the lines received from one offset to another; at each a record begins, or the log ends.
 * Another thread may use the cursor at the same time. 0 if they cannot be read. */
uint64_t log_cursor_count(const struct log_cursor *cursor, int64_t from, int64_t limit);
