/* SPDX-License-Identifier: MIT */
/* Records in a database: a transaction for each batch. The database's file is opened besides, only
 * to lock it, as that of any log; SQLite's own locks on it last as long as that descriptor. */
#include "log/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "log/sync_name.h"
#include "record/database.h"

/* Bytes of the WAL: at each so many it is copied to the database; from so many on a reader that
 * prevents this is told of, and each time that they have doubled. */
enum { WAL_CHECKPOINT = 8 << 20, WAL_TELL = 64 << 20 };

enum { MICROSECONDS = 1000000 };

struct sqlite {
	struct sink sink;	 /* first member: the pointer is cast between the two types */
	struct append_file file; /* locked; nothing is written through it */
	struct database
		*database; /* NULL: it could not be opened anew, and is with the next batch */
	const struct log_settings *settings; /* borrowed */
	const char *target;		     /* a part of theirs */
	bool warned;			     /* of a directory that cannot be synced */
	bool failing;			     /* the last batch has failed */
	int64_t checkpoint_at, tell_at;	     /* bytes of the WAL */
	int64_t grown; /* what was told last; 0: nothing since it was emptied */
	char note[PATH_MAX + sizeof(struct error)];
};

/* --- opening --- */

static void set_note(struct sqlite *log, enum record_level level, const char *words,
		     const char *name)
{
	(void)snprintf(log->note, sizeof log->note, "%s%s", words, name);
	log->sink.note = log->note;
	log->sink.note_level = level;
}

static int open_database(struct sqlite *log, struct error *error)
{
	static const enum database_access access[] = {[LOG_SYNC_NONE] = DATABASE_NONE,
						      [LOG_SYNC_WRITE] = DATABASE_WRITE,
						      [LOG_SYNC_DISK] = DATABASE_DISK};
	log->database = database_open(log->target, access[log->settings->sync], error);
	log->checkpoint_at = WAL_CHECKPOINT;
	log->tell_at = WAL_TELL;
	log->grown = 0;
	return log->database ? 0 : -1;
}

/* The name of a file of SQLite's beside the database. -1: it is too long. */
static int name_beside(const struct sqlite *log, const char *suffix, char name[PATH_MAX])
{
	char path[PATH_MAX];
	if (realpath(log->target, path) &&
	    snprintf(name, PATH_MAX, "%s%s", path, suffix) < PATH_MAX)
		return 0;
	return -1;
}

/* A file that is locked: SQLite would take a new database for one that has lost its content, and
 * remove the WAL of an old one that was renamed without it. -1: the error is set. */
static int check_file(const struct sqlite *log, struct error *error)
{
	char wal[PATH_MAX];
	struct stat file, left;
	if (!log->file.regular)
		return error_set(error, "cannot open the log %s: it is not a regular file",
				 log->target);
	if (fstat(log->file.descriptor, &file) < 0 || name_beside(log, DATABASE_WAL, wal) < 0)
		return error_set(error, "cannot open the log %s: %s", log->target, strerror(errno));
	if (file.st_size || stat(wal, &left) < 0 || !left.st_size)
		return 0;
	return error_set(error,
			 "cannot open the log %.180s: %.180s has records of another database: if "
			 "it was renamed, rename that file like it",
			 log->target, wal);
}

/* Renames a database that holds records, and begins a new one. It must be a single file for that:
 * SQLite finds the others by its name. */
static int keep_old(struct sqlite *log, struct error *error)
{
	int64_t last = database_last(log->database, error);
	if (last <= 0)
		return last < 0 ? -1 : 0;
	int errnum = database_make_single(log->database, database_patience);
	if (errnum == EBUSY)
		return error_set(error,
				 "cannot rename the old log %.200s: another program has it open; "
				 "-append appends to it, -overwrite empties it",
				 log->target);
	if (errnum)
		return error_set(error, "cannot rename the old log %.200s: %s", log->target,
				 database_failure(log->database));
	database_close(log->database);
	log->database = NULL;
	if (append_file_begin(&log->file, log->target, OLD_KEEP, error) < 0 ||
	    open_database(log, error) < 0)
		return -1;
	set_note(log, RECORD_INFO, "the old log is kept as ", log->file.kept);
	return 0;
}

static int take_old(struct sqlite *log, struct error *error)
{
	if (log->settings->old == OLD_KEEP)
		return keep_old(log, error);
	if (log->settings->old == OLD_OVERWRITE && database_empty(log->database))
		return error_set(error, "cannot empty the log %.200s: %s", log->target,
				 database_failure(log->database));
	return 0;
}

