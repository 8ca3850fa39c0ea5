/* SPDX-License-Identifier: MIT */
/* Which file a log's file goes on from: a log that is rotated is a chain of files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "record/log_reader.h"

enum { LOG_BEFORE_MISSING = -2 };

/* Of an open regular file, of which nothing at or behind the reader's limit is looked at: the name
 * in its note `continues NAME`, which is among its first lines; empty: it has none, or that of a
 * file in another directory. *empty: it has no whole line. Returns 0, or -1 with the error set. */
int log_continues(const struct log_reader *log, char before[LOG_NAME_SIZE], bool *empty,
		  struct error *error);

/* The same by the name of the file: the number of the closed file that it continues; 0: it has
 * none, or that cannot be told. */
uint64_t log_number_before(const char *name);

/* The file that log_continues() names, in the file's own directory. If the file has no whole line,
 * and `appends`, the one that closed_file_before() finds. Returns 1 and the name, to be freed; 0:
 * there is none; -1: the error is set, also for one that is compressed; LOG_BEFORE_MISSING: the
 * same for one that is gone. */
int log_before(const struct log_reader *log, bool appends, char **name, struct error *error);
