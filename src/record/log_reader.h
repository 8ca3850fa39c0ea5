/* SPDX-License-Identifier: MIT */
/* A log of any format, read record by record, in memory bounded by its longest line; and the lines
 * of clients in it, `Thread K, iteration I`, or to echo `Hello from client C, message M`. */
#ifndef ACKLINE_RECORD_LOG_READER_H
#define ACKLINE_RECORD_LOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/format.h"

enum verify_line {
	VERIFY_RECORD,	/* `record` is set */
	VERIFY_GARBAGE, /* a line that is no record */
	VERIFY_TORN,	/* what is left at the end has no line end */
	VERIFY_END,
	VERIFY_BROKEN, /* it cannot be read: the failure is set */
};

/* A piece of the buffer. */
struct verify_piece {
	size_t start, length;
	bool whole; /* has a line end */
};

struct log_reader {
	const char *name; /* borrowed */
	int descriptor;
	int64_t offset; /* where reading began */

	/* what the last call of log_reader_next() gave, valid until the next one */
	int64_t number;	   /* of the line, counted from the offset */
	int64_t closed;	   /* lines so far that were torn, and noted as such */
	const char *bytes; /* of a record: without the quoting of its format */
	size_t length;
	struct record_view record;

	char *buffer; /* owned */
	size_t capacity, begin, end;
	bool exhausted;
	/* The line behind the one given out is looked at first: it may say that that one is torn.
	 */
	struct verify_piece ahead;
	bool ahead_there;
};

/* Opens a log to be read from an offset on. -1: the failure is set, nothing is to be closed. */
int log_reader_open(struct log_reader *log, const char *name, int64_t offset, struct error *error);

/* Starts again at the offset. -1: the failure is set. */
int log_reader_rewind(struct log_reader *log, struct error *error);

/* Gives the next line. One that was torn by a crash and is noted as such by the server, which
 * closed it when it went on with the log, is counted but not given, and so is a header. */
enum verify_line log_reader_next(struct log_reader *log, struct error *error);

/* One line of a client. */
struct verify_turn {
	int64_t thread, iteration; /* from 0, from 1; a zeroed one is no line */
	int64_t client; /* from 1, in a line that names it, as those of echo do; else 0 */
};

/* Looks, from line `first` on, for the first records in which two lines were received from a peer
 * that belongs() accepts; sets their numbers, 0 where there is none. Reads the log once more, from
 * its offset to its end. -1: the failure is set. */
struct verify_search {
	struct verify_turn got, due;
	int64_t first;
	bool (*belongs)(const void *context, const struct record_view *record);
	const void *context;
	int64_t got_line, due_line;
};
int log_reader_search(struct log_reader *log, struct verify_search *search, struct error *error);

/* How many lines lie before the offset; 0 where they cannot be read. */
int64_t log_reader_lines_before(const struct log_reader *log);

void log_reader_close(struct log_reader *log);

/* The longest text of a client's line, with its NUL. */
#define VERIFY_TURN_SIZE 96

/* False where the bytes are not exactly such a line. */
bool verify_turn_read(const char *bytes, size_t length, struct verify_turn *turn);
void verify_turn_write(const struct verify_turn *turn, char words[VERIFY_TURN_SIZE]);

/* Is this the answer that acknowledges a line? */
bool verify_acknowledges(const struct record_view *record);

/* Is this the server's note that it has started, so that all connections before it are gone? */
bool verify_is_start(const struct record_view *record);

/* Is this line, without its line end, the server's note that the one before it is torn? */
bool verify_notes_torn(const char *line, size_t length);

/* Bytes for a message: printable, and cut where they are long. */
#define VERIFY_EXCERPT_SIZE 100
void verify_excerpt(const char *bytes, size_t length, char words[VERIFY_EXCERPT_SIZE]);

#endif
