/* SPDX-License-Identifier: MIT */
/* Reads a log, record by record, in memory bounded by its longest record: a file of any format, the
 * files of a log that is rotated, or a database. The log may be finished, or grow while it is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "record/format.h"

enum log_line {
	LOG_RECORD,
	LOG_GARBAGE,	/* a line that is no record */
	LOG_TORN,	/* the bytes at the end have no line end */
	LOG_END,	/* no more lines; more may follow when the limit is raised */
	LOG_UNREADABLE, /* the error is set */
};

/* To read to the end of the file. */
#define LOG_READER_ALL INT64_MAX

enum {
	LOG_NAME_SIZE = 256,  /* of a file without its directory, with its NUL */
	LOG_TITLE_SIZE = 320, /* of a title, and a remark */
};

/* A place in a log. Zeroed, it is the beginning. */
struct log_place {
	int64_t offset;		    /* in one of its files, which continues ... */
	char before[LOG_NAME_SIZE]; /* this one, by name; empty: it is the first one. Of a shared
				     * log: only records of servers whose run's name begins so */
};

/* Of a file, offsets and places are bytes; of a database, ids: reading begins behind the row with
 * that of the offset, and `limit`, `plain` and `old` mean nothing. */
struct log_reader {
	const struct log_source *source;
	const char *name;   /* of the current file, as messages have it; borrowed */
	const char *title;  /* the log as a whole, as messages have it */
	const char *remark; /* "; " and what is not in it; empty: nothing */
	const char *before; /* name of the file that the current one continues, as in the place;
			     * empty: none */
	int descriptor;
	struct database *database;
	struct postgresql *postgresql;
	int row; /* of those that it has got: the next one */
	struct log_files *files;
	int64_t offset; /* where reading begins, in the first file */
	int64_t limit;	/* bytes of the file that may be read; set by the caller. A file that is
			 * shorter is an error, unless it is LOG_READER_ALL */
	bool plain;	/* set by the caller: each line is one of record_plain, received */
	int64_t old;	/* only lines that begin before this offset can be torn */

	/* The line that log_reader_next() gave, valid until its next call. */
	int64_t number;		   /* of the line, from 1 at the offset and on over all files;
				    * of a row, its id */
	int64_t start;		   /* where it begins in its file */
	int64_t at;		   /* where the next line begins */
	struct record_view record; /* bytes of a line that is no record: the whole line. A row
				    * has no text for the time */

	int64_t closed;	      /* torn lines so far that the server has closed and noted as such */
	struct buffer buffer; /* owned; has what was read from `at` on, behind `begin` bytes */
	size_t begin;
	size_t next; /* length of the next line, if it was looked at */
	bool looked;
};

/* Opens a log to be read from an offset to its end: the target of a sink whose type has a source of
 * that name, as in log/sink.h, or a regular file, and none of those before it. -1: the error is
 * set, and nothing is to be closed. */
int log_reader_open(struct log_reader *log, const char *target, int64_t offset,
		    struct error *error);

/* The same from a place on, NULL for the beginning, and over the files of a log: from the target
 * back by the notes on what each file continues. One that is missing is remarked on, and reading
 * begins behind it; one that is compressed is an error. A log of plain lines has no notes, and is
 * one file. */
int log_reader_open_all(struct log_reader *log, const char *target, const struct log_place *from,
			bool plain, struct error *error);

/* Is the target one that log_reader_open() can read? All are but stdout. */
bool log_can_be_read(const char *target);

/* Does a run add to it in any case, with anything else in it? */
bool log_is_shared(const char *target);

/* Where a log ends now, to be opened there by log_reader_open_all(). The beginning: there is none,
 * or it cannot be read. */
struct log_place log_end(const char *target, bool plain);

/* What stands behind TYPE: in a target. NULL: it is not of that type. */
const char *log_target_of(const char *target, const char *type);

/* Returns a reader of a part of the open file, from an offset where a record begins to a limit.
 * Another thread may use the log. Its buffer is to be freed before the log is closed. */
struct log_reader log_reader_part(const struct log_reader *log, int64_t offset, int64_t limit);

/* Where the next line begins. */
struct log_place log_reader_place(const struct log_reader *log);

/* Starts again where reading began. */
void log_reader_rewind(struct log_reader *log);

/* Gives the next line. Leaves out headers, and lines that were torn by a crash and that the server
 * noted as torn when it went on with the log. */
enum log_line log_reader_next(struct log_reader *log, struct error *error);

/* As log_reader_next(), but leaves out all that are no records. */
enum log_line log_reader_next_record(struct log_reader *log, struct error *error);
/* Undoes the escapes of the current record's bytes, in place: once only. Returns the bytes. */
struct slice log_reader_unescape(struct log_reader *log);
/* Which line of a file has that number: returns its number in the file, and sets the name, which is
 * valid until the log is closed. */
int64_t log_reader_line(const struct log_reader *log, int64_t number, const char **name);

void log_reader_close(struct log_reader *log);
