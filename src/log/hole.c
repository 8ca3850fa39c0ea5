/* SPDX-License-Identifier: MIT */
#include "log/hole.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "base/plural.h"
#include "record/format.h"

/* More than is ever written between two syncs, but for lines of many megabytes. */
#define SEARCHED ((off_t)64 << 20)

enum { CHUNK = 1 << 17 };

/* Reads the chunk at an offset. -1 with errno. */
static ssize_t read_chunk(int descriptor, char *bytes, off_t from, off_t end)
{
	ssize_t length;
	size_t wanted = end - from < CHUNK ? (size_t)(end - from) : CHUNK;
	do
		length = pread(descriptor, bytes, wanted, from);
	while (length < 0 && errno == EINTR);
	return length;
}

/* The offset of the first zero from there on behind the last mark; the end: there is none; -1:
 * errno is set. */
static off_t find_zero(int descriptor, char *bytes, off_t from, off_t end)
{
	static const char mark[] = RECORD_TORN;
	const size_t overlap = sizeof mark - 2; /* a mark can be in two chunks */
	off_t found = end;
	while (from < end) {
		ssize_t length = read_chunk(descriptor, bytes, from, end);
		if (length <= 0)
			return length < 0 ? -1 : found;
		const char *at = bytes, *stop = bytes + length;
		while (at) {
			const char *zero = found < end ? at : memchr(at, '\0', (size_t)(stop - at));
			if (!zero)
				break;
			if (found == end)
				found = from + (zero - bytes);
			at = memmem(zero, (size_t)(stop - zero), mark, sizeof mark - 1);
			if (at) {
				found = end;
				at += sizeof mark - 1;
			}
		}
		from += from + length < end && (size_t)length > overlap ? length - (ssize_t)overlap
									: length;
	}
	return found;
}

/* Where the line begins that an offset is in. -1: errno is set. */
static off_t find_line(int descriptor, char *bytes, off_t offset)
{
	while (offset > 0) {
		off_t from = offset > CHUNK ? offset - CHUNK : 0;
		ssize_t length = read_chunk(descriptor, bytes, from, offset);
		if (length < 0)
			return -1;
		const char *end = memrchr(bytes, '\n', (size_t)length);
		if (end)
			return from + (end - bytes) + 1;
		offset = from;
	}
	return 0;
}

/* Is the file no log, by its first bytes? In a log all control characters are escaped. */
static bool is_foreign(int descriptor, char *bytes)
{
	ssize_t length = read_chunk(descriptor, bytes, 0, CHUNK);
	for (ssize_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)bytes[i]) && bytes[i] && bytes[i] != '\n' &&
		    bytes[i] != '\t')
			return true;
	return length < 0;
}

/* Sets the offset of the line in which a hole begins; the size: there is none. Returns the size, or
 * -1 with errno: EILSEQ where it has zeros, but is no log. */
static off_t look_for(const char *name, off_t *line)
{
	struct stat status;
	char *bytes = memory_malloc(CHUNK);
	int descriptor = bytes ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	off_t size = -1, zero;
	*line = -1;
	if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
		size = status.st_size;
		zero = find_zero(descriptor, bytes, size > SEARCHED ? size - SEARCHED : 0, size);
		*line = zero < 0 || zero == size ? zero : find_line(descriptor, bytes, zero);
		if (*line >= 0 && *line < size && is_foreign(descriptor, bytes)) {
			*line = -1;
			errno = EILSEQ;
		}
	}
	descriptor_close(&descriptor);
	free(bytes);
	return *line < 0 ? -1 : size;
}

static int cannot_read(const struct file *file, struct error *error)
{
	if (errno == EILSEQ)
		return error_set(
			error,
			"cannot append to the log %.300s: it has control characters, which "
			"a log never has",
			file->target);
	return error_set(error, "cannot read the end of the log %s: %s", file->target,
			 strerror(errno));
}

/* Notes and warns of a hole, and what becomes of it. */
static void note(struct file *file, const char *what)
{
	struct error warning;
	(void)snprintf(file->note, sizeof file->note,
		       "a power cut has left a hole before this line%s", what);
	file->sink.note = file->note;
	file->sink.note_level = RECORD_WARNING;
	error_set(&warning, "WARNING: a power cut has left a hole in %.200s%s", file->target, what);
	file->settings->warn(warning.message);
}

/* Lines are going to be acknowledged behind a hole: no later start may cut them off with it. */
static void mark(struct file *file)
{
	if (!*file->preface)
		file->preface = RECORD_TORN "\n";
	note(file, "; the lines around it stay");
}

static int cut(struct file *file, off_t line, off_t size, struct error *error)
{
	char what[64];
	if (append_file_calls.ftruncate(file->file.descriptor, line) < 0)
		return error_set(
			error,
			"cannot cut the log %.200s at byte %jd, behind which it has a hole: %s",
			file->target, (intmax_t)line, strerror(errno));
	if (file_set_preface(file, error) < 0)
		return -1;
	(void)snprintf(what, sizeof what, ": %jd byte%s cut off", (intmax_t)(size - line),
		       PLURAL(size - line));
	note(file, what);
	return 0;
}

int hole_mend(struct file *file, struct error *error)
{
	const struct log_settings *settings = file->settings;
	bool cuts = settings->sync == LOG_SYNC_DISK || settings->cuts_holes;
	off_t line, size;
	if (!file->file.can_cut || settings->old != OLD_APPEND || !file->length)
		return 0;
	if ((size = look_for(file->target, &line)) < 0)
		return cannot_read(file, error);
	if (line < size && !cuts)
		mark(file);
	if (!cuts)
		return 0;
	if (line < size && cut(file, line, size, error) < 0)
		return -1;
	if (append_file_calls.fdatasync(file->file.descriptor) == 0)
		return 0;
	return error_set(error, "cannot sync the log %.300s: %s", file->target, strerror(errno));
}
