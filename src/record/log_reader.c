/* SPDX-License-Identifier: MIT */
#include "record/log_source.h"

#include <string.h>

#include "record/escape.h"

static const struct log_source *const sources[] = {&log_source_file, &log_source_database,
						   &log_source_postgresql, NULL};

const char *log_target_of(const char *target, const char *type)
{
	size_t length = strlen(type);
	return !strncmp(target, type, length) && target[length] == ':' ? target + length + 1 : NULL;
}

/* The source that the target names, or the first; *name is what it makes of it. */
static const struct log_source *find_source(const char *target, const char **name)
{
	for (int i = 0; sources[i]; i++)
		if ((*name = log_target_of(target, sources[i]->name)))
			return sources[i];
	*name = target;
	return sources[0];
}

/* The source of all files of the log, unless its lines are plain. */
static const struct log_source *find_whole(const char *target, bool plain, const char **name)
{
	const struct log_source *source = find_source(target, name);
	return source == &log_source_file && !plain ? &log_source_files : source;
}

static int open_source(struct log_reader *log, const struct log_source *source, const char *name,
		       const struct log_place *from, struct error *error)
{
	*log = (struct log_reader){.source = source,
				   .name = name,
				   .title = name,
				   .remark = "",
				   .before = "",
				   .descriptor = -1,
				   .offset = from->offset,
				   .limit = LOG_READER_ALL,
				   .old = LOG_READER_ALL,
				   .at = from->offset};
	if (source->open(log, from->before, error) == 0)
		return 0;
	log_reader_close(log);
	return -1;
}

int log_reader_open(struct log_reader *log, const char *target, int64_t offset, struct error *error)
{
	const struct log_place from = {.offset = offset};
	const char *name;
	const struct log_source *source = find_source(target, &name);
	return open_source(log, source, name, &from, error);
}

int log_reader_open_all(struct log_reader *log, const char *target, const struct log_place *from,
			bool plain, struct error *error)
{
	static const struct log_place beginning;
	const char *name;
	const struct log_source *source = find_whole(target, plain, &name);
	int result = open_source(log, source, name, from ? from : &beginning, error);
	log->plain = plain;
	return result;
}

bool log_can_be_read(const char *target)
{
	return strcmp(target, "-") != 0;
}

bool log_is_shared(const char *target)
{
	const char *name;
	return find_source(target, &name)->is_shared;
}

struct log_place log_end(const char *target, bool plain)
{
	const char *name;
	return find_whole(target, plain, &name)->end(name);
}

struct log_place log_reader_place(const struct log_reader *log)
{
	struct log_place place = {.offset = log->at};
	memcpy(place.before, log->before, strlen(log->before) + 1); /* it is from such a place */
	return place;
}

void log_reader_rewind(struct log_reader *log)
{
	log->source->rewind(log);
}

enum log_line log_reader_next(struct log_reader *log, struct error *error)
{
	return log->source->next(log, error);
}

enum log_line log_reader_next_record(struct log_reader *log, struct error *error)
{
	enum log_line kind;
	do
		kind = log_reader_next(log, error);
	while (kind == LOG_GARBAGE || kind == LOG_TORN);
	return kind;
}

struct slice log_reader_unescape(struct log_reader *log)
{
	struct slice *bytes = &log->record.bytes;
	/* they are in the buffer, which is writable */
	bytes->length = record_unescape((char *)(uintptr_t)bytes->bytes, bytes->length);
	return *bytes;
}

int64_t log_reader_line(const struct log_reader *log, int64_t number, const char **name)
{
	if (log->source->line)
		return log->source->line(log, number, name);
	*name = log->name;
	return number;
}

void log_reader_close(struct log_reader *log)
{
	if (log->source)
		log->source->close(log);
	buffer_free(&log->buffer);
}
