/* SPDX-License-Identifier: MIT */
#include "client/follow/siblings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/slice.h"

static const char *const compressed[] = {".gz",	 ".xz", ".bz2", ".zst", ".lz4",
					 ".lzo", ".Z",	".zip", NULL};

enum { SIBLINGS_ATTEMPTS = 20 };

/* stat() itself may be a macro or inline */
static int stat_path(const char *path, struct stat *status)
{
	return stat(path, status);
}

int (*siblings_stat)(const char *path, struct stat *status) = stat_path;

bool sibling_is_compressed(const char *name)
{
	for (size_t i = 0; compressed[i]; i++)
		if (slice_ends(slice_of(name), compressed[i]))
			return true;
	return false;
}

bool sibling_has_suffix(const char *suffix)
{
	bool rotated = (*suffix == '.' || *suffix == '-') && isdigit((unsigned char)suffix[1]);
	return (rotated || !strcmp(suffix, ".old")) && !sibling_is_compressed(suffix);
}

bool sibling_is_there(const struct sibling *sibling)
{
	struct stat status;
	return siblings_stat(sibling->path, &status) == 0 &&
	       file_id_is(file_id_of(&status), sibling->id);
}

/* Adds a file, unless it is none or is gone. Returns 0, or -1: out of memory. */
static int add(struct siblings *siblings, const char *directory, const char *name)
{
	struct stat status;
	char *path = NULL;
	if (asprintf(&path, "%s%s", directory, name) < 0)
		return -1;
	if (siblings_stat(path, &status) < 0 || !S_ISREG(status.st_mode)) {
		free(path);
		return 0;
	}
	struct sibling *list = memory_grow(siblings->list, siblings->count, &siblings->capacity,
					   sizeof *siblings->list);
	if (!list) {
		free(path);
		return -1;
	}
	siblings->list = list;
	list[siblings->count++] =
		(struct sibling){path, file_id_of(&status), status.st_size, status.st_mtim};
	return 0;
}

static int compare(const void *one, const void *other)
{
	const struct sibling *a = one, *b = other;
	if (a->written.tv_sec != b->written.tv_sec)
		return a->written.tv_sec < b->written.tv_sec ? -1 : 1;
	if (a->written.tv_nsec != b->written.tv_nsec)
		return a->written.tv_nsec < b->written.tv_nsec ? -1 : 1;
	int order = strverscmp(a->path, b->path);
	const char *dash = strrchr(a->path, '-'), *dot = strrchr(a->path, '.');
	return dash && (!dot || dash > dot) ? order : -order;
}

static int list(struct siblings *siblings, const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *folder = strndup(path, (size_t)(name - path));
	DIR *directory = folder ? opendir(*folder ? folder : ".") : NULL;
	int result = 0;
	*siblings = (struct siblings){0};
	if (!directory && (!folder || errno != ENOENT))
		result = error_set(error, "cannot read the directory of %.200s: %s", path,
				   strerror(errno));
	const struct dirent *entry;
	size_t length = strlen(name);
	while (directory && result == 0 && (entry = readdir(directory)))
		if (!strncmp(entry->d_name, name, length) &&
		    sibling_has_suffix(entry->d_name + length))
			result = add(siblings, folder, entry->d_name);
	if (directory)
		(void)closedir(directory); /* nothing was written */
	if (siblings->count)
		qsort(siblings->list, siblings->count, sizeof *siblings->list, compare);
	if (result == 0 && (result = add(siblings, folder ? folder : "", name)) < 0)
		error_set(error, "out of memory for the files beside %.200s", path);
	free(folder);
	return result;
}

/* By path and file. */
static bool are_same(const struct siblings *one, const struct siblings *other)
{
	bool same = one->count == other->count;
	for (size_t i = 0; i < one->count && same; i++) {
		const struct sibling *a = &one->list[i], *b = &other->list[i];
		same = !strcmp(a->path, b->path) && file_id_is(a->id, b->id);
	}
	return same;
}

/* The names are read at one time, and what they are of one by one: a file renamed in between
 * could be there twice, and another not at all. Two lists that are the same had no such change. */
int siblings_find(struct siblings *siblings, const char *path, struct error *error)
{
	struct siblings before;
	int result = list(siblings, path, error);
	for (int attempt = 0; attempt < SIBLINGS_ATTEMPTS && result == 0; attempt++) {
		before = *siblings;
		result = list(siblings, path, error);
		bool same = result == 0 && are_same(&before, siblings);
		siblings_free(&before);
		if (same)
			return 0;
	}
	if (result == 0)
		error_set(error, "the files beside %.200s are renamed all the time", path);
	siblings_free(siblings);
	return -1;
}

void siblings_free(struct siblings *siblings)
{
	for (size_t i = 0; i < siblings->count; i++)
		free(siblings->list[i].path);
	free(siblings->list);
	*siblings = (struct siblings){0};
}
