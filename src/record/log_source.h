/* SPDX-License-Identifier: MIT */
/* Where a log is read from: what struct log_reader calls. A source is one file with one struct
 * log_source, and its line in the table of log_reader.c; its name is that of the sink that writes
 * such logs. */
#pragma once

#include "record/log_reader.h"

struct log_source {
	const char *name;
	/* Opens it; the name and the offset are set. -1: the error is set, and close is due. */
	int (*open)(struct log_reader *log, struct error *error);
	/* As log_reader_next(). */
	enum log_line (*next)(struct log_reader *log, struct error *error);
	/* Goes back to the offset. */
	void (*rewind)(struct log_reader *log);
	/* As log_reader_lines_before(). */
	int64_t (*lines_before)(const struct log_reader *log);
	/* As log_end(). */
	int64_t (*end)(const char *name);
	void (*close)(struct log_reader *log);
};

extern const struct log_source log_source_file, log_source_database;
