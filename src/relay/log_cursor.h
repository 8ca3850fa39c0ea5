/* SPDX-License-Identifier: MIT */
/* The lines that a relay has received, read back from its own log, one file after the other. Reads
 * only what is committed, in memory bounded by the longest record.
 *
 * Positions are bytes of the log over all its files: 0 is where the file begins that was the last
 * one at the start; what is in files before has negative ones. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "base/descriptor.h"
#include "base/error.h"
#include "record/log_reader.h"

/* A time as it is forwarded: YYYY-MM-DD HH:MM:SS.ffffff and a NUL. */
#define RELAY_TIME_SIZE 27

/* A file of the log. */
struct relay_file {
	struct file_id id;
	int64_t start; /* position of its first byte */
	int64_t old;   /* bytes that it had at the start; only before that a line can be torn */
};

/* Zeroed but for the descriptor -1, it has no file. */
struct log_cursor {
	struct log_reader log;	    /* of the current file */
	struct relay_file file;	    /* that one */
	uint64_t received;	    /* number of the line given last, from 1 */
	char time[RELAY_TIME_SIZE]; /* of the line given last */
	char path[PATH_MAX];	    /* name of the current file when it was opened */
};

/* Goes to a position in a file, of the log of that name, which is to be read up to another one.
 * -1: the file cannot be found or opened, and the error is set; a later call tries again. */
int log_cursor_enter(struct log_cursor *cursor, const char *log, const struct relay_file *file,
		     int64_t position, int64_t limit, struct error *error);

/* Gives the next line up to the limit, LOG_RECORD: log.record has its bytes as received. LOG_END:
 * there is none. LOG_UNREADABLE: the error is set; a later call tries again. */
enum log_line log_cursor_next(struct log_cursor *cursor, struct error *error);

/* Closes the file and frees. */
void log_cursor_close(struct log_cursor *cursor);
