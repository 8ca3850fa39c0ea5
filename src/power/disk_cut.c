/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "once/fnv.h"
#include "power/disk.h"

enum { FIRST_BYTES = 16 };

/* Makes choices. */
struct chooser {
	uint64_t which;	  /* what is left of the number that says all of them */
	uint64_t *random; /* NULL: by that number */
	uint64_t count;	  /* combinations so far */
	unsigned odds;	  /* of 8: that a sector is there, at random */
};

/* One of so many: 0 is what is safe. */
static uint64_t choose(struct chooser *chooser, uint64_t options)
{
	uint64_t chosen = chooser->which % options;
	if (__builtin_mul_overflow(chooser->count, options, &chooser->count))
		chooser->count = UINT64_MAX;
	if (chooser->random)
		return random_next(chooser->random) % options;
	chooser->which /= options;
	return chosen;
}

static bool keeps_sector(struct chooser *chooser)
{
	bool chosen = choose(chooser, 2);
	return chooser->random ? random_next(chooser->random) % 8 < chooser->odds : chosen;
}

/* Writes those sectors of a write that are there, as far as the file goes. */
static void apply_sectors(struct chooser *chooser, struct buffer *bytes,
			  const struct disk_change *change)
{
	size_t end = (size_t)change->offset + change->bytes.length;
	for (size_t at = (size_t)change->offset; at < end;) {
		size_t stop = (at / DISK_SECTOR + 1) * DISK_SECTOR;
		stop = stop < end ? stop : end;
		size_t visible = stop < bytes->length ? stop : bytes->length;
		if (keeps_sector(chooser) && visible > at)
			memcpy(bytes->bytes + at,
			       change->bytes.bytes + (at - (size_t)change->offset), visible - at);
		at = stop;
	}
}

/* Where the size of a file stands. */
struct size {
	size_t taken; /* changes that it has taken whole */
	size_t end;   /* in the middle of the next one, a write; 0: at its beginning */
};

static size_t sectors(const struct disk_change *change)
{
	size_t length = change->bytes.length;
	return change->cuts || !length ? 1
				       : ((size_t)change->offset + length - 1) / DISK_SECTOR -
						 (size_t)change->offset / DISK_SECTOR + 1;
}

/* In the middle of a write, at random: behind its first byte, which may end a line that was begun
 * before; behind its first bytes; or behind any. */
static struct size inside_write(struct chooser *chooser, const struct disk_file *file, size_t taken)
{
	taken -= taken && taken == file->count;
	static const size_t most[] = {1, FIRST_BYTES, SIZE_MAX};
	size_t inside = taken < file->count ? file->changes[taken].bytes.length : 0;
	size_t max = most[random_next(chooser->random) % 3];
	if (!inside)
		return (struct size){taken, 0};
	if (inside > max)
		inside = max;
	return (struct size){taken, (size_t)file->changes[taken].offset +
					    random_next(chooser->random) % inside + 1};
}

/* At the end of any sector of any write. At random also in the middle of one, and before and behind
 * all changes as often as anywhere else. */
static struct size choose_size(struct chooser *chooser, const struct disk_file *file)
{
	size_t ends = 0, taken = 0;
	for (size_t i = 0; i < file->count; i++)
		ends += sectors(&file->changes[i]);
	size_t at = choose(chooser, ends + 1);
	uint64_t extreme = chooser->random ? random_next(chooser->random) % 4 : 2;
	at = extreme == 0 ? 0 : extreme == 1 ? ends : at;
	while (taken < file->count && at >= sectors(&file->changes[taken]))
		at -= sectors(&file->changes[taken++]);
	if (chooser->random && extreme > 1 && random_next(chooser->random) % 2)
		return inside_write(chooser, file, taken);
	if (!at)
		return (struct size){taken, 0};
	size_t first = (size_t)file->changes[taken].offset / DISK_SECTOR;
	return (struct size){taken, (first + at) * DISK_SECTOR};
}

/* A file as it is without a cut. */
static bool keep_file(const struct disk_file *file, struct buffer *bytes)
{
	bool done = buffer_append(bytes, file->safe.bytes, file->safe.length);
	for (size_t i = 0; i < file->count && done; i++)
		done = disk_apply(bytes, &file->changes[i]);
	return done;
}

static bool is_kept(const struct disk *disk, const char *name)
{
	for (size_t i = 0; disk->kept && disk->kept[i]; i++)
		if (!strncmp(name, disk->kept[i], strlen(disk->kept[i])))
			return true;
	return false;
}

static bool leave_file(struct chooser *chooser, const struct disk_file *file, struct buffer *bytes)
{
	bool done = buffer_append(bytes, file->safe.bytes, file->safe.length);
	const struct size size = choose_size(chooser, file);
	for (size_t i = 0; i < file->count && done; i++) {
		const struct disk_change *change = &file->changes[i];
		size_t end = i == size.taken  ? size.end
			     : i > size.taken ? 0
					      : (size_t)change->offset + change->bytes.length;
		if (change->cuts ? i < size.taken : end > bytes->length)
			done = disk_resize(bytes, end);
		if (!change->cuts && done)
			apply_sectors(chooser, bytes, change);
	}
	return done;
}

