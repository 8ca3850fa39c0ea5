/* SPDX-License-Identifier: MIT */
#include "record/log_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "record/log_before.h"

/* The name is owned from now on. */
static int add(struct log_back *back, char *name, struct error *error)
{
	struct stat status;
	struct log_back_file *files =
		memory_grow(back->files, back->count, &back->capacity, sizeof *files);
	if (files)
		back->files = files;
	if (!name || !files) {
		free(name);
		return error_set(error, "cannot read the log: %s", strerror(ENOMEM));
	}
	struct log_back_file *file = &back->files[back->count];
	if (log_reader_open(&file->log, name, 0, error) < 0) {
		free(name);
		return -1;
	}
	(void)fstat(file->log.descriptor, &status); /* fails for no open regular file */
	file->log.old = file->log.limit = status.st_size;
	file->name = name;
	back->count++;
	return 0;
}

int log_back_open(struct log_back *back, const char *name, struct error *error)
{
	return add(back, strdup(name), error);
}

/* Copies of files can continue each other for ever. */
static bool has(const struct log_back *back, const char *name)
{
	size_t i = 0;
	while (i < back->count && strcmp(back->files[i].name, name) != 0)
		i++;
	return i < back->count;
}

int log_back_more(struct log_back *back, bool appends, struct error *error)
{
	char *before;
	int found = log_before(&back->files[back->count - 1].log, appends, &before, error);
	if (found <= 0)
		return found;
	if (has(back, before)) {
		error_set(error, "cannot read %.200s: it continues itself", before);
		free(before);
		return -1;
	}
	return add(back, before, error) < 0 ? -1 : 1;
}

void log_back_close(struct log_back *back)
{
	for (size_t i = 0; i < back->count; i++) {
		log_reader_close(&back->files[i].log);
		free(back->files[i].name);
	}
	free(back->files);
	*back = (struct log_back){0};
}
