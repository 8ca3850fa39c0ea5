/* SPDX-License-Identifier: MIT */
#include "log/file_preface.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/slice.h"
#include "log/remainder.h"

/* Has the next write end half a record, and note it. Where a double quote is open in CSV, the
 * records below would be part of it. */
static void end_remainder(struct file *file, const struct remainder *remainder, const char *note)
{
	if (!remainder->torn)
		return;
	file->preface = remainder->open_quote && file->settings->format->quotes ? RECORD_TORN "\"\n"
										: RECORD_TORN "\n";
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

void file_end_partial(struct file *file, const struct iovec parts[FILE_PARTS])
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
		found = remainder_take_backwards(&remainder, parts[i].iov_base, lengths[i]);
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
	bool read = descriptor >= 0 && remainder_read(&remainder, descriptor, end);
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

int file_set_preface(struct file *file, struct error *error)
{
	struct stat status;
	file->preface = "";
	file->sink.note = NULL;
	file->length = 0;
	if (fstat(file->file.descriptor, &status) < 0)
		return error_set(error, "cannot read the end of the log %s: %s", file->target,
				 strerror(errno));
	if (status.st_size == 0)
		file->preface = file->settings->format->header;
	if (!file->file.can_cut || status.st_size == 0)
		return 0;
	file->length = status.st_size;
	int descriptor = open(file->target, O_RDONLY | O_CLOEXEC);
	int result = look_into(file, descriptor, status.st_size, error);
	descriptor_close(&descriptor);
	return result;
}