static void sqlite_close(struct sink *sink)
{
	struct sqlite *log = (struct sqlite *)sink;
	database_close(log->database);
	append_file_close(&log->file); /* after it: see above */
	free(log);
}

static struct sink *sqlite_open(const char *target, const struct log_settings *settings,
				struct error *error)
{
	struct sqlite *log = memory_calloc(1, sizeof *log);
	if (!log)
		return error_null(error, "cannot open the log %s: %s", target, strerror(errno));
	*log = (struct sqlite){.sink = {.type = &sink_sqlite, .in_flight = 1},
			       .file = {.descriptor = -1},
			       .target = target,
			       .settings = settings};
	if (append_file_open(&log->file, target, OLD_APPEND, error) == 0 &&
	    check_file(log, error) == 0 && open_database(log, error) == 0 &&
	    take_old(log, error) == 0 && sync_name(settings, target, &log->warned, error) == 0)
		return &log->sink;
	sqlite_close(&log->sink);
	return NULL;
}

/* --- writing --- */

/* Takes the next bytes of a record. */
static struct slice take(const char **at, size_t length)
{
	struct slice slice = {*at, length};
	*at += length;
	return slice;
}

/* What the service adds; fields without a column are left out. */
static void take_fields(struct database_row *row, const struct sink_record *record, const char *at)
{
	uint64_t number;
	for (size_t i = 0; i < record->field_count; i++) {
		struct slice value = take(&at, record->fields[i].length);
		if (!strcmp(record->fields[i].name, RECORD_SENDER)) {
			row->sender = value;
		} else if (!strcmp(record->fields[i].name, RECORD_NUMBER) &&
			   slice_number(&value, &number) && number <= INT64_MAX) {
			row->numbered = true;
			row->number = (int64_t)number;
		}
	}
}

/* Adds to *stored the bytes of what varies in length. */
static int insert(struct database *database, const struct sink_record *record, size_t *stored)
{
	const char *at = sink_record_bytes(record);
	struct slice subject = take(&at, record->subject_length);
	struct database_row row = {.time = record->second * MICROSECONDS + record->microsecond,
				   .level = record->level,
				   .event = record->event,
				   .peer = subject,
				   .bytes = take(&at, record->length)};
	/* ADDRESS (CERTIFICATE) */
	if (slice_cut(&subject, ' ', &row.peer) && slice_skip(&subject, "("))
		(void)slice_cut(&subject, ')', &row.certificate);
	take_fields(&row, record, at);
	*stored += row.peer.length + row.certificate.length + row.sender.length + row.bytes.length;
	return database_insert(database, &row);
}

static int insert_part(struct database *database, const struct iovec *part, size_t *stored)
{
	const char *at = part->iov_base, *end = at + part->iov_len;
	int errnum = 0;
	while (at < end && !errnum) {
		const struct sink_record *record = (const void *)at;
		errnum = insert(database, record, stored);
		at += record->size;
	}
	return errnum;
}

static int store(struct database *database, struct sink_batch *batch)
{
	size_t stored = 0;
	int errnum = database_begin(database);
	for (int i = 0; i < SINK_PARTS && !errnum; i++)
		errnum = insert_part(database, &batch->parts[i], &stored);
	errnum = database_end(database, errnum);
	batch->stored = errnum ? 0 : stored;
	return errnum;
}

/* --- the WAL --- */

/* The WAL could not be emptied, and has grown. */
static void tell_growth(struct sqlite *log, int64_t size, int errnum)
{
	struct error words, warning;
	error_set(&words,
		  "%.150s" DATABASE_WAL " has grown to %" PRId64
		  " MiB and cannot be emptied: %.150s",
		  log->target, size >> 20,
		  errnum == EBUSY ? "another program keeps a transaction open in the database"
				  : database_failure(log->database));
	error_set(&warning, "WARNING: %s", words.message);
	log->settings->warn(warning.message);
	set_note(log, RECORD_WARNING, words.message, "");
	log->grown = size;
	log->tell_at = 2 * size;
}

static void tell_emptied(struct sqlite *log)
{
	struct error words;
	error_set(&words,
		  "%.150s" DATABASE_WAL
		  " could be emptied again; it had grown to more than %" PRId64 " MiB",
		  log->target, log->grown >> 20);
	log->settings->warn(words.message);
	set_note(log, RECORD_INFO, words.message, "");
	log->grown = 0;
	log->tell_at = WAL_TELL;
}

