/* SPDX-License-Identifier: MIT */
#include "relay/recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/closed_files.h"
#include "record/log_before.h"
#include "record/note_search.h"
#include "relay/mark.h"
#include "relay/relay.h"

/* In the note of a start: by a relay, or by one before any service could forward. */
#define RELAY_SERVICE ", service relay,"

/* A place between two records: so many lines are before it. */
struct place {
	size_t file;
	int64_t offset;
	uint64_t lines;
};

enum { PLACES = 64, PLACES_FIRST = 1 << 10 };

/* Places that were passed, at least `every` lines apart: that of a line is found without reading
 * all again, over any number of files. */
struct places {
	struct place places[PLACES];
	size_t count;
	uint64_t every;
};

static void add_place(struct places *places, const struct place *place)
{
	const struct place *last = places->count ? &places->places[places->count - 1] : NULL;
	if (last && place->lines - last->lines < places->every)
		return;
	if (places->count == PLACES) { /* only each second one is kept */
		for (size_t i = 0; i < PLACES / 2; i++)
			places->places[i] = places->places[2 * i];
		places->count = PLACES / 2;
		places->every *= 2;
	}
	places->places[places->count++] = *place;
}

/* The last one that is not behind the line of that number; the first one is not. */
static struct place find_place(const struct places *places, uint64_t number)
{
	size_t i = places->count - 1;
	while (i && places->places[i].lines > number)
		i--;
	return places->places[i];
}

/* --- reading on --- */

static bool has(struct slice note, const char *words)
{
	return memmem(note.bytes, note.length, words, strlen(words));
}

static void take_note(struct recovery *recovery, struct slice note)
{
	uint64_t number;
	char name[RELAY_NAME_SIZE];
	if (slice_begins(note, RECORD_LISTENING))
		recovery->relayed |= has(note, ", " RELAY_FORWARDS) || has(note, RELAY_SERVICE);
	if (relay_name_read(note, name, &number)) {
		memcpy(recovery->name, name, sizeof name);
		if (recovery->behind > number)
			recovery->behind = number;
	}
	if (slice_skip(&note, RELAY_ACKNOWLEDGED) && slice_number(&note, &number) && !note.length) {
		recovery->acknowledged = number;
		recovery->behind = UINT64_MAX;
	}
}

static const struct log_reader *file_at(const struct recovery *recovery, const struct place *at)
{
	return &recovery->back.files[at->file].log;
}

/* Reads a file on from a place, up to an offset, or the line of that number, which it passes. With
 * `places`, which gets those that are passed, it takes notes. -1: the error is set. */
static int pass_file(struct recovery *recovery, struct place *at, int64_t limit, uint64_t number,
		     struct places *places, struct error *error)
{
	struct log_reader log = log_reader_part(file_at(recovery, at), at->offset, limit);
	enum log_line found = LOG_RECORD;
	while (at->lines < number && (found = log_reader_next_record(&log, error)) == LOG_RECORD) {
		bool received = log.record.event == RECORD_RECEIVED;
		at->lines += received;
		at->offset = log.at;
		if (received && places)
			add_place(places, at);
		if (log.record.event == RECORD_NOTE && places)
			take_note(recovery, log_reader_unescape(&log));
	}
	at->offset = log.at;
	buffer_free(&log.buffer);
	return found == LOG_UNREADABLE ? -1 : 0;
}

/* The same over all files up to another place. */
static int pass(struct recovery *recovery, struct place *at, const struct place *until,
		uint64_t number, struct places *places, struct error *error)
{
	for (;;) {
		bool last = at->file == until->file;
		int64_t limit = last ? until->offset : file_at(recovery, at)->limit;
		if (pass_file(recovery, at, limit, number, places, error) < 0)
			return -1;
		if (last || at->lines >= number)
			return 0;
		at->file--;
		at->offset = 0;
	}
}

/* --- going back --- */

/* The end of the file that was opened last. */
static void go_to_end(const struct recovery *recovery, struct place *at)
{
	at->file = recovery->back.count - 1;
	at->offset = file_at(recovery, at)->limit;
}

/* Goes back to the last mark before a place, in the same file. 1; 0: there is none; -1: the error
 * is set. */
static int find_mark(const struct recovery *recovery, struct place *at, struct relay_mark *mark,
		     struct error *error)
{
	const struct log_reader part = log_reader_part(file_at(recovery, at), 0, at->offset);
	struct note_search search;
	int found = -1;
	if (note_search_begin(&search, &part, RELAY_MARK))
		while ((found = note_search_back(&search, error)) > 0 &&
		       !relay_mark_read(search.note, mark))
			;
	else
		error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
	if (found > 0) {
		at->offset = search.at;
		at->lines = mark->lines;
	}
	note_search_end(&search);
	return found;
}

/* Goes back to the last mark, or to where the log begins. 1: there is one; 0; -1: the error is set.
 */
static int find_last_mark(struct recovery *recovery, bool appends, struct place *at,
			  struct relay_mark *mark, struct error *error)
{
	int found, more = 1;
	do {
		go_to_end(recovery, at);
		found = find_mark(recovery, at, mark, error);
		if (!found)
			more = log_back_more(&recovery->back, appends, error);
	} while (!found && more > 0);
	if (found)
		return found;
	at->offset = 0;
	return more == -1 ? -1 : 0; /* what is missing was not a relay's */
}

/* Opens the file before those that are open: by its note, or, where another program has renamed
 * it, that of the log's which was written to last before. As log_back_more(). */
