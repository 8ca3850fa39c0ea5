/* SPDX-License-Identifier: MIT */
/* Reads a log that is in several files: the last one, and those before it that were closed when the
 * log was rotated. A note at the beginning of a file says which one it continues. One file is read
 * at a time, as log_file.c does it. */
#include "record/log_source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/closed_files.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/plural.h"
#include "record/log_before.h"

struct part {
	char *name;	/* owned; with its directory */
	char *before;	/* owned; name of the file that it continues; empty: none */
	int64_t behind; /* number of the last line before it, of those that were read */
};

struct log_files {
	struct part *parts; /* owned; in the order of reading */
	size_t count, capacity;
	size_t current;
	int last; /* the last file: it is opened once, as it can be renamed; -1: none */
	char title[LOG_TITLE_SIZE], remark[LOG_TITLE_SIZE]; /* the reader's */
};

static int out_of_memory(const struct log_reader *log, struct error *error)
{
	return error_set(error, "cannot read %.200s: %s", log->name, strerror(ENOMEM));
}

/* --- the files --- */

/* Adds one that continues `before`. False: out of memory. */
static bool add_part(struct log_files *files, const char *name, const char *before)
{
	struct part *parts =
		memory_grow(files->parts, files->count, &files->capacity, sizeof *files->parts);
	if (!parts)
		return false;
	files->parts = parts;
	struct part *part = &parts[files->count++];
	*part = (struct part){.name = strdup(name), .before = strdup(before)};
	return part->name && part->before;
}

/* Copies of files can continue each other for ever: looked at are the 1st, 2nd, 4th, 8th ... file.
 */
static bool is_known(const struct log_files *files, const char *name)
{
	size_t past = 1;
	while (2 * past <= files->count)
		past *= 2;
	return files->count && !strcmp(files->parts[past - 1].name, name);
}

static void remark_missing(struct log_files *files, const char *name)
{
	(void)snprintf(files->remark, sizeof files->remark,
		       "; %.200s is missing: what is proved begins behind it", name);
}

/* A file is not there: keeps that, or refuses it, if it is there compressed. -1: the error is set.
 */
static int miss(struct log_reader *log, const char *path, const char *name, struct error *error)
{
	char *compressed;
	int found = closed_file_compressed(path, &compressed);
	if (found < 0)
		return error_set(error, "cannot look for %.200s: %s", name, strerror(errno));
	if (found)
		error_set(error, "cannot read %.200s: %.200s is compressed", log->name, compressed);
	free(compressed);
	log->offset = 0;
	remark_missing(log->files, name);
	return found ? -1 : 0;
}

static struct log_reader reader_of(const char *name)
{
	return (struct log_reader){.source = &log_source_file,
				   .name = name,
				   .descriptor = -1,
				   .limit = LOG_READER_ALL,
				   .old = LOG_READER_ALL};
}

/* Opens the last file. One that is missing or empty is left by a stop while the log was rotated: a
 * server would go on from the file before, too. -1: the error is set. */
static int open_last(const struct log_reader *log, struct log_reader *file, char name[PATH_MAX],
		     struct error *error)
{
	struct closed_file before;
	*file = reader_of(log->name);
	int result = log_source_file.open(file, "", error);
	if ((result == 0 && log_source_file.end(log->name).offset) ||
	    closed_file_before(log->name, &before) <= 0)
		return result;
	(void)snprintf(name, PATH_MAX, "%s", before.name);
	free(before.name);
	descriptor_close(&file->descriptor);
	*file = reader_of(name);
	if (before.compressed)
		return error_set(error, "cannot read %.200s: %.200s is compressed", log->name,
				 name);
	return log_source_file.open(file, "", error);
}

/* Opens the file that the open one continues, in the same directory. 1; 0: it is missing; -1: the
 * error is set. */
static int open_before(struct log_reader *log, struct log_reader *file, const char *before,
		       char name[PATH_MAX], struct error *error)
{
	if (closed_files_beside(log->name, before, name) < 0)
		return error_set(error, "cannot read %.200s: %s", before, strerror(errno));
	if (is_known(log->files, name))
		return error_set(error, "cannot read %.200s: it continues itself", name);
	if (file->descriptor != log->files->last)
		descriptor_close(&file->descriptor);
	*file = reader_of(name);
	if (access(name, F_OK) < 0 && errno == ENOENT)
		return miss(log, name, before, error);
	return log_source_file.open(file, "", error) < 0 ? -1 : 1;
}

/* Adds the files from the open one back to that where reading begins. -1: the error is set. */
static int add_parts(struct log_reader *log, struct log_reader *file, const char *from,
		     char name[PATH_MAX], struct error *error)
{
	char before[LOG_NAME_SIZE];
	bool empty;
	int more = 1;
	while (more > 0) {
		if (log_continues(file, before, &empty, error) < 0)
			return -1;
		if (!add_part(log->files, file->name, before))
			return out_of_memory(log, error);
		if (!strcmp(before, from))
			return 0;
		more = *before ? open_before(log, file, before, name, error) : 0;
	}
	log->offset = 0; /* the place is in none of them */
	return more;
}

