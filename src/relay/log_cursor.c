/* SPDX-License-Identifier: MIT */
#include "relay/log_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/parse.h"
#include "record/escape.h"
#include "record/format.h"
#include "record/log_reader.h"

enum {
	BUFFER_FIRST = 1 << 16,
	BUFFER_MAX = 1 << 29, /* above the longest record: 64 MiB, each byte as \xNN */
};

static int unreadable(const struct log_cursor *cursor, int errnum, struct error *error)
{
	return error_set(error, "cannot read %.200s: %s", cursor->name, strerror(errnum));
}

int log_cursor_open(struct log_cursor *cursor, const char *name, struct error *error)
{
	struct stat status;
	int result = -1;
	*cursor = (struct log_cursor){.name = name, .capacity = BUFFER_FIRST};
	/* not blocking: opening a FIFO would wait for somebody who writes it */
	cursor->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (cursor->descriptor < 0)
		return unreadable(cursor, errno, error);
	if (fstat(cursor->descriptor, &status) < 0)
		unreadable(cursor, errno, error);
	else if (!S_ISREG(status.st_mode))
		error_set(error, "cannot forward from the log %.200s: it is not a regular file",
			  name);
	else if (!(cursor->buffer = memory_malloc(cursor->capacity)))
		unreadable(cursor, ENOMEM, error);
	else
		result = 0;
	if (result < 0)
		log_cursor_close(cursor);
	else
		cursor->old = cursor->limit = status.st_size;
	return result;
}

void log_cursor_close(struct log_cursor *cursor)
{
	if (cursor->descriptor >= 0)
		(void)close(cursor->descriptor); /* it was only read */
	cursor->descriptor = -1;
	free(cursor->buffer);
	cursor->buffer = NULL;
}

static void go_to(struct log_cursor *cursor, int64_t offset)
{
	cursor->at = offset;
	cursor->begin = cursor->end = 0;
}

/* Makes room behind the end of what is in the buffer. */
static bool make_room(struct log_cursor *cursor)
{
	if (cursor->begin) {
		memmove(cursor->buffer, cursor->buffer + cursor->begin,
			cursor->end - cursor->begin);
		cursor->end -= cursor->begin;
		cursor->begin = 0;
	}
	if (cursor->end < cursor->capacity)
		return true;
	char *larger = cursor->capacity < BUFFER_MAX
			       ? memory_realloc(cursor->buffer, cursor->capacity * 2)
			       : NULL;
	if (!larger)
		return false;
	cursor->buffer = larger;
	cursor->capacity *= 2;
	return true;
}

/* Reads more behind what is in the buffer: 1; 0 at the limit; -1 with the failure set. */
static int read_more(struct log_cursor *cursor, struct error *error)
{
	int64_t from = cursor->at + (int64_t)(cursor->end - cursor->begin);
	int64_t left = cursor->limit - from;
	if (left <= 0)
		return 0;
	if (!make_room(cursor))
		return unreadable(cursor, ENOMEM, error);
	size_t room = cursor->capacity - cursor->end;
	ssize_t length = pread(cursor->descriptor, cursor->buffer + cursor->end,
			       left < (int64_t)room ? (size_t)left : room, from);
	if (length < 0 && errno == EINTR)
		return 1;
	if (length < 0)
		return unreadable(cursor, errno, error);
	if (length == 0)
		return error_set(error, "cannot read %.200s: it was cut", cursor->name);
	cursor->end += (size_t)length;
	return 1;
}

/* Finds the line that begins so many bytes behind the current one's beginning. *length is without
 * its end. 1; 0: there is no whole one up to the limit; -1 with the failure set. */
static int find_line(struct log_cursor *cursor, size_t skip, size_t *length, struct error *error)
{
	size_t searched = skip;
	for (;;) {
		const char *from = cursor->buffer + cursor->begin;
		size_t there = cursor->end - cursor->begin;
		const char *stop =
			there > searched ? memchr(from + searched, '\n', there - searched) : NULL;
		if (stop) {
			*length = (size_t)(stop - from) - skip;
			return 1;
		}
		searched = there > skip ? there : skip;
		int result = read_more(cursor, error);
		if (result <= 0)
			return result;
	}
}

/* Is the line of that length, the next one, only the beginning of a record? Either the file ended
 * in it when this server began, or a server before said so in the line below. 1, 0, or -1 with the
 * failure set. */
