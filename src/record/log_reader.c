/* SPDX-License-Identifier: MIT */
#include "record/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "record/escape.h"

enum {
	BUFFER_FIRST = 1 << 18,
	TORN_NOTE_MOST = 256,  /* above the longest line that notes a torn one */
	BUFFER_MOST = 1 << 29, /* above the longest record: 64 MiB, each byte as \xNN */
};

static const char torn_words[] = "the line before this one is torn";
static const char start_words[] = "listening on ";
static const char acknowledgement[] = "ok";

static int unreadable(const char *name, int errnum, struct error *error)
{
	return error_set(error, "cannot read %.200s: %s", name, strerror(errnum));
}

int log_reader_rewind(struct log_reader *log, struct error *error)
{
	if (lseek(log->descriptor, log->offset, SEEK_SET) < 0)
		return unreadable(log->name, errno, error);
	log->begin = log->end = 0;
	log->exhausted = log->ahead_there = false;
	log->number = log->closed = 0;
	return 0;
}

int log_reader_open(struct log_reader *log, const char *name, int64_t offset, struct error *error)
{
	*log = (struct log_reader){.name = name, .offset = offset, .capacity = BUFFER_FIRST};
	/* not blocking: opening a FIFO would wait for somebody who writes it */
	log->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (log->descriptor < 0)
		return unreadable(name, errno, error);
	struct stat status;
	int result = -1;
	if (fstat(log->descriptor, &status) < 0)
		unreadable(name, errno, error);
	else if (!S_ISREG(status.st_mode))
		error_set(error, "cannot read %.200s: it is not a regular file", name);
	else if (!(log->buffer = memory_malloc(log->capacity)))
		unreadable(name, ENOMEM, error);
	else
		result = log_reader_rewind(log, error);
	if (result < 0)
		log_reader_close(log);
	return result;
}

/* Makes room behind the end: moves what is still needed, from `keep` on, to the front. */
static bool make_room(struct log_reader *log, size_t keep)
{
	if (keep) {
		memmove(log->buffer, log->buffer + keep, log->end - keep);
		log->begin -= keep;
		log->end -= keep;
		log->ahead.start -= keep;
	}
	if (log->end < log->capacity)
		return true;
	char *larger =
		log->capacity < BUFFER_MOST ? memory_realloc(log->buffer, log->capacity * 2) : NULL;
	if (!larger)
		return false;
	log->buffer = larger;
	log->capacity *= 2;
	return true;
}

/* Reads more behind the end. 0, or -1 with errno. */
static int read_more(struct log_reader *log)
{
	ssize_t length;
	do
		length = read(log->descriptor, log->buffer + log->end, log->capacity - log->end);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -1;
	log->end += (size_t)length;
	log->exhausted = length == 0;
	return 0;
}

/* Sets `ahead` to the next line of the file, keeping the current one, at its old `ahead`, in the
 * buffer. *shift is by how much that one has been moved. */
static int look_ahead(struct log_reader *log, size_t *shift, struct error *error)
{
	size_t searched = 0;
	*shift = 0;
	for (;;) {
		const char *from = log->buffer + log->begin;
		size_t there = log->end - log->begin;
		const char *stop = memchr(from + searched, '\n', there - searched);
		if (stop || log->exhausted) {
			size_t length = stop ? (size_t)(stop - from) : there;
			log->ahead_there = length || stop;
			log->ahead = (struct verify_piece){log->begin, length, stop != NULL};
			log->begin += length + (stop ? 1 : 0);
			return 0;
		}
		searched = there;
		size_t keep = log->ahead_there ? log->ahead.start : log->begin;
		*shift += keep;
		if (!make_room(log, keep))
			return error_set(error, "cannot read %.200s: line %" PRId64 " is too long",
					 log->name, log->number + 1);
		if (read_more(log) < 0)
			return unreadable(log->name, errno, error);
	}
}

static bool begins_with(const struct record_view *record, const char *words)
{
	size_t length = strlen(words);
	return record->length >= length && !memcmp(record->bytes, words, length);
}

static bool by_server(const struct record_view *record)
{
	return record->event == RECORD_NOTE && record->subject_length == strlen(RECORD_SERVER) &&
	       !memcmp(record->subject, RECORD_SERVER, record->subject_length);
}

bool verify_is_start(const struct record_view *record)
{
	return by_server(record) && begins_with(record, start_words);
}

bool verify_notes_torn(const char *line, size_t length)
{
	struct record_view record;
	char copy[TORN_NOTE_MOST]; /* a line can be taken apart once only */
	if (length > sizeof copy || !memmem(line, length, torn_words, strlen(torn_words)))
		return false;
	memcpy(copy, line, length);
	return record_read(copy, length, &record) && by_server(&record) &&
	       begins_with(&record, torn_words);
}

/* Does the line ahead say that the current one is torn? */
static bool torn_by_next(const struct log_reader *log)
{
	return log->ahead_there &&
	       verify_notes_torn(log->buffer + log->ahead.start, log->ahead.length);
}

