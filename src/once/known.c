/* SPDX-License-Identifier: MIT */
#include "once/known.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "once/fnv.h"
#include "once/words.h"
#include "record/escape.h"
#include "record/log_reader.h"

enum {
	CHUNK = 1 << 18, /* bytes that are searched at once */
	HEAD_MAX = 256,	 /* above the longest record `known N senders`, in any format */
};

bool known_write(const struct senders *senders, struct buffer *notes)
{
	size_t count = 0;
	for (const struct sender *at = senders->first; at; at = at->following)
		count += at->last > 0;
	if (!buffer_printf(notes, KNOWN "%zu" KNOWN_SENDERS "\n", count))
		return false;
	for (const struct sender *at = senders->first; at; at = at->following)
		if (at->last && !buffer_printf(notes, KNOWN "%s %" PRIu64 " %016" PRIx64 "\n",
					       at->name, at->last, at->hash))
			return false;
	return true;
}

/* --- what notes say --- */

static bool is_note(const struct record_view *record)
{
	return record->event == RECORD_NOTE && slice_equals(record->subject, RECORD_SERVER);
}

/* --- the table --- */

/* The log has that sender, NULL for one of which it had no line, up to that number. -1: the error
 * is set. */
static int set_last(struct senders *senders, struct sender *sender, struct slice name,
		    uint64_t number, uint64_t hash, struct error *error)
{
	if (!sender && !(sender = senders_add(senders, name)))
		return errno == ENOSPC ? error_set(error,
						   "the log has lines of more than %zu senders: "
						   "-senders",
						   senders->max)
				       : error_set(error, "cannot recover senders: out of memory");
	sender->last = number;
	sender->hash = hash;
	sender->due = sender->next = number + 1;
	return 0;
}

static void empty(struct senders *senders)
{
	size_t max = senders->max;
	senders_free(senders);
	senders->max = max;
}

/* Takes a line. Where numbers do not follow each other, the highest one counts. */
static int take_line(struct senders *senders, struct log_reader *log, struct known *known,
		     struct error *error)
{
	char name[4 * SENDER_NAME_MAX];
	struct slice escaped = log->record.sender;
	if (escaped.length > sizeof name)
		return 0; /* not one of ours */
	memcpy(name, escaped.bytes, escaped.length);
	struct slice sender = {name, record_unescape(name, escaped.length)};
	if (!sender_is_name(sender))
		return 0; /* in a block it would make all others unreadable */
	struct sender *before = senders_find(senders, sender);
	uint64_t last = before ? before->last : 0, number = log->record.number;
	known->lines++;
	known->odd += last && number != last + 1;
	if (number <= last || number > SENDER_NUMBER_MAX)
		return 0;
	struct slice line = log_reader_unescape(log);
	return set_last(senders, before, sender, number, fnv1a_64(line.bytes, line.length), error);
}

/* --- the search for the last block --- */

/* The next record; with its bytes unescaped, if it is a note of the server. */
static enum log_line next_record(struct log_reader *log, struct error *error)
{
	enum log_line found = log_reader_next_record(log, error);
	if (found == LOG_RECORD && is_note(&log->record))
		(void)log_reader_unescape(log);
	return found;
}

/* Reads a block from its head on. 1; 0: it is none, or is not whole, and the table is empty; -1:
 * the error is set. */
static int read_block(struct senders *senders, struct log_reader *log, struct error *error)
{
	uint64_t count, number, hash;
	struct slice name;
	enum log_line found = next_record(log, error);
	bool whole = found == LOG_RECORD && is_note(&log->record) &&
		     known_head_read(log->record.bytes, &count);
	for (; whole && count; count--) {
		found = next_record(log, error);
		whole = found == LOG_RECORD && is_note(&log->record) &&
			known_sender_read(log->record.bytes, &name, &number, &hash) &&
			sender_is_name(name);
		if (whole &&
		    set_last(senders, senders_find(senders, name), name, number, hash, error) < 0)
			return -1;
	}
	if (found == LOG_UNREADABLE)
		return -1;
	if (!whole)
		empty(senders);
	return whole;
}

/* The part of a log that is searched. */
struct window {
	char bytes[CHUNK + 2 * HEAD_MAX];
	size_t length;
	int64_t start; /* in the file */
};

