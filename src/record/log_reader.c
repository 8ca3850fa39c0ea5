/* SPDX-License-Identifier: MIT */
#include "record/log_source.h"

#include <string.h>

#include "record/escape.h"

static const struct log_source *const sources[] = {&log_source_file, &log_source_database, NULL};

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

int log_reader_open(struct log_reader *log, const char *target, int64_t offset, struct error *error)
{
	*log = (struct log_reader){.descriptor = -1,
				   .offset = offset,
				   .limit = LOG_READER_ALL,
				   .old = LOG_READER_ALL,
				   .at = offset};
	log->source = find_source(target, &log->name);
	if (log->source->open(log, error) == 0)
		return 0;
	log_reader_close(log);
	return -1;
}

bool log_can_be_read(const char *target)
{
	return strcmp(target, "-") != 0;
}

int64_t log_end(const char *target)
{
	const char *name;
	const struct log_source *source = find_source(target, &name);
	return source->end(name);
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

int64_t log_reader_lines_before(const struct log_reader *log)
{
	return log->source->lines_before(log);
}

void log_reader_close(struct log_reader *log)
{
	if (log->source)
		log->source->close(log);
	buffer_free(&log->buffer);
}
