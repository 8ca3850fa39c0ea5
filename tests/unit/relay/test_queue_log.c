/* SPDX-License-Identifier: MIT */
/* What a relay's queue knows of its log: its files, which of them are needed, and its marks. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "relay/mark.h"
#include "relay/queue.h"
#include "unit.h"

static struct relay_queue *queue;
static struct error error;

/* Two files: one from -100 on, which was read up to -50, and the last one, of 30 bytes. */
static void begin(void)
{
	const struct relay_file files[] = {{.id = {1, 1}, .start = -100, .old = 100},
					   {.id = {1, 2}, .start = 0, .old = 30}};
	const struct relay_queue_start start = {.workers = 100,
						.acknowledged = 10,
						.lines = 15,
						.behind_file = 3,
						.committed = 30,
						.read = -50,
						.files = files,
						.file_count = 2};
	queue = relay_queue_make(&start, &error);
	ck_assert_msg(queue != NULL, "%s", error.message);
}

static void end(void)
{
	relay_queue_free(queue);
}

static void add(int64_t start)
{
	struct relay_job *job = calloc(1, sizeof *job);
	ck_assert(job && buffer_reserve(&job->line, 1));
	job->start = start;
	relay_queue_add(queue, job, start + 10);
	relay_job_done(job);
}

/* As the log does it: a mark, then it goes on in another file. */
static void move(uint64_t inode)
{
	struct log_watcher *watcher = relay_queue_watcher(queue);
	struct log_summary *summary = relay_queue_summary(queue);
	struct buffer notes = {0};
	ck_assert(summary->write(summary, &notes, 0, true));
	buffer_free(&notes);
	watcher->moved(watcher, (struct file_id){1, inode});
}

static void store(size_t bytes)
{
	struct log_watcher *watcher = relay_queue_watcher(queue);
	watcher->settle(watcher, bytes, 0);
}

static void assert_part(int64_t position, uint64_t inode, int64_t limit)
{
	struct relay_file file;
	ck_assert_int_eq(relay_queue_part(queue, position, &file), limit);
	ck_assert_uint_eq(file.id.inode, inode);
}

/* Returns whether files are needed no longer. */
static bool note(void)
{
	uint64_t number;
	int64_t deadline;
	bool lifts;
	ck_assert(relay_queue_begin_note(queue, &number, &lifts, &deadline));
	return relay_queue_end_note(queue, true);
}

START_TEST(each_position_is_in_a_file)
{
	struct relay_file file;
	int64_t limit;
	assert_part(-100, 1, 0);
	assert_part(-1, 1, 0);
	assert_part(0, 2, 30);
	assert_part(30, 2, 30);
	ck_assert(relay_queue_wait_log(queue, &file, &limit));
	ck_assert_uint_eq(file.id.inode, 1);
	ck_assert_int_eq(limit, 0);
	relay_queue_add(queue, NULL, 0);
	ck_assert(relay_queue_wait_log(queue, &file, &limit));
	ck_assert_uint_eq(file.id.inode, 2);
	ck_assert_int_eq(file.old, 30);
	ck_assert_int_eq(limit, 30);
	for (uint64_t i = 3; i < 100; i++) {
		move(i);
		store(10);
		assert_part((int64_t)i * 10, i, (int64_t)i * 10 + 10);
	}
	assert_part(29, 2, 30);
	assert_part(495, 49, 500);
}
END_TEST

START_TEST(files_are_needed_until_it_is_noted)
{
	add(-40);
	add(-10);
	relay_queue_add(queue, NULL, 0);
	add(5);
	ck_assert_uint_eq(relay_queue_needed(queue, true).inode, 1);
	relay_queue_acknowledge(queue);
	ck_assert(!note());
	relay_queue_acknowledge(queue);
	ck_assert_uint_eq(relay_queue_needed(queue, false).inode, 2);
	ck_assert_uint_eq(relay_queue_needed(queue, true).inode, 1);
	ck_assert(note());
	ck_assert_uint_eq(relay_queue_needed(queue, true).inode, 2);
	move(3);
	store(10);
	relay_queue_acknowledge(queue);
	ck_assert(!note()); /* another line can begin behind the last one */
	ck_assert_uint_eq(relay_queue_needed(queue, true).inode, 2);
	add(30);
	relay_queue_acknowledge(queue);
	ck_assert(note());
	ck_assert_uint_eq(relay_queue_needed(queue, true).inode, 3);
	ck_assert_uint_eq(relay_queue_behind_file(queue), 3);
}
END_TEST

static struct relay_mark write_mark(uint64_t lines)
{
	struct log_summary *summary = relay_queue_summary(queue);
	struct buffer notes = {0};
	struct relay_mark mark;
	ck_assert(summary->write(summary, &notes, lines, false));
	ck_assert(relay_mark_read((struct slice){notes.bytes, notes.length - 1}, &mark));
	buffer_free(&notes);
	return mark;
}

START_TEST(marks)
{
	static const char name[RELAY_NAME_SIZE] = "a/0123456789abcdef";
	struct relay_mark mark = write_mark(2);
	ck_assert_uint_eq(mark.lines, 17);
	ck_assert_uint_eq(mark.acknowledged, 10);
	ck_assert_uint_eq(mark.behind_file, 3);
	ck_assert_str_eq(mark.name, "");
	relay_queue_number(queue, name, 12);
	add(-40);
	relay_queue_acknowledge(queue);
	mark = write_mark(2);
	ck_assert_uint_eq(mark.acknowledged, 10); /* the log does not say so yet */
	ck_assert_str_eq(mark.name, name);
	ck_assert_uint_eq(mark.max, 12);
	relay_queue_greet(queue);
	(void)note();
	mark = write_mark(2);
	ck_assert_uint_eq(mark.acknowledged, 11);
	ck_assert_uint_eq(mark.max, UINT64_MAX);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("queue and log");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, each_position_is_in_a_file);
	tcase_add_test(cases, files_are_needed_until_it_is_noted);
	tcase_add_test(cases, marks);
	return unit_main("queue_log", cases, NULL);
}
