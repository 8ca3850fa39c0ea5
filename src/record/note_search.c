/* SPDX-License-Identifier: MIT */
#include "record/note_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { WINDOW = 1 << 18 }; /* bytes that are searched at once */

/* The part of the log that is searched. It ends where a line begins, or amid a line that is longer
 * than a window. */
struct note_window {
	int64_t start; /* in the file */
	size_t length;
	char line[NOTE_SEARCH_LINE_MAX]; /* the note that was found: a line can be read once */
	char bytes[WINDOW];
};

bool note_search_begin(struct note_search *search, const struct log_reader *log, const char *words)
{
	*search = (struct note_search){.log = log, .words = words, .at = log->limit};
	search->window = memory_malloc(sizeof *search->window);
	if (!search->window)
		return false;
	search->window->start = log->limit;
	search->window->length = 0;
	return true;
}

void note_search_end(struct note_search *search)
{
	free(search->window);
}

/* Reads the part that ends at `at`. False: errno is set. */
static bool read_window(struct note_search *search)
{
	struct note_window *window = search->window;
	size_t wanted = search->at < WINDOW ? (size_t)search->at : WINDOW;
	window->start = search->at - (int64_t)wanted;
	window->length = 0;
	while (window->length < wanted) {
		ssize_t got =
			pread(search->log->descriptor, window->bytes + window->length,
			      wanted - window->length, window->start + (int64_t)window->length);
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

/* Goes on before a window just read, if the words are not in it: at the first line that begins in
 * it, as the one before may have them in part. */
static void skip_window(struct note_search *search)
{
	const struct note_window *window = search->window;
	if (memmem(window->bytes, window->length, search->words, strlen(search->words)))
		return;
	const char *feed = memchr(window->bytes, '\n', window->length);
	search->at = window->start;
	if (feed && window->start)
		search->at += feed + 1 - window->bytes;
}

/* Whether the line is a note that begins with the words. */
static bool is_found(struct note_search *search, const char *line, size_t length)
{
	const char *words = search->words;
	char *copy = search->window->line;
	struct record_view record;
	if (length > NOTE_SEARCH_LINE_MAX || !memmem(line, length, words, strlen(words)))
		return false;
	memcpy(copy, line, length);
	if (!record_read(copy, length, &record) || !record_is_server_note(&record) ||
	    !slice_begins(record.bytes, words))
		return false;
	search->note = record.bytes;
	return true;
}

/* Goes back over the lines of the window. False: it has no more whole ones. */
static bool search_window(struct note_search *search, bool *found)
{
	const struct note_window *window = search->window;
	while (search->at > window->start) {
		size_t end = (size_t)(search->at - window->start) - 1;
		const char *feed = memrchr(window->bytes, '\n', end);
		if (!feed && window->start)
			return false;
		size_t begin = feed ? (size_t)(feed + 1 - window->bytes) : 0;
		search->at = window->start + (int64_t)begin;
		*found = window->bytes[end] == '\n' &&
			 is_found(search, window->bytes + begin, end - begin);
		if (*found)
			return true;
	}
	return false;
}

int note_search_back(struct note_search *search, struct error *error)
{
	bool found = false;
	while (!search_window(search, &found)) {
		struct note_window *window = search->window;
		if (!search->at)
			return 0;
		/* a line that is longer than the window is passed over */
		if (search->at == window->start + (int64_t)window->length &&
		    window->length == WINDOW)
			search->at = window->start;
		if (!read_window(search))
			return error_set(error, "cannot read %.200s: %s", search->log->name,
					 strerror(errno));
		skip_window(search);
	}
	return found;
}
