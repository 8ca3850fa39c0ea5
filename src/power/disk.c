/* SPDX-License-Identifier: MIT */
#include "power/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

/* --- files --- */

/* The file of an inode: the last one, as a number can be used again. */
static struct disk_file *find_file(const struct disk *disk, uint64_t inode)
{
	for (size_t i = disk->count; i-- > 0;)
		if (disk->files[i].inode == inode)
			return &disk->files[i];
	return NULL;
}

static struct disk_file *add_file(struct disk *disk, uint64_t inode)
{
	struct disk_file *grown =
		memory_grow(disk->files, disk->count, &disk->capacity, sizeof *grown);
	if (!grown)
		return NULL;
	disk->files = grown;
	grown[disk->count] = (struct disk_file){.inode = inode};
	return &grown[disk->count++];
}

bool disk_resize(struct buffer *bytes, size_t size)
{
	if (size > bytes->length) {
		if (!buffer_reserve(bytes, size - bytes->length))
			return false;
		memset(bytes->bytes + bytes->length, 0, size - bytes->length);
	}
	bytes->length = size;
	return true;
}

bool disk_apply(struct buffer *bytes, const struct disk_change *change)
{
	size_t end = (size_t)change->offset + change->bytes.length;
	if (change->cuts)
		return disk_resize(bytes, (size_t)change->offset);
	if (end > bytes->length && !disk_resize(bytes, end))
		return false;
	if (change->bytes.length)
		memcpy(bytes->bytes + change->offset, change->bytes.bytes, change->bytes.length);
	return true;
}

/* --- the beginning --- */

static bool read_file(int directory, const char *name, struct disk_file *file)
{
	struct buffer *bytes = &file->safe;
	struct stat status;
	int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC);
	bool done = descriptor >= 0 && fstat(descriptor, &status) == 0 &&
		    disk_resize(bytes, (size_t)status.st_size) &&
		    read(descriptor, bytes->bytes, bytes->length) == (ssize_t)bytes->length;
	if (descriptor >= 0)
		(void)close(descriptor);
	if (!done)
		return false;
	file->inode = status.st_ino;
	file->made = status.st_mtim.tv_sec * CLOCK_SECOND + status.st_mtim.tv_nsec;
	file->changed = file->made;
	return true;
}

static bool begin_file(struct disk *disk, int directory, const char *name)
{
	struct stat status;
	if (fstatat(directory, name, &status, 0) == 0 && !S_ISREG(status.st_mode))
		return true;
	struct disk_file *file = add_file(disk, 0);
	size_t index = disk->count - 1;
	return file && read_file(directory, name, file) && names_set(&disk->safe, name, index) &&
	       names_set(&disk->live, name, index);
}

int disk_begin(struct disk *disk, const char *directory, const char *prefix, struct error *error)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	*disk = (struct disk){.since_1970 = now.tv_sec * CLOCK_SECOND + now.tv_nsec - clock_now()};
	DIR *names = opendir(directory);
	const struct dirent *entry;
	bool done = names != NULL;
	while (done && (entry = readdir(names)) != NULL)
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			done = begin_file(disk, dirfd(names), entry->d_name);
	int errnum = errno;
	if (names)
		(void)closedir(names);
	return done ? 0 : error_set(error, "cannot read %.200s: %s", directory, strerror(errnum));
}

void disk_free(struct disk *disk)
{
	for (size_t i = 0; i < disk->count; i++) {
		buffer_free(&disk->files[i].safe);
		free(disk->files[i].changes);
	}
	free(disk->files);
	free(disk->renames);
	names_free(&disk->safe);
	names_free(&disk->live);
	*disk = (struct disk){0};
}

/* --- events --- */

bool disk_changes(const struct disk *disk, const struct trace_event *event)
{
	const struct name *name;
	switch (event->kind) {
	case TRACE_OPENED:
		name = names_find(&disk->live, event->bytes);
		return !name || disk->files[name->file].inode != event->id;
	case TRACE_ACCEPTED:
	case TRACE_RECEIVED:
	case TRACE_SENT:
		return false;
	default:
		return true;
	}
}

static bool take_rename(struct disk *disk, const struct trace_event *event)
{
	struct name_change *grown =
		memory_grow(disk->renames, disk->renamed, &disk->renames_capacity, sizeof *grown);
	struct name_change change = {.time = event->time,
				     .kind = event->kind,
				     .name = event->bytes,
				     .to = event->bytes + strlen(event->bytes) + 1};
	if (!grown)
		return false;
	disk->renames = grown;
	if (event->kind == TRACE_OPENED) {
		if (!disk_changes(disk, event))
			return true;
		if (!add_file(disk, event->id))
			return false;
		change.file = disk->count - 1;
		disk->files[change.file].made = disk->files[change.file].changed =
			disk->since_1970 + event->time;
	}
	grown[disk->renamed++] = change;
	return names_change(&disk->live, &change);
}

static bool take_change(const struct disk *disk, struct disk_file *file,
			const struct trace_event *event)
{
	struct disk_change *grown =
		memory_grow(file->changes, file->count, &file->capacity, sizeof *grown);
	if (!grown)
		return false;
	file->changes = grown;
	file->changed = disk->since_1970 + event->time;
	grown[file->count++] = (struct disk_change){.time = event->time,
						    .cuts = event->kind == TRACE_CUT,
						    .offset = event->offset,
						    .bytes = {event->bytes, event->length}};
	return true;
}

/* What had ended when the sync began is safe. */
static bool sync_file(struct disk_file *file, int64_t begun)
{
	size_t done = 0;
	for (; done < file->count && file->changes[done].time <= begun; done++)
		if (!disk_apply(&file->safe, &file->changes[done]))
			return false;
	file->count -= done;
	if (file->count)
		memmove(file->changes, file->changes + done, file->count * sizeof *file->changes);
	return true;
}

static bool sync_names(struct disk *disk, int64_t begun)
{
	size_t done = 0;
	for (; done < disk->renamed && disk->renames[done].time <= begun; done++)
		if (!names_change(&disk->safe, &disk->renames[done]))
			return false;
	disk->renamed -= done;
	if (disk->renamed)
		memmove(disk->renames, disk->renames + done, disk->renamed * sizeof *disk->renames);
	return true;
}

void disk_take(struct disk *disk, const struct trace_event *event)
{
	struct disk_file *file;
	bool done = true;
	switch (event->kind) {
	case TRACE_OPENED:
	case TRACE_RENAMED:
	case TRACE_LINKED:
	case TRACE_DELETED:
		done = take_rename(disk, event);
		break;
	case TRACE_WRITTEN:
	case TRACE_CUT:
		file = find_file(disk, event->id);
		done = !file || take_change(disk, file, event);
		break;
	case TRACE_SYNCED:
		file = find_file(disk, event->id);
		done = !file || disk->no_syncs || sync_file(file, event->begun);
		break;
	case TRACE_NAMES_SYNCED:
		done = disk->no_syncs || sync_names(disk, event->begun);
		break;
	default:
		break;
	}
	disk->no_memory |= !done;
}