/* After a commit. A commit that finds all of the WAL copied, and nobody reading from it, begins it
 * anew. A large one is waited for a little, as readers that follow each other can keep it in use.
 */
static void keep_small(struct sqlite *log)
{
	int64_t size = database_wal_size(log->database);
	if (size < WAL_CHECKPOINT) {
		log->checkpoint_at = WAL_CHECKPOINT;
		if (log->grown)
			tell_emptied(log);
		return;
	}
	if (size < log->checkpoint_at)
		return;
	bool large = size >= log->tell_at;
	int errnum = database_checkpoint(log->database, large);
	log->checkpoint_at = size + WAL_CHECKPOINT;
	if (errnum && large)
		tell_growth(log, size, errnum);
}

/* --- for the log --- */

static void warn(const struct sqlite *log, const char *words)
{
	struct error warning;
	error_set(&warning, "WARNING: %.300s", words);
	log->settings->warn(warning.message);
}

/* SQLite's own words, where an errno value does not say what is wrong. */
static void tell_failure(const struct sqlite *log, int errnum)
{
	struct error words;
	if (errnum != EIO && errnum != EUCLEAN && errnum != EROFS && errnum != EBUSY)
		return;
	error_set(&words, "%.150s: %.150s", log->target, database_failure(log->database));
	warn(log, words.message);
}

/* Opens what has the target's name now, after the old one is closed. -1: the error and errno are
 * set. */
static int open_anew(struct sqlite *log, struct error *error)
{
	struct append_file opened;
	errno = EIO; /* what is refused for its content has no other */
	if (!descriptor_has_name(log->file.descriptor, log->target)) {
		if (append_file_open(&opened, log->target, OLD_APPEND, error) < 0 ||
		    sync_name(log->settings, log->target, &log->warned, error) < 0) {
			append_file_close(&opened);
			return -1;
		}
		append_file_close(&log->file);
		log->file = opened;
	}
	return check_file(log, error) < 0 ? -1 : open_database(log, error);
}

/* Where there is no database since it was reopened, each batch tries to open it, and fails until
 * it can. */
static int sqlite_submit(struct sink *sink, struct sink_batch *batch)
{
	struct sqlite *log = (struct sqlite *)sink;
	struct error error;
	int errnum = 0;
	if (!batch->parts[0].iov_len && !batch->parts[1].iov_len)
		return 0;
	if (!log->database && open_anew(log, &error) < 0) {
		errnum = errno;
		if (!log->failing)
			warn(log, error.message);
	} else if ((errnum = store(log->database, batch)) == 0) {
		keep_small(log);
	} else if (!log->failing) {
		tell_failure(log, errnum);
	}
	log->failing = errnum != 0;
	return errnum;
}

/* Removes what SQLite keeps beside a database that was renamed, and that is all in its own file: it
 * would be taken for the new one's. A WAL that is not empty is another's. */
static void remove_beside(const struct sqlite *log)
{
	char wal[PATH_MAX], index[PATH_MAX];
	struct stat status;
	if (name_beside(log, DATABASE_WAL, wal) < 0 || name_beside(log, "-shm", index) < 0 ||
	    (stat(wal, &status) == 0 && status.st_size))
		return;
	(void)unlink(wal); /* neither need be there */
	(void)unlink(index);
}

/* Copies all that is in the WAL of the old database before the new one's name is used, with which
 * SQLite would find it. */
static int sqlite_reopen(struct sink *sink, struct error *error)
{
	struct sqlite *log = (struct sqlite *)sink;
	struct append_file opened;
	int errnum = 0;
	if (descriptor_has_name(log->file.descriptor, log->target))
		return 0;
	if (log->database)
		errnum = database_checkpoint(log->database, true);
	if (errnum)
		return error_set(error, "cannot close the old log %.200s: %.200s", log->target,
				 errnum == EBUSY ? "another program keeps a transaction open in it"
						 : database_failure(log->database));
	if (append_file_open(&opened, log->target, OLD_APPEND, error) < 0 ||
	    sync_name(log->settings, log->target, &log->warned, error) < 0) {
		append_file_close(&opened);
		return -1;
	}
	database_close(log->database);
	log->database = NULL;
	append_file_close(&log->file);
	log->file = opened;
	remove_beside(log);
	sink->is_new = true;
	if (open_anew(log, error) < 0)
		warn(log, error->message);
	return 0;
}

const struct sink_type sink_sqlite = {
	.name = "sqlite",
	.structured = true,
	.open = sqlite_open,
	.submit = sqlite_submit,
	.reopen = sqlite_reopen,
	.close = sqlite_close,
};