static int open_before(struct recovery *recovery, bool appends, struct error *error)
{
	struct log_back *back = &recovery->back;
	struct closed_file before;
	int more = log_back_more(back, appends, error);
	if (more || !appends)
		return more;
	more = closed_file_older(back->files[0].name, back->files[back->count - 1].name, &before);
	if (more <= 0)
		return more < 0 ? error_set(error, "cannot find the file before %.200s: %s",
					    back->files[back->count - 1].name, strerror(errno))
				: 0;
	more = log_back_open(back, before.name, error);
	free(before.name);
	return more < 0 ? -1 : 1;
}

/* Goes back from a mark to one that is not behind the first line that is not acknowledged. 1; 0:
 * there is none, and the place is the first mark that there is; -1: the error is set. */
static int find_mark_before(struct recovery *recovery, bool appends, struct place *place,
			    struct error *error)
{
	struct place at = *place;
	struct relay_mark mark;
	int more = 1;
	while (more > 0) {
		int found = find_mark(recovery, &at, &mark, error);
		if (found < 0)
			return -1;
		if (found)
			*place = at;
		if (found && at.lines <= recovery->acknowledged)
			return 1;
		if (!found && (more = open_before(recovery, appends, error)) > 0)
			go_to_end(recovery, &at);
	}
	return more == -1 ? -1 : 0;
}

/* Goes from the first mark to where the log begins, if that is where the oldest file does. If not,
 * the lines between are in no file. -1: the error is set. */
static int find_beginning(struct recovery *recovery, struct place *place, struct error *error)
{
	const struct place first = *place, begin = {.file = recovery->back.count - 1};
	struct place at = begin;
	if (pass(recovery, &at, &first, UINT64_MAX, NULL, error) < 0)
		return -1;
	if (at.lines == first.lines) {
		*place = begin;
		return 0;
	}
	recovery->lost = first.lines - recovery->acknowledged;
	recovery->acknowledged = first.lines;
	return 0;
}

/* The first line that is not acknowledged is before a mark: finds its place. -1: the error is set.
 */
static int go_back(struct recovery *recovery, bool appends, struct place *place,
		   struct error *error)
{
	struct place mark = *place, at = *place;
	int found = find_mark_before(recovery, appends, &at, error);
	if (found < 0 || (!found && find_beginning(recovery, &at, error) < 0) ||
	    pass(recovery, &at, &mark, recovery->acknowledged, NULL, error) < 0)
		return -1;
	*place = at;
	if (pass(recovery, &at, &mark, UINT64_MAX, NULL, error) < 0)
		return -1;
	if (at.lines == mark.lines)
		return 0;
	return error_set(error,
			 "cannot forward from the log %.200s: it says that %" PRIu64
			 " lines are before one of its notes, and there are %" PRIu64,
			 recovery->back.files[0].name, mark.lines, at.lines);
}

/* --- all of it --- */

static void take_mark(struct recovery *recovery, const struct relay_mark *mark,
		      const struct place *at)
{
	memcpy(recovery->name, mark->name, sizeof recovery->name);
	recovery->acknowledged = mark->acknowledged;
	recovery->behind = mark->max;
	recovery->behind_file = mark->behind_file;
	recovery->relayed = true;
	if (!at->file)
		recovery->since = (size_t)(file_at(recovery, at)->limit - at->offset);
}

/* There is no mark: sets behind which number the files of this log are. */
static int find_behind_file(struct recovery *recovery, struct error *error)
{
	const struct log_back_file *files = recovery->back.files;
	bool compressed;
	uint64_t first = 0;
	for (size_t i = 1; i < recovery->back.count; i++)
		first = closed_file_number(files[0].name, files[i].name, &compressed);
	if (first)
		recovery->behind_file = first - 1;
	else if (closed_files_last(files[0].name, &recovery->behind_file) < 0)
		return error_set(error, "cannot list the closed files of %.200s: %s", files[0].name,
				 strerror(errno));
	return 0;
}

int recovery_read(struct recovery *recovery, const char *name, bool appends, struct error *error)
{
	struct places places = {.every = PLACES_FIRST};
	struct relay_mark mark;
	struct place place = {0};
	struct stat status;
	*recovery = (struct recovery){.behind = UINT64_MAX, .since = SIZE_MAX};
	if (stat(name, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error,
				 "cannot forward from the log %.200s: it is not a regular file",
				 name);
	int found = log_back_open(&recovery->back, name, error);
	if (found == 0)
		found = find_last_mark(recovery, appends, &place, &mark, error);
	if (found < 0 || (!found && find_behind_file(recovery, error) < 0))
		return -1;
	if (found)
		take_mark(recovery, &mark, &place);
	add_place(&places, &place);
	struct place at = place, end = {.offset = recovery->back.files[0].log.limit};
	if (pass(recovery, &at, &end, UINT64_MAX, &places, error) < 0)
		return -1;
	recovery->lines = at.lines;
	if (recovery->acknowledged > at.lines) /* lines were taken out: the rest was forwarded */
		recovery->acknowledged = at.lines;
	if (recovery->behind > at.lines)
		recovery->behind = at.lines;
	if (recovery->acknowledged < place.lines) {
		if (go_back(recovery, appends, &place, error) < 0)
			return -1;
	} else {
		place = find_place(&places, recovery->acknowledged);
		if (pass(recovery, &place, &end, recovery->acknowledged, NULL, error) < 0)
			return -1;
	}
	recovery->file = place.file;
	recovery->offset = place.offset;
	return 0;
}

void recovery_end(struct recovery *recovery)
{
	log_back_close(&recovery->back);
}