static void turn_round(struct log_files *files)
{
	for (size_t i = 0; i < files->count / 2; i++) {
		struct part part = files->parts[i];
		files->parts[i] = files->parts[files->count - 1 - i];
		files->parts[files->count - 1 - i] = part;
	}
}

/* --- the source --- */

/* Passes over files that were deleted since they were found, as -keep deletes the oldest ones of a
 * log that grows. */
static void skip_deleted(struct log_files *files)
{
	while (files->current + 1 < files->count &&
	       access(files->parts[files->current].name, F_OK) < 0 && errno == ENOENT)
		remark_missing(files, files->parts[files->current++].name);
}

/* Opens the current file, in place of another one. -1: the error is set. */
static int open_current(struct log_reader *log, struct error *error)
{
	struct log_files *files = log->files;
	if (!log->number) /* else it is amid those that were read */
		skip_deleted(files);
	struct part *part = &files->parts[files->current];
	if (log->descriptor != files->last)
		descriptor_close(&log->descriptor);
	log->name = part->name;
	log->before = part->before;
	part->behind = log->number;
	log->at = log->start = files->current ? 0 : log->offset;
	log->begin = log->buffer.length = 0;
	log->looked = false;
	log->descriptor = files->last;
	return files->current + 1 < files->count ? log_source_file.open(log, "", error) : 0;
}

static int files_open(struct log_reader *log, const char *before, struct error *error)
{
	struct log_files *files = memory_calloc(1, sizeof *files);
	struct log_reader file;
	char name[PATH_MAX];
	if (!files)
		return out_of_memory(log, error);
	log->files = files;
	int result = open_last(log, &file, name, error);
	files->last = file.descriptor;
	if (result == 0)
		result = add_parts(log, &file, before, name, error);
	if (file.descriptor != files->last)
		descriptor_close(&file.descriptor);
	if (result < 0)
		return -1;
	turn_round(files);
	const char *last = log->name;
	result = open_current(log, error);
	size_t more = files->count - 1 - files->current;
	(void)snprintf(files->title, sizeof files->title, "%.200s", last);
	if (more)
		(void)snprintf(files->title, sizeof files->title, "%.200s and %zu file%s before it",
			       last, more, PLURAL(more));
	log->title = files->title;
	log->remark = files->remark;
	return result;
}

static enum log_line files_next(struct log_reader *log, struct error *error)
{
	struct log_files *files = log->files;
	enum log_line kind = log_source_file.next(log, error);
	while (kind == LOG_END && files->current + 1 < files->count) {
		files->current++;
		if (open_current(log, error) < 0)
			return LOG_UNREADABLE;
		kind = log_source_file.next(log, error);
	}
	return kind;
}

static void files_rewind(struct log_reader *log)
{
	struct error ignored; /* without a descriptor, reading fails */
	log->files->current = 0;
	log->number = log->closed = 0;
	(void)open_current(log, &ignored);
}

static int64_t files_line(const struct log_reader *log, int64_t number, const char **name)
{
	const struct log_files *files = log->files;
	struct error ignored;
	size_t i = files->current;
	while (i && files->parts[i].behind >= number)
		i--;
	*name = files->parts[i].name;
	struct log_reader first = reader_of(*name);
	first.offset = log->offset;
	if (i == 0 && log->offset && log_source_file.open(&first, "", &ignored) == 0)
		number = log_source_file.line(&first, number, name);
	descriptor_close(&first.descriptor);
	return number - files->parts[i].behind;
}

static struct log_place files_end(const char *name)
{
	struct error ignored;
	struct log_place place = {0};
	struct log_reader log = {.name = name}, file;
	char path[PATH_MAX];
	bool empty;
	if (open_last(&log, &file, path, &ignored) == 0 &&
	    log_continues(&file, place.before, &empty, &ignored) == 0)
		place.offset = log_source_file.end(file.name).offset;
	descriptor_close(&file.descriptor);
	return place;
}

static void files_close(struct log_reader *log)
{
	struct log_files *files = log->files;
	if (!files)
		return;
	if (log->descriptor != files->last)
		descriptor_close(&log->descriptor);
	descriptor_close(&files->last);
	for (size_t i = 0; i < files->count; i++) {
		free(files->parts[i].name);
		free(files->parts[i].before);
	}
	free(files->parts);
	free(files);
	log->files = NULL;
}

const struct log_source log_source_files = {
	.name = "file",
	.open = files_open,
	.next = files_next,
	.rewind = files_rewind,
	.line = files_line,
	.end = files_end,
	.close = files_close,
};
