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
#include <unistd.h>

#include "base/append_file.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/slice.h"
#include "log/sync_name.h"

enum { FILE_PARTS = SINK_PARTS + 1 };

struct file {
	struct sink sink; /* first member: the pointer is cast between the two types */
	struct append_file file;
	const struct log_settings *settings; /* borrowed */
	const char *target;		     /* a part of theirs */
	const char *preface;		     /* to be written before the next record */
	bool warned;			     /* of a directory that cannot be synced */
	char note[PATH_MAX + 64 + sizeof(struct error)];
};

/* --- half a record at the end --- */

/* The bytes after the last line end. */
struct remainder {
	bool torn, open_quote;
};

/* Takes the bytes before it, from their end. Returns whether they have a line end. */
static bool take_backwards(struct remainder *remainder, const char *bytes, size_t length)
{
	for (; length && bytes[length - 1] != '\n'; length--) {
		remainder->torn = true;
		remainder->open_quote ^= bytes[length - 1] == '"';
	}
	return length;
}

/* Reads it from a file. Returns false if that fails. */
static bool read_remainder(int descriptor, off_t end, struct remainder *remainder)
{
	char chunk[4096];
	bool found = false;
	while (end > 0 && !found) {
		size_t length = end < (off_t)sizeof chunk ? (size_t)end : sizeof chunk;
		end -= (off_t)length;
		if (pread(descriptor, chunk, length, end) != (ssize_t)length)
			return false;
		found = take_backwards(remainder, chunk, length);
	}
	return true;
}

/* Has the next write end half a record, and note it. Where a double quote is open in CSV, the
 * records below would be part of it. */
static void end_remainder(struct file *file, const struct remainder *remainder, const char *note)
{
	if (!remainder->torn)
		return;
	file->preface = remainder->open_quote && file->settings->format->quotes
				? "\"\n"
				: file->settings->format->torn;
	file->sink.note = note;
	file->sink.note_level = RECORD_WARNING;
}

/* Notes how many whole records of a failed write stay. Lines in them were answered with an error;
 * records that were deferred are written again. */
static void note_partial(struct file *file, size_t records)
{
	bool torn = file->sink.note != NULL;
	if (!records)
		return;
	(void)snprintf(file->note, sizeof file->note,
		       "%s%srecords before %s that a failed write has left: %zu; they are not "
		       "acknowledged, or are repeated",
		       torn ? file->sink.note : "", torn ? "; " : "", torn ? "it" : "this one",
		       records);
	file->sink.note = file->note;
	file->sink.note_level = RECORD_WARNING;
}

/* A write has failed, and its first bytes stay in the target. */
static void end_partial(struct file *file, const struct iovec parts[FILE_PARTS])
{
	struct remainder remainder = {0};
	size_t lengths[FILE_PARTS], left = file->file.partial, records = 0;
	bool found = false;
	for (size_t i = 0; i < FILE_PARTS; i++) {
		lengths[i] = parts[i].iov_len < left ? parts[i].iov_len : left;
		left -= lengths[i];
		if (i > 0) /* behind the preface */
			records += slice_count_lines((struct slice){parts[i].iov_base, lengths[i]});
	}
	for (size_t i = FILE_PARTS; i-- > 0 && !found;)
		found = take_backwards(&remainder, parts[i].iov_base, lengths[i]);
	file->preface = "";
	end_remainder(file, &remainder,
		      "the line before this one is torn: it could not be written whole");
	note_partial(file, records);
}

/* Reads both ends of a log that is not empty: has the next write end half a record at its end, and
 * checks that the format can continue it. -1: it cannot, or it cannot be read; the error is set. */
static int look_into(struct file *file, int descriptor, off_t end, struct error *error)
{
	const struct record_format *format = file->settings->format;
	struct remainder remainder = {0};
	char head[RECORD_HEAD];
	bool read = descriptor >= 0 && read_remainder(descriptor, end, &remainder);
	end_remainder(file, &remainder,
		      "the line before this one is torn: the server was stopped while it wrote it");
	if (!read)
		return error_set(error, "cannot read the end of the log %s: %s", file->target,
				 strerror(errno));
	ssize_t length = pread(descriptor, head, sizeof head, 0);
	const char *other =
		length > 0 ? record_other_format(format, (struct slice){head, (size_t)length})
			   : NULL;
	if (!other)
		return 0;
	return error_set(error, "cannot append to the log %.200s: its records are %s, not %s",
			 file->target, other, format->name);
}

/* Sets what the next write begins with: the header in an empty file, and in a pipe or a device; the
 * end of half a record. -1: the log cannot be continued, and the error is set; a caller that
 * ignores this continues it as if its last record were whole. */
static int set_preface(struct file *file, struct error *error)
{
	struct stat status;
	file->preface = "";
	file->sink.note = NULL;
	if (fstat(file->file.descriptor, &status) < 0)
		return error_set(error, "cannot read the end of the log %s: %s", file->target,
				 strerror(errno));
	if (status.st_size == 0)
		file->preface = file->settings->format->header;
	if (!file->file.can_cut || status.st_size == 0)
		return 0;
	int descriptor = open(file->target, O_RDONLY | O_CLOEXEC);
	int result = look_into(file, descriptor, status.st_size, error);
	descriptor_close(&descriptor);
	return result;
}

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

static int open_file(struct file *file, struct error *error)
{
	if (begin_file(file, error) < 0 || sync_file(file, &file->file, error) < 0 ||
	    set_preface(file, error) < 0)
		return -1;
	if (*file->file.kept)
		note_kept(file);
	return 0;
}

static int open_stdout(struct file *file, struct error *error)
{
	return append_file_stdout(&file->file, error) < 0 ? -1 : set_preface(file, error);
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
	*file = (struct file){.sink = {.type = type, .in_flight = 1},
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

static int file_submit(struct sink *sink, struct sink_batch *batch)
{
	struct file *file = (struct file *)sink;
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
		end_partial(file, parts);
	if (errnum)
		return errnum;
	file->preface = "";
	batch->stored = (size_t)written;
	return 0;
}

static int file_reopen(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	struct append_file opened;
	struct error ignored;
	/* the name is still this file's: opening it again would meet our own lock */
	if (descriptor_has_name(file->file.descriptor, file->target))
		return 0;
	if (append_file_open(&opened, file->target, OLD_APPEND, error) < 0 ||
	    sync_file(file, &opened, error) < 0) {
		append_file_close(&opened);
		return -1;
	}
	append_file_close(&file->file);
	file->file = opened;
	sink->is_new = true;
	(void)set_preface(file, &ignored);
	return 0;
}

const struct sink_type sink_file = {
	.name = "file",
	.open = file_open,
	.submit = file_submit,
	.reopen = file_reopen,
	.close = file_close,
};

const struct sink_type sink_stdout = {
	.name = "stdout",
	.open = stdout_open,
	.submit = file_submit,
	.close = file_close,
};
