/* SPDX-License-Identifier: MIT */
/* Records in a file, or on stdout. One that begins has the format's header, and half a record that
 * a crash has left is ended before the next one is written. */
#include "log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/closed_files.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "log/file_preface.h"
#include "log/hole.h"
#include "log/rotation.h"
#include "log/sync_name.h"
#include "record/log_before.h"
#include "record/log_reader.h"

/* Pauses before it is tried again to begin a new file. */
#define RETRY_FIRST CLOCK_SECOND
#define RETRY_LAST (60 * CLOCK_SECOND)

/* --- opening --- */

static int sync_file(struct file *file, const struct append_file *opened, struct error *error)
{
	return opened->regular ? sync_name(file->settings, file->target, &file->warned, error) : 0;
}

static void file_close(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	append_file_close(&file->file);
	free(file);
}

/* Opens the file, and decides what becomes of an old one. -1: the error is set. */
static int begin_file(struct file *file, struct error *error)
{
	const struct log_settings *settings = file->settings;
	bool guarded = settings->old == OLD_OVERWRITE && settings->look_at_old;
	enum old_content first = guarded ? OLD_APPEND : settings->old;
	if (append_file_open(&file->file, file->target, first, error) < 0)
		return -1;
	if (guarded && file->file.regular &&
	    settings->look_at_old(file->target, OLD_OVERWRITE, error) < 0)
		return -1;
	return append_file_begin(&file->file, file->target, settings->old, error);
}

/* Notes the new name of the old log, and warns of what is left to do in it. */
static void note_kept(struct file *file)
{
	const struct log_settings *settings = file->settings;
	struct error left, warning;
	int found =
		settings->look_at_old ? settings->look_at_old(file->file.kept, OLD_KEEP, &left) : 0;
	(void)snprintf(file->note, sizeof file->note, "the old log is kept as %s%s%s",
		       file->file.kept, found ? "; " : "", found ? left.message : "");
	file->sink.note = file->note;
	file->sink.note_level = found ? RECORD_WARNING : RECORD_INFO;
	if (!found)
		return;
	error_set(&warning, "WARNING: %s", left.message);
	settings->warn(warning.message);
}

/* Notes which file this one, which is empty, goes on from, and its number; 0: it has none. */
static void note_continues(struct file *file, const char *name, uint64_t number)
{
	const char *slash = strrchr(name, '/');
	file->number = number;
	if (record_leaves_out(file->settings->format, RECORD_NOTE))
		return;
	(void)snprintf(file->note, sizeof file->note, RECORD_CONTINUES "%s",
		       slash ? slash + 1 : name);
	file->sink.note = file->note;
	file->sink.note_level = RECORD_INFO;
}

/* Has the file a whole record? */
static bool has_record(const struct file *file)
{
	struct log_reader log;
	struct error ignored; /* it is opened for writing */
	if (!file->length || log_reader_open(&log, file->target, 0, &ignored) < 0)
		return file->length;
	enum log_line kind = log_reader_next(&log, &ignored);
	log_reader_close(&log);
	return kind == LOG_RECORD || kind == LOG_GARBAGE;
}

/* The file is missing or has no record, as a stop in the middle of a rotation leaves it: finds the
 * file before it. If none can be found, it goes on from none. */
static void find_before(struct file *file)
{
	struct closed_file before;
	char name[PATH_MAX];
	if (closed_file_before(file->target, &before) <= 0)
		return;
	if (!before.compressed) {
		note_continues(file, before.name, before.number);
	} else if (before.number) { /* its name when it was closed */
		(void)snprintf(name, sizeof name, "%.*s.%" PRIu64, PATH_MAX - 32, file->target,
			       before.number);
		note_continues(file, name, before.number);
	}
	free(before.name);
}

