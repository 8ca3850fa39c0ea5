/* SPDX-License-Identifier: MIT */
#include "base/closed_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/slice.h"

static const char *base_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? slash + 1 : name;
}

/* Writes the name of a file in the directory of another one. Returns 0, or -1 with errno. */
static int beside(const char *other, const char *name, char path[PATH_MAX])
{
	int directory = (int)(base_name(other) - other);
	if (snprintf(path, PATH_MAX, "%.*s%s", directory, other, name) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* The file that a symbolic link names, which need not be there: while it is rotated it is not. */
static int read_link(const char *link, char path[PATH_MAX])
{
	char target[PATH_MAX], directory[PATH_MAX + 1]; /* stacks of threads are small */
	if (realpath(link, path))
		return 0;
	ssize_t length = errno == ENOENT ? readlink(link, target, sizeof target - 1) : -1;
	if (length < 0)
		return -1;
	target[length] = '\0';
	if (!*base_name(target) || beside(*target == '/' ? "" : link, target, path) < 0)
		return -1;
	memcpy(path + (base_name(path) - path), ".", sizeof ".");
	if (!realpath(path, directory))
		return -1;
	(void)strcat(directory, "/");
	return beside(directory, base_name(target), path);
}

int closed_files_path(const char *log, char path[PATH_MAX])
{
	struct stat status;
	int found = lstat(log, &status);
	if (found < 0 && errno != ENOENT)
		return -1;
	if (found == 0 && S_ISLNK(status.st_mode))
		return read_link(log, path);
	return beside("", log, path);
}

/* Whether ".M", or ".M." and more, is there, as in the name of a closed file of FILE.N. */
static bool begins_with_number(struct slice rest)
{
	uint64_t number;
	return slice_skip(&rest, ".") && slice_number(&rest, &number) &&
	       (!rest.length || *rest.bytes == '.');
}

int closed_files_beside(const char *log, const char *name, char path[PATH_MAX])
{
	char own[PATH_MAX];
	return closed_files_path(log, own) < 0 ? -1 : beside(own, name, path);
}

uint64_t closed_file_number(const char *log, const char *name, bool *compressed)
{
	struct slice rest = slice_of(base_name(name));
	uint64_t number;
	if (!slice_skip(&rest, base_name(log)) || !slice_skip(&rest, ".") ||
	    !slice_number(&rest, &number) || number > CLOSED_NUMBER_MAX ||
	    (rest.length && *rest.bytes != '.') || begins_with_number(rest))
		return 0;
	*compressed = rest.length;
	return number;
}

/* As closed_file_number(), for FILE-DATE, whose number is 0. */
static bool has_date(const char *log, const char *name, bool *compressed)
{
	struct slice rest = slice_of(base_name(name));
	if (!slice_skip(&rest, base_name(log)) || rest.length < 2 || *rest.bytes != '-')
		return false;
	size_t date = strspn(rest.bytes, "-0123456789");
	*compressed = rest.bytes[date] == '.';
	return *compressed || !rest.bytes[date];
}

static int64_t nanoseconds(struct timespec time)
{
	return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

/* --- listing --- */

/* Adds the file of that name in an open directory, if it is regular; its own name is made of the
 * log's. Returns 0, or -1 with errno. */
static int add(struct closed_files *closed, const char *path, int directory, const char *name,
	       struct closed_file file)
{
	struct stat status;
	struct closed_file *files;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1; /* deleted since */
	if (!S_ISREG(status.st_mode))
		return 0;
	files = memory_grow(closed->files, closed->count, &closed->capacity, sizeof *files);
	if (!files)
		return -1;
	closed->files = files;
	size_t before = (size_t)(base_name(path) - path), length = strlen(name) + 1;
	file.name = memory_malloc(before + length);
	if (!file.name)
		return -1;
	memcpy(file.name, path, before);
	memcpy(file.name + before, name, length);
	file.id = (struct file_id){status.st_dev, status.st_ino};
	file.size = status.st_size;
	file.changed = nanoseconds(status.st_mtim);
	file.closed = nanoseconds(status.st_ctim);
	closed->files[closed->count++] = file;
	return 0;
}

/* Opens the directory of a path. NULL: errno is set. */
static DIR *open_directory(const char *path)
{
	char directory[PATH_MAX];
	size_t length = (size_t)(base_name(path) - path);
	memcpy(directory, path, length);
	directory[length] = '\0';
	return opendir(length ? directory : ".");
}

static int compare(const void *left, const void *right)
{
	const struct closed_file *one = left, *other = right;
	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	if (one->compressed != other->compressed)
		return one->compressed ? 1 : -1;
	return strcmp(one->name, other->name);
}

enum listed { ONLY_LAST, NUMBERED, NUMBERED_AND_DATED };

static int list(struct closed_files *closed, const char *log, enum listed which)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	int result = 0;
	*closed = (struct closed_files){0};
	DIR *directory = closed_files_path(log, path) < 0 ? NULL : open_directory(path);
	if (!directory)
		return -1;
	while (result == 0 && (errno = 0, entry = readdir(directory))) {
		struct closed_file file = {0};
		file.number = closed_file_number(path, entry->d_name, &file.compressed);
		if (file.number > closed->last)
			closed->last = file.number;
		if (which == ONLY_LAST)
			continue;
		if (file.number || (which == NUMBERED_AND_DATED &&
				    has_date(path, entry->d_name, &file.compressed)))
			result = add(closed, path, dirfd(directory), entry->d_name, file);
	}
	int errnum = errno;
	if (result == 0 && errnum)
		result = -1;
	(void)closedir(directory); /* it was only read */
	if (result < 0)
		closed_files_free(closed);
	else if (closed->count)
		qsort(closed->files, closed->count, sizeof *closed->files, compare);
	errno = errnum;
	return result;
}

int closed_files_list(struct closed_files *closed, const char *log)
{
	return list(closed, log, NUMBERED);
}

int closed_files_last(const char *log, uint64_t *last)
{
	struct closed_files closed;
	int result = list(&closed, log, ONLY_LAST);
	*last = closed.last;
	return result;
}

void closed_files_free(struct closed_files *closed)
{
	for (size_t i = 0; i < closed->count; i++)
		free(closed->files[i].name);
	free(closed->files);
	*closed = (struct closed_files){0};
}

const struct closed_file *closed_files_find(const struct closed_files *closed, uint64_t number)
{
	for (size_t i = 0; i < closed->count; i++)
		if (closed->files[i].number == number)
			return &closed->files[i];
	return NULL;
}

/* --- one of them --- */

/* Locks it, if no process has; *descriptor is to be closed. Returns 0; 1: one has; -1: errno is
 * set.
 */
static int lock(const char *name, int *descriptor)
{
	*descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (*descriptor < 0)
		return -1;
	if (flock(*descriptor, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -1;
}

int closed_file_compressed(const char *name, char **compressed)
{
	struct closed_files closed;
	char log[PATH_MAX];
	bool is_compressed;
	const char *dot = strrchr(name, '.');
	*compressed = NULL;
	if (!dot || snprintf(log, sizeof log, "%.*s", (int)(dot - name), name) >= PATH_MAX)
		return 0;
	uint64_t number = closed_file_number(log, name, &is_compressed);
	if (closed_files_list(&closed, log) < 0)
		return -1;
	const struct closed_file *found = number ? closed_files_find(&closed, number) : NULL;
	if (found)
		*compressed = strdup(found->name);
	int result = !found ? 0 : *compressed ? 1 : -1;
	closed_files_free(&closed);
	return result;
}

int closed_file_delete(const char *name)
{
	int descriptor, result = lock(name, &descriptor);
	if (result == 0)
		result = unlink(name);
	if (result < 0 && errno == ENOENT)
		result = 0;
	descriptor_close(&descriptor);
	return result;
}

bool closed_file_is_in_use(const char *name)
{
	int descriptor, result = lock(name, &descriptor);
	descriptor_close(&descriptor);
	return result > 0;
}

/* --- the file before --- */

/* Whether a log goes on from that file rather than from the one found so far, which is not
 * compressed, or NULL. */
static bool is_later(const struct closed_file *file, const struct closed_file *found)
{
	if (!found)
		return true;
	if (file->compressed && file->number <= found->number)
		return false;
	return file->changed > found->changed ||
	       (!file->compressed && file->changed == found->changed);
}

/* Gives the file its name, and frees the list. */
static int take(struct closed_files *closed, struct closed_file *found, struct closed_file *before)
{
	if (found) {
		*before = *found;
		found->name = NULL;
	}
	closed_files_free(closed);
	return found ? 1 : 0;
}

int closed_file_before(const char *log, struct closed_file *before)
{
	struct closed_files closed;
	struct closed_file *found = NULL, *packed = NULL;
	if (list(&closed, log, NUMBERED_AND_DATED) < 0)
		return -1;
	for (size_t i = 0; i < closed.count; i++)
		if (!closed.files[i].compressed && is_later(&closed.files[i], found))
			found = &closed.files[i];
	for (size_t i = 0; i < closed.count; i++)
		if (closed.files[i].compressed && is_later(&closed.files[i], found) &&
		    (!packed || closed.files[i].changed >= packed->changed))
			packed = &closed.files[i];
	return take(&closed, packed ? packed : found, before);
}

int closed_file_older(const char *log, const char *name, struct closed_file *before)
{
	struct closed_files closed;
	struct closed_file *found = NULL;
	struct stat status;
	bool compressed;
	uint64_t number = closed_file_number(log, name, &compressed);
	if (stat(name, &status) < 0 || list(&closed, log, NUMBERED_AND_DATED) < 0)
		return -1;
	int64_t changed = nanoseconds(status.st_mtim);
	if (!number && !has_date(log, name, &compressed))
		number = UINT64_MAX; /* the log's own file is the last one */
	for (size_t i = 0; i < closed.count; i++) {
		struct closed_file *file = &closed.files[i];
		bool older = file->changed < changed ||
			     (file->changed == changed && file->number < number);
		if (older && !file->compressed && is_later(file, found))
			found = file;
	}
	return take(&closed, found, before);
}

/* --- a name --- */

static bool is_file(int directory, const char *name, struct file_id id)
{
	struct stat status;
	return fstatat(directory, name, &status, 0) == 0 &&
	       file_id_is((struct file_id){status.st_dev, status.st_ino}, id);
}

int closed_files_name(const char *log, struct file_id id, char path[PATH_MAX])
{
	const struct dirent *entry;
	if (closed_files_path(log, path) < 0)
		return -1;
	if (is_file(AT_FDCWD, path, id))
		return 1;
	DIR *directory = open_directory(path);
	if (!directory)
		return -1;
	size_t before = (size_t)(base_name(path) - path), length = strlen(path + before);
	bool found = false;
	while (!found && (errno = 0, entry = readdir(directory)))
		found = entry->d_ino == id.inode &&
			!strncmp(entry->d_name, path + before, length) &&
			is_file(dirfd(directory), entry->d_name, id);
	int errnum = errno;
	if (found && before + strlen(entry->d_name) < PATH_MAX)
		memcpy(path + before, entry->d_name, strlen(entry->d_name) + 1);
	(void)closedir(directory); /* it was only read */
	errno = errnum;
	return found ? 1 : errnum ? -1 : 0;
}
