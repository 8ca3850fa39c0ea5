/* SPDX-License-Identifier: MIT */
/* What a power cut leaves of files, by their synced and their other changes. */
#include "power/disk.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "unit.h"

enum { TRIES = 4000, LARGE = 3 * DISK_SECTOR };

static struct disk disk;
static struct error error;
static int64_t now;
static uint64_t seed;
static char large[LARGE]; /* no zeros */

static void begin(void)
{
	scratch_enter();
	memset(large, 'x', LARGE);
	now = 0;
	seed = 1;
	ck_assert_int_eq(disk_begin(&disk, ".", "log", &error), 0);
}

static void end(void)
{
	ck_assert(!disk.no_memory);
	disk_free(&disk);
}

static void take(enum trace_kind kind, uint64_t id, int64_t offset, const char *bytes,
		 size_t length)
{
	now++;
	disk_take(&disk, &(struct trace_event){.kind = kind,
					       .time = now,
					       .begun = now,
					       .id = id,
					       .offset = offset,
					       .bytes = bytes,
					       .length = length});
}

static void make(uint64_t id, const char *name)
{
	take(TRACE_OPENED, id, 0, name, strlen(name) + 1);
}

static void put(uint64_t id, int64_t offset, const char *bytes)
{
	take(TRACE_WRITTEN, id, offset, bytes, strlen(bytes));
}

/* A file with a name, both safe, as its bytes are. */
static void make_safe(uint64_t id, const char *name, const char *bytes)
{
	make(id, name);
	put(id, 0, bytes);
	take(TRACE_SYNCED, id, 0, NULL, 0);
	take(TRACE_NAMES_SYNCED, 0, 0, NULL, 0);
}

/* The bytes of a file in an image; NULL: there is none of that name. */
static const struct buffer *find(const struct disk_image *image, const char *name)
{
	for (size_t i = 0; i < image->count; i++)
		if (!strcmp(image->files[i].name, name))
			return &image->files[i].bytes;
	return NULL;
}

static bool is(const struct buffer *bytes, const char *expected)
{
	return bytes && slice_equals((struct slice){bytes->bytes, bytes->length}, expected);
}

/* How often a file is so, of all its images at random; expected NULL: is not there. */
static int count(const char *name, const char *expected)
{
	int found = 0;
	for (int i = 0; i < TRIES; i++) {
		struct disk_image image;
		uint64_t combinations;
		ck_assert(disk_choose(&disk, 0, &seed, &combinations, &image));
		const struct buffer *bytes = find(&image, name);
		found += expected ? is(bytes, expected) : !bytes;
		disk_image_free(&image);
	}
	return found;
}

START_TEST(what_is_synced_is_safe)
{
	make_safe(1, "log", "one\n");
	ck_assert_int_eq(count("log", "one\n"), TRIES);
}
END_TEST

/* So a server whose syncs did nothing would be found out. */
START_TEST(without_syncs_nothing_is)
{
	disk.no_syncs = true;
	make_safe(1, "log", "one\n");
	ck_assert_int_gt(count("log", NULL), 0);
	ck_assert_int_gt(count("log", ""), 0);
	ck_assert_int_gt(count("log", "one\n"), 0);
}
END_TEST

START_TEST(a_sync_covers_what_had_ended_when_it_began)
{
	make_safe(1, "log", "one\n");
	int64_t begun = now;
	put(1, 4, "two\n");
	now++;
	disk_take(&disk, &(struct trace_event){
				 .kind = TRACE_SYNCED, .id = 1, .time = now, .begun = begun});
	ck_assert_int_gt(count("log", "one\n"), 0);
	ck_assert_int_gt(count("log", "one\ntwo\n"), 0);
}
END_TEST

START_TEST(what_is_not_synced_is_dropped_kept_or_torn)
{
	make_safe(1, "log", "one\n");
	put(1, 4, "two\n");
	static const char zeros[] = "one\n\0\0\0\0", torn[] = "one\n\0\0";
	int holes = 0, ends = 0;
	ck_assert_int_gt(count("log", "one\n"), 0);
	ck_assert_int_gt(count("log", "one\nt"), 0);
	ck_assert_int_gt(count("log", "one\ntwo"), 0);
	ck_assert_int_gt(count("log", "one\ntwo\n"), 0);
	for (int i = 0; i < TRIES; i++) {
		struct disk_image image;
		uint64_t combinations;
		ck_assert(disk_choose(&disk, 0, &seed, &combinations, &image));
		const struct buffer *bytes = find(&image, "log");
		ck_assert(bytes && bytes->length >= 4 && bytes->length <= 8);
		ck_assert_mem_eq(bytes->bytes, "one\n", 4);
		holes += bytes->length == 8 && !memcmp(bytes->bytes, zeros, 8);
		ends += bytes->length == 6 && !memcmp(bytes->bytes, torn, 6);
		disk_image_free(&image);
	}
	ck_assert_int_gt(holes, 0);
	ck_assert_int_gt(ends, 0);
}
END_TEST

