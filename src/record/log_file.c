/* SPDX-License-Identifier: MIT */
/* Reads a log that is a file of lines. */
#include "record/log_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "record/escape.h"

enum {
	BUFFER_FIRST = 1 << 18,
	BUFFER_MAX = 1 << 29, /* above the longest record: 64 MiB, each byte as \xNN */
	TORN_NOTE_MAX = 256,  /* above the longest note on a torn line */
};

static const char torn_note[] = "the line before this one is torn";

static int unreadable(const struct log_reader *log, int errnum, struct error *error)
{
	return error_set(error, "cannot read %.200s: %s", log->name, strerror(errnum));
}

static int file_open(struct log_reader *log, const char *before, struct error *error)
{
	struct stat status;
	(void)before;
	/* nonblocking: opening a FIFO would wait for a writer */
	log->descriptor = open(log->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (log->descriptor < 0)
		return unreadable(log, errno, error);
	if (fstat(log->descriptor, &status) < 0)
		return unreadable(log, errno, error);
	if (S_ISREG(status.st_mode))
		return 0;
	return error_set(error, "cannot read %.200s: it is not a regular file", log->name);
}

static struct log_place file_end(const char *name)
{
	struct stat status;
	bool regular = stat(name, &status) == 0 && S_ISREG(status.st_mode);
	return (struct log_place){.offset = regular ? status.st_size : 0};
}

struct log_reader log_reader_part(const struct log_reader *log, int64_t offset, int64_t limit)
{
	return (struct log_reader){.source = log->source,
				   .name = log->name,
				   .title = log->title,
				   .remark = log->remark,
				   .before = log->before,
				   .descriptor = log->descriptor,
				   .offset = offset,
				   .limit = limit,
				   .old = log->old,
				   .at = offset};
}

static void file_rewind(struct log_reader *log)
{
	log->at = log->offset;
	log->begin = log->buffer.length = 0;
	log->number = log->closed = 0;
	log->looked = false;
}

static void file_close(struct log_reader *log)
{
	descriptor_close(&log->descriptor);
}

/* Reads more behind the bytes in the buffer. 1; 0: there is no more; -1: the error is set. */
static int read_more(struct log_reader *log, struct error *error)
{
	struct buffer *buffer = &log->buffer;
	buffer_drop(buffer, log->begin);
	log->begin = 0;
	int64_t from = log->at + (int64_t)buffer->length, left = log->limit - from;
	ssize_t length;
	if (left <= 0)
		return 0;
	if (buffer->length >= BUFFER_MAX)
		return error_set(error, "cannot read %.200s: line %" PRId64 " is too long",
				 log->name, log->number + 1);
	if (buffer->length == buffer->capacity && !buffer_reserve(buffer, BUFFER_FIRST))
		return unreadable(log, ENOMEM, error);
	size_t space = buffer->capacity - buffer->length;
	do
		length = pread(log->descriptor, buffer->bytes + buffer->length,
			       left < (int64_t)space ? (size_t)left : space, from);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return unreadable(log, errno, error);
	if (length == 0 && log->limit != LOG_READER_ALL)
		return error_set(error, "cannot read %.200s: it was truncated", log->name);
	buffer->length += (size_t)length;
	return length > 0;
}

/* Finds the line that begins `skip` bytes behind the next line's beginning. *length is without its
 * end. 1; 0: there is none with an end; -1: the error is set. */
static int find_line(struct log_reader *log, size_t skip, size_t *length, struct error *error)
{
	size_t searched = skip;
	int more = 1;
	while (more > 0) {
		size_t present = log->buffer.length - log->begin;
		if (present > searched) {
			const char *from = log->buffer.bytes + log->begin;
			const char *stop = memchr(from + searched, '\n', present - searched);
			if (stop) {
				*length = (size_t)(stop - from) - skip;
				return 1;
			}
			searched = present;
		}
		more = read_more(log, error);
	}
	return more;
}

/* Is that the server's note that the line before it is torn? */
static bool notes_torn(const char *line, size_t length)
{
	struct record_view record;
	char copy[TORN_NOTE_MAX]; /* a line can be taken apart once only */
	if (length > sizeof copy || !memmem(line, length, torn_note, strlen(torn_note)))
		return false;
	memcpy(copy, line, length);
	return record_read(copy, length, &record) && record_is_server_note(&record) &&
	       slice_begins(record.bytes, torn_note);
}

/* Is a line marked as torn? In CSV the mark can be in quotes that were open. */
static bool has_mark(struct slice line)
{
	return slice_ends(line, RECORD_TORN) || slice_ends(line, RECORD_TORN "\"");
}

/* Is the next line, of that length, torn? It is marked as such, the file ended in it when the
 * writer of this log began, or the line behind it says so. 1, 0, or -1 with the error set. */
static int is_torn(struct log_reader *log, size_t length, struct error *error)
{
	int64_t end = log->at + (int64_t)length + 1;
	if (has_mark((struct slice){log->buffer.bytes + log->begin, length}))
		return 1;
	if (end >= log->old)
		return log->at < log->old && end > log->old;
	int found = find_line(log, length + 1, &log->next, error);
	log->looked = found > 0;
	return found > 0 ? notes_torn(log->buffer.bytes + log->begin + length + 1, log->next)
			 : found;
}

/* Goes on behind bytes of the buffer. Returns their beginning. */
static char *take(struct log_reader *log, size_t length)
{
	char *bytes = log->buffer.bytes + log->begin;
	log->start = log->at;
	log->number++;
	log->at += (int64_t)length;
	log->begin += length;
	return bytes;
}

/* Takes a plain line. False: it was torn, and the server has closed it. */
static bool take_plain(struct log_reader *log, size_t length)
{
	struct slice line = {take(log, length + 1), length};
	log->record = (struct record_view){.event = RECORD_RECEIVED, .bytes = line};
	bool torn = slice_ends(line, RECORD_TORN);
	log->closed += torn;
	return !torn;
}

static enum log_line file_next(struct log_reader *log, struct error *error)
{
	log->record = (struct record_view){0};
	for (;;) {
		size_t length = log->next;
		int found = log->looked ? 1 : find_line(log, 0, &length, error);
		size_t rest = log->buffer.length - log->begin;
		log->looked = false;
		if (found < 0)
			return LOG_UNREADABLE;
		if (!found && (!rest || log->limit != LOG_READER_ALL))
			return LOG_END;
		if (!found) {
			log->record.bytes = (struct slice){take(log, rest), rest};
			return LOG_TORN;
		}
		if (log->plain) {
			if (take_plain(log, length))
				return LOG_RECORD;
			continue;
		}
		int torn = is_torn(log, length, error);
		if (torn < 0)
			return LOG_UNREADABLE;
		char *line = take(log, length + 1);
		log->closed += torn;
		if (torn || record_is_header(line, length))
			continue;
		if (record_read(line, length, &log->record))
			return LOG_RECORD;
		log->record = (struct record_view){.bytes = {line, length}};
		return LOG_GARBAGE;
	}
}

static int64_t file_line(const struct log_reader *log, int64_t number, const char **name)
{
	struct log_reader before = log_reader_part(log, 0, log->offset);
	struct error error;
	enum log_line kind;
	*name = log->name;
	do
		kind = file_next(&before, &error);
	while (kind < LOG_END);
	buffer_free(&before.buffer);
	return number + (kind == LOG_END ? before.number : 0);
}

const struct log_source log_source_file = {
	.name = "file",
	.open = file_open,
	.next = file_next,
	.rewind = file_rewind,
	.line = file_line,
	.end = file_end,
	.close = file_close,
};
