/* SPDX-License-Identifier: MIT */
#include "relay/log_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/options.h"
#include "record/format.h"
#include "record/log_reader.h"

enum {
	TAIL_FIRST = 1 << 16,
	TAIL_MOST = 1 << 29, /* above the longest record: 64 MiB, each byte as \xNN */
};

static int unreadable(const struct relay_tail *tail, int error, struct failure *failure)
{
	return failure_set(failure, "cannot read %.200s: %s", tail->name, strerror(error));
}

int relay_tail_open(struct relay_tail *tail, const char *name, struct failure *failure)
{
	struct stat status;
	int result = -1;
	*tail = (struct relay_tail){.name = name, .capacity = TAIL_FIRST};
	/* not blocking: opening a FIFO would wait for somebody who writes it */
	tail->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (tail->descriptor < 0)
		return unreadable(tail, errno, failure);
	if (fstat(tail->descriptor, &status) < 0)
		unreadable(tail, errno, failure);
	else if (!S_ISREG(status.st_mode))
		failure_set(failure, "cannot forward from the log %.200s: it is not a regular file",
			    name);
	else if (!(tail->buffer = malloc(tail->capacity)))
		unreadable(tail, ENOMEM, failure);
	else
		result = 0;
	if (result < 0)
		relay_tail_close(tail);
	else
		tail->old = tail->limit = status.st_size;
	return result;
}

void relay_tail_close(struct relay_tail *tail)
{
	if (tail->descriptor >= 0)
		(void)close(tail->descriptor); /* it was only read */
	tail->descriptor = -1;
	free(tail->buffer);
	tail->buffer = NULL;
}

static void go_to(struct relay_tail *tail, int64_t offset)
{
	tail->at = offset;
	tail->begin = tail->end = 0;
}

/* Makes room behind the end of what is in the buffer. */
static bool make_room(struct relay_tail *tail)
{
	if (tail->begin) {
		memmove(tail->buffer, tail->buffer + tail->begin, tail->end - tail->begin);
		tail->end -= tail->begin;
		tail->begin = 0;
	}
	if (tail->end < tail->capacity)
		return true;
	char *larger =
		tail->capacity < TAIL_MOST ? realloc(tail->buffer, tail->capacity * 2) : NULL;
	if (!larger)
		return false;
	tail->buffer = larger;
	tail->capacity *= 2;
	return true;
}

/* Reads more behind what is in the buffer: 1; 0 at the limit; -1 with the failure set. */
static int read_more(struct relay_tail *tail, struct failure *failure)
{
	int64_t from = tail->at + (int64_t)(tail->end - tail->begin);
	int64_t left = tail->limit - from;
	if (left <= 0)
		return 0;
	if (!make_room(tail))
		return unreadable(tail, ENOMEM, failure);
	size_t room = tail->capacity - tail->end;
	ssize_t length = pread(tail->descriptor, tail->buffer + tail->end,
			       left < (int64_t)room ? (size_t)left : room, from);
	if (length < 0 && errno == EINTR)
		return 1;
	if (length < 0)
		return unreadable(tail, errno, failure);
	if (length == 0)
		return failure_set(failure, "cannot read %.200s: it was cut", tail->name);
	tail->end += (size_t)length;
	return 1;
}

/* Finds the line that begins so many bytes behind the current one's beginning. *length is without
 * its end. 1; 0: there is no whole one up to the limit; -1 with the failure set. */
static int find_line(struct relay_tail *tail, size_t skip, size_t *length, struct failure *failure)
{
	size_t searched = skip;
	for (;;) {
		const char *from = tail->buffer + tail->begin;
		size_t there = tail->end - tail->begin;
		const char *stop =
			there > searched ? memchr(from + searched, '\n', there - searched) : NULL;
		if (stop) {
			*length = (size_t)(stop - from) - skip;
			return 1;
		}
		searched = there > skip ? there : skip;
		int result = read_more(tail, failure);
		if (result <= 0)
			return result;
	}
}

/* Is the line of that length, the next one, only the beginning of a record? Either the file ended
 * in it when this server began, or a server before said so in the line below. 1, 0, or -1 with the
 * failure set. */
static int is_torn(struct relay_tail *tail, size_t length, struct failure *failure)
{
	size_t below;
	int64_t end = tail->at + (int64_t)length + 1;
	if (end >= tail->old)
		return tail->at < tail->old && end > tail->old;
	int found = find_line(tail, length + 1, &below, failure);
	return found > 0 ? verify_notes_torn(tail->buffer + tail->begin + length + 1, below)
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

static void take_note(struct relay_tail *tail, const struct record_view *record)
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
		tail->acknowledged = (uint64_t)number;
}

/* Takes a line of the log apart. True: it tells of a line that was received. */
static bool take_record(struct relay_tail *tail, char *bytes, size_t length,
			struct relay_line *line)
{
	struct record_view record;
	if (!record_read(bytes, length, &record))
		return false;
	if (record.event == RECORD_NOTE)
		take_note(tail, &record);
	if (record.event != RECORD_RECEIVED)
		return false;
	line->number = ++tail->received;
	take_time(&record, line->time);
	line->bytes = record.bytes;
	/* the buffer is ours */
	line->length = record_unescape((char *)(uintptr_t)record.bytes, record.length);
	return true;
}

enum relay_tail_result relay_tail_next(struct relay_tail *tail, struct relay_line *line,
				       struct failure *failure)
{
	for (;;) {
		size_t length;
		int found = find_line(tail, 0, &length, failure);
		int torn = found > 0 ? is_torn(tail, length, failure) : 0;
		if (found < 0 || torn < 0)
			return RELAY_BROKEN;
		if (!found)
			return RELAY_END;
		line->start = tail->at;
		char *bytes = tail->buffer + tail->begin;
		tail->at += (int64_t)length + 1;
		tail->begin += length + 1;
		if (!torn && take_record(tail, bytes, length, line))
			return RELAY_LINE;
	}
}

/* Passes over lines that were received, up to that number. -1: the failure is set. */
static int pass(struct relay_tail *tail, uint64_t number, struct failure *failure)
{
	struct relay_line line;
	enum relay_tail_result result = RELAY_LINE;
	while (result == RELAY_LINE && tail->received < number)
		result = relay_tail_next(tail, &line, failure);
	return result == RELAY_BROKEN ? -1 : 0;
}

int relay_tail_recover(struct relay_tail *tail, struct failure *failure)
{
	if (pass(tail, UINT64_MAX, failure) < 0)
		return -1;
	uint64_t acknowledged = tail->acknowledged;
	if (acknowledged > tail->received) /* lines are missing: what is there was forwarded */
		acknowledged = tail->received;
	go_to(tail, 0);
	tail->received = 0;
	if (pass(tail, acknowledged, failure) < 0)
		return -1;
	tail->acknowledged = acknowledged;
	return 0;
}

uint64_t relay_tail_rest(const struct relay_tail *tail)
{
	struct failure failure;
	struct relay_tail rest = *tail;
	rest.capacity = TAIL_FIRST;
	rest.buffer = malloc(rest.capacity);
	go_to(&rest, tail->at);
	if (rest.buffer)
		(void)pass(&rest, UINT64_MAX, &failure); /* what can be read is counted */
	free(rest.buffer);
	return rest.received - tail->received;
}