/* Each sector of each write, the size at the end of each, and each number of names. */
START_TEST(all_combinations)
{
	uint64_t combinations, seen = 0;
	struct disk_image image;
	make_safe(1, "log", "");
	take(TRACE_WRITTEN, 1, 0, large, LARGE);
	for (uint64_t i = 0; i < 8 * 4; i++) {
		ck_assert(disk_choose(&disk, i, NULL, &combinations, &image));
		ck_assert_uint_eq(combinations, 8 * 4);
		const struct buffer *bytes = find(&image, "log");
		ck_assert_uint_eq(bytes->length % DISK_SECTOR, 0);
		uint64_t state = bytes->length / DISK_SECTOR;
		for (size_t at = 0; at < bytes->length; at += DISK_SECTOR) {
			bool there = bytes->bytes[at];
			state |= (uint64_t)there << (2 + at / DISK_SECTOR);
			ck_assert_int_eq(bytes->bytes[at + DISK_SECTOR - 1], there ? 'x' : 0);
		}
		ck_assert(i || !bytes->length); /* the first: nothing */
		seen |= UINT64_C(1) << state;
		disk_image_free(&image);
	}
	ck_assert_int_eq(__builtin_popcountll(seen), 1 + 2 + 4 + 8);
	make(2, "log.1");
	ck_assert(disk_choose(&disk, 0, NULL, &combinations, &image));
	ck_assert_uint_eq(combinations, 8 * 4 * 2);
	disk_image_free(&image);
}
END_TEST

/* A sector that was synced in part, and is written again with more, keeps that part. */
START_TEST(what_is_overwritten_is_old_or_new)
{
	make_safe(1, "log", "one\n");
	put(1, 0, "two\n");
	int old = count("log", "one\n"), new = count("log", "two\n");
	ck_assert_int_gt(old, 0);
	ck_assert_int_gt(new, 0);
	ck_assert_int_gt(old + new, TRIES / 2);
}
END_TEST

START_TEST(cuts)
{
	make_safe(1, "log", "one\ntwo\n");
	take(TRACE_CUT, 1, 4, NULL, 0);
	ck_assert_int_gt(count("log", "one\ntwo\n"), 0);
	ck_assert_int_gt(count("log", "one\n"), 0);
	put(1, 4, "new");
	ck_assert_int_gt(count("log", "one\nnew\n"), 0); /* both, by half */
	take(TRACE_SYNCED, 1, 0, NULL, 0);
	ck_assert_int_eq(count("log", "one\nnew"), TRIES);
}
END_TEST

START_TEST(names_come_in_their_order)
{
	static const char names[] = "log\0log.1";
	make_safe(1, "log", "one\n");
	take(TRACE_RENAMED, 0, 0, names, sizeof names);
	make(2, "log");
	ck_assert_int_gt(count("log", "one\n"), 0);
	ck_assert_int_gt(count("log", NULL), 0);
	ck_assert_int_gt(count("log", ""), 0);
	ck_assert_int_gt(count("log.1", "one\n"), 0);
	ck_assert_int_gt(count("log.1", NULL), 0);
	take(TRACE_NAMES_SYNCED, 0, 0, NULL, 0);
	ck_assert_int_eq(count("log.1", "one\n"), TRIES);
	ck_assert_int_eq(count("log", ""), TRIES);
	take(TRACE_DELETED, 0, 0, "log.1", 6);
	ck_assert_int_gt(count("log.1", "one\n"), 0);
	ck_assert_int_gt(count("log.1", NULL), 0);
}
END_TEST

/* An inode that is used again is another file. */
START_TEST(inodes_are_used_again)
{
	make_safe(1, "log", "one\n");
	take(TRACE_DELETED, 0, 0, "log", 4);
	make(1, "log.1");
	put(1, 0, "two\n");
	take(TRACE_SYNCED, 1, 0, NULL, 0);
	take(TRACE_NAMES_SYNCED, 0, 0, NULL, 0);
	ck_assert_int_eq(count("log.1", "two\n"), TRIES);
}
END_TEST

START_TEST(files_are_read_and_written)
{
	struct disk_image image;
	file_write("log", "one\n");
	file_write("other", "no\n");
	disk_free(&disk);
	ck_assert_int_eq(disk_begin(&disk, ".", "log", &error), 0);
	ck_assert_int_eq(count("log", "one\n"), TRIES);
	ck_assert_int_eq(count("other", NULL), TRIES);
	make(9, "log.1");
	put(9, 0, "two\n");
	ck_assert(disk_whole(&disk, &image));
	ck_assert_int_eq(disk_image_write(&image, ".", &error), 0);
	disk_image_free(&image);
	char *bytes = file_read("log.1", NULL);
	ck_assert_str_eq(bytes, "two\n");
	free(bytes);
	ck_assert_int_eq(disk_begin(&(struct disk){0}, "none", "log", &error), -1);
	ck_assert_str_eq(error.message, "cannot read none: No such file or directory");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("disk");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, what_is_synced_is_safe);
	tcase_add_test(cases, without_syncs_nothing_is);
	tcase_add_test(cases, a_sync_covers_what_had_ended_when_it_began);
	tcase_add_test(cases, what_is_not_synced_is_dropped_kept_or_torn);
	tcase_add_test(cases, all_combinations);
	tcase_add_test(cases, what_is_overwritten_is_old_or_new);
	tcase_add_test(cases, cuts);
	tcase_add_test(cases, names_come_in_their_order);
	tcase_add_test(cases, inodes_are_used_again);
	tcase_add_test(cases, files_are_read_and_written);
	int status = unit_main("disk", cases, NULL);
	scratch_remove();
	return status;
}
