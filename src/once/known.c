/* SPDX-License-Identifier: MIT */
#include "once/known.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/append_file.h"
#include "once/fnv.h"
#include "once/words.h"
#include "record/escape.h"
#include "record/log_back.h"
#include "record/log_reader.h"
#include "record/note_search.h"

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
	if (found == LOG_RECORD && record_is_server_note(&log->record))
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
	bool whole = found == LOG_RECORD && record_is_server_note(&log->record) &&
		     known_head_read(log->record.bytes, &count);
	for (; whole && count; count--) {
		found = next_record(log, error);
		whole = found == LOG_RECORD && record_is_server_note(&log->record) &&
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

/* Fills the table from the last whole block; *end is where it ends, or 0, and *block where it
 * begins. -1: the error is set. */
static int find_block(struct senders *senders, const struct log_reader *log, int64_t *block,
		      int64_t *end, struct error *error)
{
	struct note_search search;
	uint64_t count;
	int more = 1, found = 0;
	*block = *end = 0;
	if (!note_search_begin(&search, log, KNOWN))
		more = error_set(error, "cannot recover senders: out of memory");
	while (!found && more > 0 && (more = note_search_back(&search, error)) > 0) {
		if (!known_head_read(search.note, &count))
			continue;
		struct log_reader part = log_reader_part(log, search.at, log->limit);
		found = read_block(senders, &part, error);
		if (found > 0) {
			*block = search.at;
			*end = part.at;
		}
		buffer_free(&part.buffer);
	}
	note_search_end(&search);
	return found < 0 || more < 0 ? -1 : 0;
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

/* Opens files back to the one with the last block, or the first one, and fills the table from the
 * block. In that file reading begins at *from. -1: the error is set. */
static int find_files(struct senders *senders, struct log_back *back, bool appends, int64_t *from,
		      struct known *known, struct error *error)
{
	for (;;) {
		const struct log_reader *log = &back->files[back->count - 1].log;
		int64_t block;
		if (find_block(senders, log, &block, from, error) < 0)
			return -1;
		known->behind = back->count > 1 ? SIZE_MAX : (size_t)(log->limit - block);
		if (*from)
			return 0;
		int more = log_back_more(back, appends, error);
		if (more <= 0)
			return more < 0 ? -1 : 0;
	}
}

/* A server at another level may have left lines in memory alone, in closed files too; the sink
 * syncs none but the last one. Their senders are going to be told that the log has them. */
static int read_file(struct senders *senders, const struct log_reader *log, int64_t from, bool sync,
		     struct known *known, struct error *error)
{
	struct log_reader rest = log_reader_part(log, from, log->limit);
	int result = read_on(senders, &rest, known, error);
	buffer_free(&rest.buffer);
	if (result == 0 && sync && append_file_calls.fdatasync(log->descriptor) < 0)
		return error_set(error, "cannot sync %.200s: %s", log->name, strerror(errno));
	return result;
}

int known_recover(struct senders *senders, const char *name, bool appends, bool sync,
		  struct known *known, struct error *error)
{
	struct log_back back = {0};
	int64_t from;
	*known = (struct known){0};
	int result = log_back_open(&back, name, error);
	if (result == 0)
		result = find_files(senders, &back, appends, &from, known, error);
	for (size_t i = back.count; result == 0 && i-- > 0; from = 0)
		result = read_file(senders, &back.files[i].log, from, sync, known, error);
	log_back_close(&back);
	return result;
}
