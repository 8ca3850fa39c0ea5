/* SPDX-License-Identifier: MIT */
/* A model of what a power cut leaves of the files of one directory.
 *
 * Safe is what was synced: the bytes and the size of a file by fsync() or fdatasync() of it, names
 * by fsync() of the directory. Of the rest, any of this can be there:
 * - each sector of 512 bytes of each write: its new bytes or what was there before, in any
 *   combination;
 * - the size of a file as after any of its writes and cuts, or in the middle of a write; bytes that
 *   are below the size and were not written are zeros;
 * - the time of a file as when it was made, or when it was changed last;
 * - names as after any of the creations, renames and deletions, in their order.
 *
 * So a sync of a file does not make its name safe, sizes and names go their own ways, and later
 * bytes can be there without earlier ones. Nothing of ext4 (any data=), XFS or Btrfs as they are
 * known from Pillai et al., "All File Systems Are Not Created Equal" (OSDI '14: ALICE), and Mohan
 * et al., "Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing" (OSDI '18:
 * CrashMonkey), is more cruel to a program that appends, but for two: names that change out of
 * order, and a disk that forgets what it has confirmed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "power/names.h"
#include "power/trace.h"

enum { DISK_SECTOR = 512 };

struct disk_change {
	int64_t time;
	bool cuts;
	int64_t offset;	    /* of a write; of a cut the size */
	struct slice bytes; /* of a write; borrowed from the trace */
};

/* A file that was once there, by its place in the table. */
struct disk_file {
	uint64_t inode;
	struct buffer safe; /* owned: its bytes as synced */
	struct disk_change *changes;
	size_t count, capacity; /* of those that are not synced */
	int64_t made, changed;	/* ns since 1970 */
};

struct disk {
	struct disk_file *files;
	size_t count, capacity;
	struct names safe, live; /* names as synced, and as they are */
	struct name_change *renames;
	size_t renamed, renames_capacity;
	bool no_memory; /* something is missing */
	/* To be set: files whose names begin so are on a machine of which the power is not cut.
	 * NULL at the end; NULL: none. */
	const char *const *kept;
	bool no_syncs;	    /* to be set: syncs do nothing */
	int64_t since_1970; /* ns, of the zero of the trace's clock */
};

/* Begins with the files of a directory, safe, whose names begin so. -1: the error is set;
 * disk_free() is due in any case. */
int disk_begin(struct disk *disk, const char *directory, const char *prefix, struct error *error);
void disk_free(struct disk *disk);

/* Takes the next event. Returns whether what a cut leaves can be another one behind it. */
bool disk_changes(const struct disk *disk, const struct trace_event *event);
void disk_take(struct disk *disk, const struct trace_event *event);

/* Makes the bytes of a file so many; those that it did not have are zeros. False: out of memory. */
bool disk_resize(struct buffer *bytes, size_t size);
/* Makes a change of it. */
bool disk_apply(struct buffer *bytes, const struct disk_change *change);

/* What is there after a cut. */
struct disk_image {
	struct disk_image_file {
		char *name; /* owned, as the bytes are */
		struct buffer bytes;
		int64_t changed; /* ns since 1970 */
	} * files;
	size_t count;
	uint64_t hash;
};

/* The image of number `which` of all whose combinations are counted in *count; with 0
 * there is nothing that was not synced. With random: one at random. False: out of memory.
 * disk_image_free() is due in any case. */
bool disk_choose(const struct disk *disk, uint64_t which, uint64_t *random, uint64_t *count,
		 struct disk_image *image);
/* The image that there is without a cut. */
bool disk_whole(const struct disk *disk, struct disk_image *image);
void disk_image_free(struct disk_image *image);

/* Writes the files of an image into a directory. -1: the error is set. */
int disk_image_write(const struct disk_image *image, const char *directory, struct error *error);