/* Reads the part that begins there. False: errno is set. */
static bool read_window(struct window *window, const struct log_reader *log, int64_t start)
{
	int64_t left = log->limit - start, max = sizeof window->bytes;
	window->start = start;
	window->length = 0;
	while ((int64_t)window->length < left && (int64_t)window->length < max) {
		ssize_t got = pread(log->descriptor, window->bytes + window->length,
				    (size_t)(left < max ? left : max) - window->length,
				    start + (int64_t)window->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got ? errno : EIO;
			return false;
		}
		window->length += (size_t)got;
	}
	return true;
}

/* Whether a line of the window, whose beginning and end are given, is the head of a block. */
static bool is_head_line(const char *line, const char *end)
{
	char copy[HEAD_MAX]; /* it can be read once */
	size_t length = (size_t)(end - line);
	struct record_view record;
	uint64_t count;
	if (length > sizeof copy)
		return false;
	memcpy(copy, line, length);
	return record_read(copy, length, &record) && is_note(&record) &&
	       known_head_read(record.bytes, &count);
}

/* Where the last head before `limit` begins, of those that are whole in the window; -1: there is
 * none. */
static int64_t find_head(const struct window *window, int64_t limit)
{
	const char *begin = window->bytes, *end = begin + window->length, *at = begin, *line, *stop;
	int64_t found = -1;
	/* once a line: a peer may have filled it with that word */
	for (; (at = memmem(at, (size_t)(end - at), KNOWN, strlen(KNOWN))); at = stop) {
		const char *feed = memrchr(begin, '\n', (size_t)(at - begin));
		if (!(stop = memchr(at, '\n', (size_t)(end - at))))
			break;
		line = feed ? feed + 1 : begin;
		if ((feed || !window->start) && window->start + (line - begin) < limit &&
		    is_head_line(line, stop))
			found = window->start + (line - begin);
	}
	return found;
}

/* Fills the table from the last whole block; *end is where it ends, or 0, and *block where it
 * begins. -1: the error is set. */
static int find_block(struct senders *senders, const struct log_reader *log, int64_t *block,
		      int64_t *end, struct error *error)
{
	struct window *window = memory_malloc(sizeof *window);
	int64_t limit = log->limit, start = limit - CHUNK;
	int found = 0;
	if (!window)
		return error_set(error, "cannot recover senders: out of memory");
	for (; !found && limit > 0; start -= CHUNK) {
		int64_t from = start < 0 ? 0 : start, head;
		if (!read_window(window, log, from)) {
			found = error_set(error, "cannot read %.200s: %s", log->name,
					  strerror(errno));
			break;
		}
		while (!found && (head = find_head(window, limit)) >= 0) {
			struct log_reader part = log_reader_part(log, head, log->limit);
			found = read_block(senders, &part, error);
			limit = *block = head;
			*end = part.at;
			buffer_free(&part.buffer);
		}
		if (from == 0)
			break;
	}
	if (!found)
		*block = *end = 0;
	free(window);
	return found < 0 ? -1 : 0;
}

/* --- all of it --- */

static int read_on(struct senders *senders, struct log_reader *log, struct known *known,
		   struct error *error)
{
	enum log_line found;
	while ((found = log_reader_next_record(log, error)) == LOG_RECORD)
		if (log->record.sender.length && take_line(senders, log, known, error) < 0)
			return -1;
	return found == LOG_UNREADABLE ? -1 : 0;
}

static int recover(struct senders *senders, struct log_reader *log, bool sync, struct known *known,
		   struct error *error)
{
	int64_t block = 0, end = 0;
	if (find_block(senders, log, &block, &end, error) < 0)
		return -1;
	known->behind = (size_t)(log->limit - block);
	struct log_reader rest = log_reader_part(log, end, log->limit);
	int result = read_on(senders, &rest, known, error);
	buffer_free(&rest.buffer);
	if (result == 0 && sync && fdatasync(log->descriptor) < 0)
		return error_set(error, "cannot sync %.200s: %s", log->name, strerror(errno));
	return result;
}

int known_recover(struct senders *senders, const char *name, bool sync, struct known *known,
		  struct error *error)
{
	struct log_reader log;
	struct stat status;
	*known = (struct known){0};
	if (log_reader_open(&log, name, 0, error) < 0)
		return -1;
	(void)fstat(log.descriptor, &status); /* fails for no open regular file */
	log.old = log.limit = status.st_size;
	int result = recover(senders, &log, sync, known, error);
	log_reader_close(&log);
	return result;
}