enum verify_line log_reader_next(struct log_reader *log, struct error *error)
{
	size_t shift;
	struct verify_piece current;
	char *line;
	bool torn;
	if (!log->number && !log->ahead_there && look_ahead(log, &shift, error) < 0)
		return VERIFY_BROKEN;
	do {
		if (!log->ahead_there)
			return VERIFY_END;
		current = log->ahead;
		if (look_ahead(log, &shift, error) < 0)
			return VERIFY_BROKEN;
		log->number++;
		line = log->buffer + current.start - shift;
		torn = torn_by_next(log);
		log->closed += torn;
	} while (torn || record_is_header(line, current.length));
	log->bytes = line;
	log->length = current.length;
	if (!current.whole)
		return VERIFY_TORN;
	return record_read(line, log->length, &log->record) ? VERIFY_RECORD : VERIFY_GARBAGE;
}

static bool same_turn(const struct verify_turn *one, const struct verify_turn *other)
{
	return one->thread == other->thread && one->iteration == other->iteration &&
	       one->client == other->client;
}

int log_reader_search(struct log_reader *log, struct verify_search *search, struct error *error)
{
	enum verify_line kind;
	search->got_line = search->due_line = 0;
	if (log_reader_rewind(log, error) < 0)
		return -1;
	while ((kind = log_reader_next(log, error)) != VERIFY_END) {
		struct verify_turn turn;
		if (kind == VERIFY_BROKEN)
			return -1;
		if (kind != VERIFY_RECORD || log->record.event != RECORD_RECEIVED ||
		    log->number < search->first ||
		    !verify_turn_read(log->record.bytes, log->record.length, &turn) ||
		    !search->belongs(search->context, &log->record))
			continue;
		if (!search->got_line && same_turn(&turn, &search->got))
			search->got_line = log->number;
		if (!search->due_line && same_turn(&turn, &search->due))
			search->due_line = log->number;
	}
	return 0;
}

int64_t log_reader_lines_before(const struct log_reader *log)
{
	char piece[16384];
	int64_t lines = 0, at = 0;
	while (at < log->offset) {
		int64_t left = log->offset - at;
		size_t want = left < (int64_t)sizeof piece ? (size_t)left : sizeof piece;
		ssize_t length = pread(log->descriptor, piece, want, at);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return 0;
		for (ssize_t i = 0; i < length; i++)
			lines += piece[i] == '\n';
		at += length;
	}
	return lines;
}

void log_reader_close(struct log_reader *log)
{
	if (log->descriptor >= 0)
		(void)close(log->descriptor); /* it was only read */
	log->descriptor = -1;
	free(log->buffer);
	log->buffer = NULL;
}

/* A decimal number without leading zeros, as a client writes it. */
static bool scan_number(const char **at, const char *end, int64_t *number)
{
	const char *digits = *at;
	int64_t value = 0;
	while (*at < end && **at >= '0' && **at <= '9' && *at - digits < 18)
		value = value * 10 + (*(*at)++ - '0');
	*number = value;
	return *at > digits && (*digits != '0' || *at == digits + 1);
}

static bool scan_word(const char **at, const char *end, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(end - *at) < length || memcmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

bool verify_turn_read(const char *bytes, size_t length, struct verify_turn *turn)
{
	const char *at = bytes, *end = bytes + length;
	*turn = (struct verify_turn){0};
	if (scan_word(&at, end, "Thread "))
		return scan_number(&at, end, &turn->thread) &&
		       scan_word(&at, end, ", iteration ") &&
		       scan_number(&at, end, &turn->iteration) && at == end && turn->iteration > 0;
	return scan_word(&at, end, "Hello from client ") && scan_number(&at, end, &turn->client) &&
	       scan_word(&at, end, ", message ") && scan_number(&at, end, &turn->iteration) &&
	       at == end && turn->client > 0 && turn->iteration > 0;
}

void verify_turn_write(const struct verify_turn *turn, char words[VERIFY_TURN_SIZE])
{
	/* always fits */
	if (turn->client)
		(void)snprintf(words, VERIFY_TURN_SIZE,
			       "Hello from client %" PRId64 ", message %" PRId64, turn->client,
			       turn->iteration);
	else
		(void)snprintf(words, VERIFY_TURN_SIZE, "Thread %" PRId64 ", iteration %" PRId64,
			       turn->thread, turn->iteration);
}

bool verify_acknowledges(const struct record_view *record)
{
	return record->event == RECORD_SENT && record->length == strlen(acknowledgement) &&
	       !memcmp(record->bytes, acknowledgement, record->length);
}

void verify_excerpt(const char *bytes, size_t length, char words[VERIFY_EXCERPT_SIZE])
{
	struct buffer escaped = {0};
	size_t most = VERIFY_EXCERPT_SIZE - sizeof "...";
	size_t taken = length < most ? length : most;
	char plain[VERIFY_EXCERPT_SIZE];
	memcpy(plain, bytes, taken);
	/* what the log has escaped is not to be escaped once more */
	bool shown = record_escape(&escaped, plain, record_unescape(plain, taken));
	size_t fits = escaped.length < most ? escaped.length : most;
	bool cut = !shown || length > most || escaped.length > most;
	(void)snprintf(words, VERIFY_EXCERPT_SIZE, "%.*s%s", (int)fits,
		       shown && escaped.bytes ? escaped.bytes : "", cut ? "..." : "");
	buffer_free(&escaped);
}
