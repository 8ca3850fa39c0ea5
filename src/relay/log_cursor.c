/* SPDX-License-Identifier: MIT */
#include "relay/log_cursor.h"

#include <string.h>
#include <sys/stat.h>

#define RELAY_SERVICE ", service relay,"

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

static void take_note(struct log_cursor *cursor, struct slice note)
{
	uint64_t number;
	cursor->relayed |= slice_begins(note, RECORD_LISTENING) &&
			   memmem(note.bytes, note.length, RELAY_SERVICE, strlen(RELAY_SERVICE));
	if (slice_skip(&note, RELAY_ACKNOWLEDGED) && slice_number(&note, &number) && number &&
	    !note.length)
		cursor->acknowledged = number;
}

enum log_line log_cursor_next(struct log_cursor *cursor, struct error *error)
{
	struct log_reader *log = &cursor->log;
	enum log_line found;
	while ((found = log_reader_next_record(log, error)) == LOG_RECORD &&
	       log->record.event != RECORD_RECEIVED)
		if (log->record.event == RECORD_NOTE)
			take_note(cursor, log->record.bytes);
	if (found != LOG_RECORD)
		return found;
	cursor->received++;
	(void)log_reader_unescape(log);
	take_time(log->record.time, cursor->time);
	return LOG_RECORD;
}

/* Passes lines up to that number, or to the limit. -1: the error is set. */
static int pass(struct log_cursor *cursor, uint64_t number, struct error *error)
{
	enum log_line found = LOG_RECORD;
	while (found == LOG_RECORD && cursor->received < number)
		found = log_cursor_next(cursor, error);
	return found == LOG_UNREADABLE ? -1 : 0;
}

static int recover(struct log_cursor *cursor, struct error *error)
{
	if (pass(cursor, UINT64_MAX, error) < 0)
		return -1;
	uint64_t acknowledged = cursor->acknowledged;
	if (acknowledged > cursor->received) /* lines were taken out: the rest was forwarded */
		acknowledged = cursor->received;
	log_reader_rewind(&cursor->log);
	cursor->received = 0;
	return pass(cursor, acknowledged, error);
}

int log_cursor_open(struct log_cursor *cursor, const char *name, struct error *error)
{
	struct stat status;
	*cursor = (struct log_cursor){.log.descriptor = -1};
	if (stat(name, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error,
				 "cannot forward from the log %.200s: it is not a regular file",
				 name);
	if (log_reader_open(&cursor->log, name, 0, error) < 0)
		return -1;
	(void)fstat(cursor->log.descriptor, &status); /* fails for no open regular file */
	cursor->log.old = cursor->log.limit = status.st_size;
	if (recover(cursor, error) == 0)
		return 0;
	log_reader_close(&cursor->log);
	return -1;
}

uint64_t log_cursor_count(const struct log_cursor *cursor, int64_t from, int64_t limit)
{
	struct log_cursor rest = {.log = log_reader_part(&cursor->log, from, limit)};
	struct error error;
	(void)pass(&rest, UINT64_MAX, &error); /* what can be read is counted */
	buffer_free(&rest.log.buffer);
	return rest.received;
}