static int by_name(const void *one, const void *other)
{
	const struct disk_image_file *left = one, *right = other;
	return strcmp(left->name, right->name);
}

static void hash_image(struct disk_image *image)
{
	uint64_t hash = FNV1A_64_EMPTY;
	for (size_t i = 0; i < image->count; i++) {
		const struct buffer *bytes = &image->files[i].bytes;
		hash = fnv1a_64_more(hash, image->files[i].name, strlen(image->files[i].name) + 1);
		hash = fnv1a_64_more(hash, (const char *)&bytes->length, sizeof bytes->length);
		hash = fnv1a_64_more(hash, bytes->bytes, bytes->length);
	}
	image->hash = hash;
}

/* Adds the files that have names. */
static bool leave_files(struct chooser *chooser, const struct disk *disk, const struct names *names,
			struct disk_image *image)
{
	bool done = true;
	image->files = memory_calloc(names->count + 1, sizeof *image->files);
	for (size_t i = 0; image->files && done && i < names->count; i++) {
		struct disk_image_file *file = &image->files[image->count++];
		file->name = strdup(names->list[i].name);
		const struct disk_file *from = &disk->files[names->list[i].file];
		bool is_old = chooser->random && random_next(chooser->random) % 2;
		done = file->name &&
		       (is_kept(disk, file->name) ? keep_file(from, &file->bytes)
						  : leave_file(chooser, from, &file->bytes));
		file->changed = is_old ? from->made : from->changed;
	}
	if (!image->files || !done)
		return false;
	qsort(image->files, image->count, sizeof *image->files, by_name);
	hash_image(image);
	return true;
}

/* The names that there are. */
static bool leave_names(struct chooser *chooser, const struct disk *disk, struct names *names)
{
	bool done = names_copy(names, &disk->safe);
	size_t renamed = choose(chooser, disk->renamed + 1);
	for (size_t i = 0; i < renamed && done; i++)
		done = names_change(names, &disk->renames[i]);
	for (size_t i = names->count; i-- > 0;)
		if (is_kept(disk, names->list[i].name))
			names_remove(names, i);
	for (size_t i = 0; i < disk->live.count && done; i++)
		if (is_kept(disk, disk->live.list[i].name))
			done = names_set(names, disk->live.list[i].name, disk->live.list[i].file);
	return done;
}

bool disk_choose(const struct disk *disk, uint64_t which, uint64_t *random, uint64_t *count,
		 struct disk_image *image)
{
	static const unsigned odds[] = {0, 1, 4, 7, 8, 8};
	struct chooser chooser = {.which = which, .random = random, .count = 1};
	struct names names;
	if (random)
		chooser.odds = odds[random_next(random) % (sizeof odds / sizeof *odds)];
	*image = (struct disk_image){0};
	bool done = leave_names(&chooser, disk, &names);
	done = done && leave_files(&chooser, disk, &names, image);
	names_free(&names);
	*count = chooser.count;
	return done;
}

bool disk_whole(const struct disk *disk, struct disk_image *image)
{
	bool done = true;
	*image = (struct disk_image){0};
	image->files = memory_calloc(disk->live.count + 1, sizeof *image->files);
	for (size_t i = 0; image->files && done && i < disk->live.count; i++) {
		const struct disk_file *file = &disk->files[disk->live.list[i].file];
		struct disk_image_file *made = &image->files[image->count++];
		made->name = strdup(disk->live.list[i].name);
		done = made->name && keep_file(file, &made->bytes);
	}
	if (image->files && done)
		qsort(image->files, image->count, sizeof *image->files, by_name);
	return image->files && done;
}

void disk_image_free(struct disk_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		free(image->files[i].name);
		buffer_free(&image->files[i].bytes);
	}
	free(image->files);
	*image = (struct disk_image){0};
}

static int write_file(const char *name, const struct buffer *bytes, int64_t changed)
{
	const struct timespec time = {changed / CLOCK_SECOND, changed % CLOCK_SECOND};
	const struct timespec times[] = {time, time};
	int descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (descriptor < 0)
		return -1;
	ssize_t written = bytes->length ? write(descriptor, bytes->bytes, bytes->length) : 0;
	bool whole = written == (ssize_t)bytes->length;
	if (!whole && written >= 0)
		errno = ENOSPC;
	bool dated = whole && futimens(descriptor, times) == 0;
	return close(descriptor) == 0 && dated ? 0 : -1;
}

int disk_image_write(const struct disk_image *image, const char *directory, struct error *error)
{
	char name[PATH_MAX];
	for (size_t i = 0; i < image->count; i++) {
		(void)snprintf(name, sizeof name, "%s/%s", directory, image->files[i].name);
		if (write_file(name, &image->files[i].bytes, image->files[i].changed) < 0)
			return error_set(error, "cannot write %.300s: %s", name, strerror(errno));
	}
	return 0;
}
