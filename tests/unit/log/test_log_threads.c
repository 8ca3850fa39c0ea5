/* SPDX-License-Identifier: MIT */
/* Group commit with many threads at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/closed_files.h"
#include "log/rotation.h"
#include "log_fixture.h"
#include "support.h"
#include "unit.h"

enum { THREADS = 8, ROUNDS = 402, LINES = ROUNDS * 2 };

struct submitter {
	struct fake fake; /* first member: the pointer is cast between the two types */
	pthread_t thread;
	char name[16];
	int number;
};

static bool flushes; /* so that there are more batches */

static void *submit_many(void *argument)
{
	struct submitter *self = argument;
	for (int i = 0; i < ROUNDS; i++) {
		char lines[3][64];
		struct log_item items[3];
		size_t count = (size_t)(i % 3) + 1;
		for (size_t j = 0; j < count; j++) {
			(void)snprintf(lines[j], sizeof lines[j], "%d.%d.%zu.", self->number, i, j);
			items[j] = item_line(lines[j]);
			items[j].answer = lines[j];
			items[j].answer_length = items[j].length;
		}
		enum submission how = i % 7 ? SUBMIT_COMMIT : SUBMIT_DEFER;
		if (self->number % 2) /* as leaders of groups do */
			how = SUBMIT_FOR_OTHERS;
		if (!log_submit(log_under_test, &self->fake.recipient, items, count, how))
			abort();
		if (how == SUBMIT_FOR_OTHERS && i % 3)
			(void)log_commit(log_under_test, false);
		if (i % 50 == self->number)
			log_reopen(log_under_test, NULL);
		if (flushes && i % 20 == 10)
			(void)log_flush(log_under_test, clock_after(PATIENCE));
		if (i % 50 == 25)
			log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "a note");
	}
	return NULL;
}

/* Every line of one submitter once and in order, and so its answers; its sent records, as many as
 * were delivered. */
static void assert_complete(struct submitter *self, const char *bytes)
{
	size_t lines = 0, place = 0;
	char word[64], answer[32];
	const char *at = bytes;
	for (int i = 0; i < ROUNDS; i++)
		for (int j = 0; j <= i % 3; j++, lines++) {
			(void)snprintf(answer, sizeof answer, "%d.%d.%d.\n", self->number, i, j);
			(void)snprintf(word, sizeof word, "--%s received: %s", self->name, answer);
			at = strstr(at, word);
			if (!at)
				ck_abort_msg("missing or out of order: %s", word);
			at += strlen(word);
			size_t length = strlen(answer);
			if (place + length > self->fake.answers.length ||
			    memcmp(self->fake.answers.bytes + place, answer, length) != 0)
				ck_abort_msg("answered out of order: %s", answer);
			place += length;
		}
	ck_assert_uint_eq(fake_lines(&self->fake), lines);
	ck_assert_uint_eq(self->fake.answers.length, place);
	(void)snprintf(word, sizeof word, "--%s received: ", self->name);
	ck_assert_uint_eq(count_of(bytes, word), lines);
	(void)snprintf(word, sizeof word, "--%s sent: ", self->name);
	ck_assert_uint_eq(count_of(bytes, word), lines);
}

/* The files of the log, in the order in which they were closed; the caller frees. */
static char *read_all(void)
{
	struct closed_files closed;
	struct buffer all = {0};
	char *bytes;
	size_t length;
	ck_assert_int_eq(closed_files_list(&closed, "log"), 0);
	for (size_t i = 0; i <= closed.count; i++) {
		ck_assert(i == closed.count || closed.files[i].number == i + 1);
		bytes = file_read(i < closed.count ? closed.files[i].name : "log", &length);
		ck_assert(buffer_append(&all, bytes, length));
		free(bytes);
	}
	ck_assert(buffer_append(&all, "", 1));
	closed_files_free(&closed);
	return all.bytes;
}

static struct log *open_rotating(enum log_sync sync)
{
	static struct log_rotation rotation;
	struct error error;
	rotation = (struct log_rotation){.size = 5000};
	const struct log_settings settings = {.target = "log",
					      .rotation = &rotation,
					      .format = &record_text,
					      .sync = sync,
					      .warn = no_warning};
	return log_open(&settings, &error);
}

static void run_many(enum log_sync sync, bool rotates)
{
	static struct submitter submitters[THREADS];
	flushes = rotates;
	log_under_test = rotates ? open_rotating(sync) : open_with(sync, false);
	ck_assert_ptr_nonnull(log_under_test);
	for (int i = 0; i < THREADS; i++) {
		struct submitter *self = &submitters[i];
		self->number = i;
		(void)snprintf(self->name, sizeof self->name, "client%d", i);
		fake_init(&self->fake, self->name);
		ck_assert_int_eq(pthread_create(&self->thread, NULL, submit_many, self), 0);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(submitters[i].thread, NULL), 0);
	flush();
	for (int i = 0; i < THREADS; i++) /* a flush waits for the answers, too */
		ck_assert_uint_eq(fake_lines(&submitters[i].fake), LINES);
	ck_assert(log_close(log_under_test));
	char *bytes = read_all();
	ck_assert(rotates == (count_of(bytes, "--server continues log.") > 10));
	for (int i = 0; i < THREADS; i++) {
		assert_complete(&submitters[i], bytes);
		fake_free(&submitters[i].fake);
	}
	free(bytes);
}

START_TEST(many_threads_lose_and_double_nothing)
{
	run_many((enum log_sync)_i, false);
}
END_TEST

START_TEST(nor_do_they_in_many_files)
{
	run_many((enum log_sync)_i, true);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("log");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_loop_test(cases, many_threads_lose_and_double_nothing, LOG_SYNC_NONE,
			    LOG_SYNC_DISK + 1);
	tcase_add_loop_test(cases, nor_do_they_in_many_files, LOG_SYNC_NONE, LOG_SYNC_DISK + 1);
	int status = unit_main("log_threads", cases, NULL);
	scratch_remove();
	return status;
}
