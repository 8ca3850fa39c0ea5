/* SPDX-License-Identifier: MIT */
#include "relay/log_cursor.h"

#include <string.h>
#include <unistd.h>

#include "base/closed_files.h"

enum { TRIES = 10 }; /* to open a file that is being renamed */

/* CSV and JSON have a T in the middle and the zone at the end; a log that another service began may
 * have fewer digits. */
static void take_time(struct slice logged, char time[RELAY_TIME_SIZE])
{
	static const char least[] = "0000-00-00 00:00:00.000000";
	size_t max = RELAY_TIME_SIZE - 1;
	memcpy(time, least, sizeof least);
	memcpy(time, logged.bytes, logged.length < max ? logged.length : max);
	time[10] = ' ';
}

enum log_line log_cursor_next(struct log_cursor *cursor, struct error *error)
{
	struct log_reader *log = &cursor->log;
	enum log_line found;
	while ((found = log_reader_next_record(log, error)) == LOG_RECORD &&
	       log->record.event != RECORD_RECEIVED)
		;
	if (found != LOG_RECORD)
		return found;
	cursor->received++;
	(void)log_reader_unescape(log);
	take_time(log->record.time, cursor->time);
	return LOG_RECORD;
}

/* Opens a file by one of the names that it may have by now. -1: the error is set. */
static int open_file(struct log_cursor *cursor, const char *log, const struct relay_file *file,
		     int64_t offset, struct error *error)
{
	struct log_reader next;
	for (int i = 0; i < TRIES; i++) {
		if (closed_files_name(log, file->id, cursor->path) <= 0 ||
		    log_reader_open(&next, cursor->path, offset, error) < 0)
			continue;
		if (file_id_is(descriptor_file(next.descriptor), file->id)) {
			log_reader_close(&cursor->log);
			cursor->log = next;
			return 0;
		}
		log_reader_close(&next);
	}
	return error_set(error,
			 "cannot read on in the log %.200s: the file behind line %llu is not in "
			 "its directory",
			 log, (unsigned long long)cursor->received);
}

int log_cursor_enter(struct log_cursor *cursor, const char *log, const struct relay_file *file,
		     int64_t position, int64_t limit, struct error *error)
{
	struct log_reader *reader = &cursor->log;
	if (reader->descriptor < 0 || cursor->file.start != file->start ||
	    !file_id_is(cursor->file.id, file->id)) {
		if (open_file(cursor, log, file, position - file->start, error) < 0)
			return -1;
		cursor->file = *file;
		reader->old = file->old;
	}
	reader->limit = limit - file->start;
	return 0;
}

void log_cursor_close(struct log_cursor *cursor)
{
	log_reader_close(&cursor->log);
}
