/* SPDX-License-Identifier: MIT */
/* Where a log is read from: what struct log_reader calls. A source is one file with one struct
 * log_source, and its line in the table of log_reader.c; its name is that of the sink that writes
 * such logs. */
#pragma once

#include "record/log_reader.h"

struct log_source {
	const char *name;
	bool is_shared; /* other servers log there, too: a server never begins it anew */
	/* Opens it; the name and the offset are set, and to be changed where the log has no such
	 * place. `before`: as in struct log_place. -1: the error is set, and close is due. */
	int (*open)(struct log_reader *log, const char *before, struct error *error);
	/* As log_reader_next(). */
	enum log_line (*next)(struct log_reader *log, struct error *error);
	/* Goes back to the offset. */
	void (*rewind)(struct log_reader *log);
	/* As log_reader_line(); NULL: a record has its number wherever reading begins. */
	int64_t (*line)(const struct log_reader *log, int64_t number, const char **name);
	/* As log_end(). */
	struct log_place (*end)(const char *name);
	void (*close)(struct log_reader *log);
};

/* One file; the files of a log; a database of SQLite, and of PostgreSQL. */
extern const struct log_source log_source_file, log_source_files, log_source_database,
	log_source_postgresql;