/* How long ago the file was made, in ns; 0 where the system cannot tell. */
static int64_t age_of(const struct file *file)
{
#ifdef STATX_BTIME
	struct statx status;
	if (statx(file->file.descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0 &&
	    status.stx_mask & STATX_BTIME && status.stx_btime.tv_sec < time(NULL))
		return ((int64_t)time(NULL) - status.stx_btime.tv_sec) * CLOCK_SECOND;
#else
	(void)file;
#endif
	return 0;
}

/* Sets when the file is to be closed. */
static void set_end(struct file *file, int64_t age)
{
	const struct log_rotation *rotation = file->settings->rotation;
	file->sink.rotate_at = CLOCK_NEVER;
	if (rotation && rotation->age)
		file->sink.rotate_at = clock_now() + rotation->age - age;
	if (rotation && rotation->size && file->length >= rotation->size)
		file->sink.rotate_at = 0;
}

static int begin_rotation(struct file *file, struct error *error)
{
	struct log_rotation *rotation = file->settings->rotation;
	if (!rotation)
		return 0;
	if (!file->file.can_cut)
		return error_set(error, "-rotate: the log %.300s is no regular file", file->target);
	atomic_store(&rotation->needs_last, true);
	return 0;
}

static int open_file(struct file *file, struct error *error)
{
	if (begin_file(file, error) < 0 || sync_file(file, &file->file, error) < 0 ||
	    file_set_preface(file, error) < 0 || hole_mend(file, error) < 0 ||
	    begin_rotation(file, error) < 0)
		return -1;
	if (*file->file.kept)
		note_kept(file);
	else if (file->file.can_cut && file->settings->old == OLD_APPEND && !has_record(file))
		find_before(file);
	else if (file->file.can_cut)
		file->number = log_number_before(file->target);
	set_end(file, file->length ? age_of(file) : 0);
	return 0;
}

static int open_stdout(struct file *file, struct error *error)
{
	return append_file_stdout(&file->file, error) < 0 ? -1 : file_set_preface(file, error);
}

/* Makes a sink of the type, and opens it. NULL: the error is set. */
static struct sink *new_file(const struct sink_type *type,
			     int (*open_it)(struct file *file, struct error *error),
			     const char *target, const struct log_settings *settings,
			     struct error *error)
{
	struct file *file = memory_calloc(1, sizeof *file);
	if (!file)
		return error_null(error, "cannot open the log %s: %s", target, strerror(errno));
	*file = (struct file){.sink = {.type = type, .in_flight = 1, .rotate_at = CLOCK_NEVER},
			      .file = {.descriptor = -1},
			      .target = target,
			      .settings = settings};
	if (open_it(file, error) == 0)
		return &file->sink;
	file_close(&file->sink);
	return NULL;
}

static struct sink *file_open(const char *target, const struct log_settings *settings,
			      struct error *error)
{
	return new_file(&sink_file, open_file, target, settings, error);
}

static struct sink *stdout_open(const char *target, const struct log_settings *settings,
				struct error *error)
{
	return new_file(&sink_stdout, open_stdout, target, settings, error);
}

/* --- writing --- */

/* Warns that lines which were answered with an error are there until they are cut off. */
static void warn_uncut(const struct file *file)
{
	struct error message;
	error_set(&message,
		  "WARNING: bytes %jd to %jd of %.200s belong to lines that were answered with an "
		  "error, and cannot be removed: %s; nothing is logged until they are",
		  (intmax_t)file->file.whole + 1, (intmax_t)file->file.end, file->target,
		  strerror(file->file.errnum));
	file->settings->warn(message.message);
}

/* A batch is stored. */
static void count_stored(struct file *file, struct sink_batch *batch, size_t written)
{
	struct log_rotation *rotation = file->settings->rotation;
	batch->stored = written;
	file->length += (off_t)written;
	if (!rotation)
		return;
	if (rotation->size && file->length >= rotation->size && !file->retry_pause)
		file->sink.rotate_at = 0;
	if (!written || !atomic_load(&rotation->started) ||
	    !atomic_exchange(&rotation->needs_last, false))
		return;
	if (rotation->closed)
		rotation->closed(rotation);
}

/* Tries to write. Returns 0, or an errno value. */
static int try_batch(struct file *file, struct sink_batch *batch)
{
	struct iovec parts[FILE_PARTS] = {
		{(char *)(uintptr_t)file->preface, strlen(file->preface)}}; /* only read */
	struct iovec left[FILE_PARTS]; /* what the write changes */
	off_t uncut = file->file.uncut ? file->file.end : 0;
	memcpy(parts + 1, batch->parts, sizeof batch->parts);
	memcpy(left, parts, sizeof left);
	ssize_t written = append_file_write(&file->file, left, FILE_PARTS, batch->durable);
	int errnum = written < 0 ? errno : 0;
	if (file->file.uncut && file->file.end != uncut)
		warn_uncut(file);
	if (file->file.partial)
		file_end_partial(file, parts);
	if (errnum)
		return errnum;
	file->preface = "";
	count_stored(file, batch, (size_t)written);
	return 0;
}

/* Deletes a closed file, if there is no space. `before`: how many were for the same batch. */
static bool make_room(struct file *file, int errnum, size_t before)
{
	struct log_rotation *rotation = file->settings->rotation;
	struct error message;
	if ((errnum != ENOSPC && errnum != EDQUOT) || !rotation || !rotation->make_room ||
	    !rotation->make_room(rotation, &message))
		return false;
	int length = snprintf(file->note, sizeof file->note, "%s", message.message);
	if (before)
		(void)snprintf(file->note + length, sizeof file->note - (size_t)length,
			       ", as %s %zu before it", before > 1 ? "were" : "was", before);
	file->sink.note = file->note;
	file->sink.note_level = RECORD_WARNING;
	return true;
}

static int file_submit(struct sink *sink, struct sink_batch *batch)
{
	struct file *file = (struct file *)sink;
	size_t deleted = 0;
	int errnum = try_batch(file, batch);
	while (errnum && make_room(file, errnum, deleted)) {
		deleted++;
		errnum = try_batch(file, batch);
	}
	return errnum;
}

/* Goes on in another file. */
static void change_file(struct file *file, const struct append_file *opened)
{
	struct log_rotation *rotation = file->settings->rotation;
	struct error ignored;
	append_file_close(&file->file);
	file->file = *opened;
	file->sink.is_new = true;
	file->sink.file = descriptor_file(opened->descriptor);
	file->retry_pause = 0;
	(void)file_set_preface(file, &ignored);
	set_end(file, 0);
	if (rotation)
		atomic_store(&rotation->needs_last, true);
}

/* Before a file is closed: its last records may be deferred ones, which were not synced, and
 * nothing mends the end of a closed file. */
static int sync_closed(const struct file *file, struct error *error)
{
	if (file->settings->sync != LOG_SYNC_DISK || !file->file.regular ||
	    append_file_calls.fdatasync(file->file.descriptor) == 0)
		return 0;
	return error_set(error, "cannot sync the log %.200s: %s", file->target, strerror(errno));
}

/* Another program has renamed the file. */
static int reopen_renamed(struct file *file, struct error *error)
{
	struct append_file opened;
	if (sync_closed(file, error) < 0)
		return -1;
	if (append_file_open(&opened, file->target, OLD_APPEND, error) < 0 ||
	    sync_file(file, &opened, error) < 0) {
		append_file_close(&opened);
		return -1;
	}
	change_file(file, &opened);
	return 0;
}

/* Renames the file, which has its name, and opens a new one. */
static int begin_next(struct file *file, struct error *error)
{
	struct log_rotation *rotation = file->settings->rotation;
	struct append_file next;
	uint64_t number = file->number;
	if (file->file.uncut) /* or they are in the log, for ever */
		return error_set(error,
				 "cannot close %.200s: lines that were answered with an error "
				 "cannot be removed from it",
				 file->target);
	if (sync_closed(file, error) < 0)
		return -1;
	if (rotation) /* before it is renamed: it may be deleted then */
		atomic_store(&rotation->needs_last, true);
	if (append_file_succeed(&next, file->target, &number, error) < 0) {
		append_file_close(&next);
		return -1;
	}
	if (sync_file(file, &next, error) < 0) { /* both names, by one sync */
		append_file_restore(&next, file->target);
		return -1;
	}
	change_file(file, &next);
	note_continues(file, file->file.kept, number);
	return 0;
}

static int file_reopen(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	/* the name is still this file's: opening it again would meet our own lock */
	if (!descriptor_has_name(file->file.descriptor, file->target))
		return reopen_renamed(file, error);
	return file->settings->rotation && file->length ? begin_next(file, error) : 0;
}

static int file_rotate(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	int64_t pause = file->retry_pause ? 2 * file->retry_pause : RETRY_FIRST;
	int result = descriptor_has_name(file->file.descriptor, file->target)
			     ? begin_next(file, error)
			     : reopen_renamed(file, error);
	if (result == 0)
		return 0;
	file->retry_pause = pause < RETRY_LAST ? pause : RETRY_LAST;
	sink->rotate_at = clock_after(file->retry_pause);
	return -1;
}

const struct sink_type sink_file = {
	.name = "file",
	.open = file_open,
	.submit = file_submit,
	.reopen = file_reopen,
	.rotate = file_rotate,
	.close = file_close,
};

const struct sink_type sink_stdout = {
	.name = "stdout",
	.open = stdout_open,
	.submit = file_submit,
	.close = file_close,
};
