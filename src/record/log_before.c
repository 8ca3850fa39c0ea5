/* SPDX-License-Identifier: MIT */
#include "record/log_before.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/closed_files.h"
#include "record/escape.h"
#include "record/exchange.h"
#include "record/log_source.h"

enum { NOTES_MAX = 16 }; /* lines of a file that are searched for what it continues */

/* --- the note --- */

/* Takes the name in a note, which is not one of another directory. False: it is another note. */
static bool take_note(struct slice note, char before[LOG_NAME_SIZE])
{
	char name[4 * LOG_NAME_SIZE]; /* with its bytes escaped */
	if (!slice_skip(&note, RECORD_CONTINUES) || note.length >= sizeof name)
		return false;
	memcpy(name, note.bytes, note.length);
	name[record_unescape(name, note.length)] = '\0';
	if (strlen(name) < LOG_NAME_SIZE && !strchr(name, '/'))
		memcpy(before, name, strlen(name) + 1);
	return true;
}

/* Looks at a line, in any format that has notes. True: it may stand behind it. */
static bool look_at(const struct log_reader *file, enum log_line kind, char before[LOG_NAME_SIZE])
{
	struct exchange exchange;
	if (kind == LOG_RECORD)
		return record_is_server_note(&file->record) &&
		       !take_note(file->record.bytes, before);
	if (kind != LOG_GARBAGE || !exchange_read(file->record.bytes, &exchange))
		return kind == LOG_GARBAGE;
	return !exchange.answer_time.length && slice_skip(&exchange.request, RECORD_SERVER " ") &&
	       !take_note(exchange.request, before);
}

int log_continues(const struct log_reader *log, char before[LOG_NAME_SIZE], bool *empty,
		  struct error *error)
{
	struct log_reader head = log_reader_part(log, 0, log->limit);
	enum log_line kind = log_source_file.next(&head, error);
	int left = NOTES_MAX;
	*before = '\0';
	*empty = kind == LOG_END || kind == LOG_TORN;
	while (look_at(&head, kind, before) && --left)
		kind = log_source_file.next(&head, error);
	buffer_free(&head.buffer);
	return kind == LOG_UNREADABLE ? -1 : 0;
}

uint64_t log_number_before(const char *name)
{
	struct log_reader log = {.source = &log_source_file,
				 .name = name,
				 .descriptor = -1,
				 .limit = LOG_READER_ALL,
				 .old = LOG_READER_ALL};
	struct error ignored;
	char path[PATH_MAX], before[LOG_NAME_SIZE];
	bool empty, compressed;
	uint64_t number = 0;
	if (log_source_file.open(&log, "", &ignored) == 0 &&
	    log_continues(&log, before, &empty, &ignored) == 0 &&
	    closed_files_path(name, path) == 0)
		number = closed_file_number(path, before, &compressed);
	log_source_file.close(&log);
	return number;
}

/* --- the file --- */

/* Sets the path of a file by its name in a note; one that is not there is an error. */
static int find_named(const struct log_reader *log, const char *before, char **name,
		      struct error *error)
{
	char path[PATH_MAX], *compressed;
	if (closed_files_beside(log->name, before, path) < 0)
		return error_set(error, "cannot find the file before %.200s: %s", log->name,
				 strerror(errno));
	if (access(path, F_OK) == 0) {
		*name = strdup(path);
		return *name ? 1 : error_set(error, "cannot find the file before: out of memory");
	}
	int found = closed_file_compressed(path, &compressed);
	if (found > 0)
		error_set(error, "%.200s continues %.200s, which is compressed: decompress it",
			  log->name, compressed);
	else
		error_set(error, "%.200s continues %.200s, which is missing", log->name, path);
	free(compressed);
	return found > 0 ? -1 : LOG_BEFORE_MISSING;
}

static int find_closed(const struct log_reader *log, char **name, struct error *error)
{
	struct closed_file before;
	int found = closed_file_before(log->name, &before);
	if (found < 0)
		return error_set(error, "cannot find the file before %.200s: %s", log->name,
				 strerror(errno));
	if (!found)
		return 0;
	*name = before.name;
	if (!before.compressed)
		return 1;
	error_set(error,
		  "%.200s is empty, and what it goes on from is compressed: decompress %.200s, or "
		  "start without -append",
		  log->name, before.name);
	free(before.name);
	return -1;
}

int log_before(const struct log_reader *log, bool appends, char **name, struct error *error)
{
	char before[LOG_NAME_SIZE] = "";
	bool empty = true;
	if (log->limit && log_continues(log, before, &empty, error) < 0)
		return -1;
	if (empty)
		return appends ? find_closed(log, name, error) : 0;
	return *before ? find_named(log, before, name, error) : 0;
}