static int is_torn(struct log_cursor *cursor, size_t length, struct error *error)
{
	size_t below;
	int64_t end = cursor->at + (int64_t)length + 1;
	if (end >= cursor->old)
		return cursor->at < cursor->old && end > cursor->old;
	int found = find_line(cursor, length + 1, &below, error);
	return found > 0 ? log_reader_notes_torn(cursor->buffer + cursor->begin + length + 1, below)
			 : found;
}

/* CSV and JSON have a T in the middle and the zone behind; a log that another service began may
 * have less of the time. */
static void take_time(const struct record_view *record, char time[RELAY_TIME_SIZE])
{
	static const char least[] = "0000-00-00 00:00:00.000000";
	size_t most = RELAY_TIME_SIZE - 1;
	memcpy(time, least, sizeof least);
	memcpy(time, record->time, record->time_length < most ? record->time_length : most);
	time[10] = ' ';
}

static void take_note(struct log_cursor *cursor, const struct record_view *record)
{
	static const char words[] = RELAY_ACKNOWLEDGED;
	size_t skip = sizeof words - 1;
	char digits[24];
	int64_t number;
	if (record->length <= skip || record->length - skip >= sizeof digits ||
	    memcmp(record->bytes, words, skip) != 0)
		return;
	memcpy(digits, record->bytes + skip, record->length - skip);
	digits[record->length - skip] = '\0';
	if (number_parse(digits, 1, INT64_MAX, &number) == 0)
		cursor->acknowledged = (uint64_t)number;
}

/* Takes a line of the log apart. True: it tells of a line that was received. */
static bool take_record(struct log_cursor *cursor, char *bytes, size_t length,
			struct relay_line *line)
{
	struct record_view record;
	if (!record_read(bytes, length, &record))
		return false;
	if (record.event == RECORD_NOTE)
		take_note(cursor, &record);
	if (record.event != RECORD_RECEIVED)
		return false;
	line->number = ++cursor->received;
	take_time(&record, line->time);
	line->bytes = record.bytes;
	/* the buffer is ours */
	line->length = record_unescape((char *)(uintptr_t)record.bytes, record.length);
	return true;
}

enum log_cursor_result log_cursor_next(struct log_cursor *cursor, struct relay_line *line,
				       struct error *error)
{
	for (;;) {
		size_t length;
		int found = find_line(cursor, 0, &length, error);
		int torn = found > 0 ? is_torn(cursor, length, error) : 0;
		if (found < 0 || torn < 0)
			return RELAY_BROKEN;
		if (!found)
			return RELAY_END;
		line->start = cursor->at;
		char *bytes = cursor->buffer + cursor->begin;
		cursor->at += (int64_t)length + 1;
		cursor->begin += length + 1;
		if (!torn && take_record(cursor, bytes, length, line))
			return RELAY_LINE;
	}
}

/* Passes over lines that were received, up to that number. -1: the failure is set. */
static int pass(struct log_cursor *cursor, uint64_t number, struct error *error)
{
	struct relay_line line;
	enum log_cursor_result result = RELAY_LINE;
	while (result == RELAY_LINE && cursor->received < number)
		result = log_cursor_next(cursor, &line, error);
	return result == RELAY_BROKEN ? -1 : 0;
}

int log_cursor_recover(struct log_cursor *cursor, struct error *error)
{
	if (pass(cursor, UINT64_MAX, error) < 0)
		return -1;
	uint64_t acknowledged = cursor->acknowledged;
	if (acknowledged > cursor->received) /* lines are missing: what is there was forwarded */
		acknowledged = cursor->received;
	go_to(cursor, 0);
	cursor->received = 0;
	if (pass(cursor, acknowledged, error) < 0)
		return -1;
	cursor->acknowledged = acknowledged;
	return 0;
}

uint64_t log_cursor_count(const struct log_cursor *cursor, int64_t from, int64_t limit)
{
	struct error error;
	struct log_cursor rest = {.name = cursor->name,
				  .descriptor = cursor->descriptor,
				  .old = cursor->old,
				  .limit = limit,
				  .at = from,
				  .capacity = BUFFER_FIRST,
				  .buffer = memory_malloc(BUFFER_FIRST)};
	if (rest.buffer)
		(void)pass(&rest, UINT64_MAX, &error); /* what can be read is counted */
	free(rest.buffer);
	return rest.received;
}
