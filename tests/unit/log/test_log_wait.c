/* SPDX-License-Identifier: MIT */
/* Group commit while a commit is slow. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "log.h"
#include "support.h"
#include "unit.h"

static struct log *log_under_test;
static struct fake a;

static void no_warning(const char *words)
{
	ck_abort_msg("warned: %s", words);
}

static void assert_counts(const char *path, const char *word, size_t expected)
{
	char *bytes = file_read(path, NULL);
	ck_assert_uint_eq(count_of(bytes, word), expected);
	free(bytes);
}

/* A sync that blocks until the test lets it go on: nothing else is committed until then. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool inside, go;
} slow = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int sync_slowly(int descriptor)
{
	pthread_mutex_lock(&slow.lock);
	slow.inside = true;
	pthread_cond_broadcast(&slow.changed);
	while (!slow.go)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
	return fdatasync(descriptor);
}

static struct fake slow_recipient;

static void *submit_slow(void *argument)
{
	struct log_item item = item_line("slow");
	if (!log_submit(log_under_test, &slow_recipient.recipient, &item, 1, false))
		abort();
	return argument;
}

enum { LARGE_LINES = 100, LARGE = 65536 };
static atomic_size_t submitted;

static void *submit_large(void *argument)
{
	static char line[LARGE + 1];
	memset(line, 'x', LARGE);
	struct log_item item = item_line(line);
	for (int i = 0; i < LARGE_LINES; i++, submitted++)
		if (!log_submit(log_under_test, &a.recipient, &item, 1, false))
			abort();
	return argument;
}

static bool batch_is_full(void *max)
{
	return submitted >= *(size_t *)max;
}

START_TEST(a_full_batch_makes_submitters_wait)
{
	pthread_t slow_thread, large_thread;
	size_t max = (1 << 21) / LARGE; /* lines in the open batch, but for one */
	struct error error;
	struct log_settings settings = {
		.target = "log", .format = &record_text, .sync = LOG_SYNC_DISK, .warn = no_warning};
	ck_assert_ptr_nonnull(log_under_test = log_open(&settings, &error));
	fake_init(&a, "a");
	fake_init(&slow_recipient, "slow");
	append_file_calls.fdatasync = sync_slowly;
	ck_assert_int_eq(pthread_create(&slow_thread, NULL, submit_slow, NULL), 0);
	pthread_mutex_lock(&slow.lock);
	while (!slow.inside)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
	ck_assert_int_eq(pthread_create(&large_thread, NULL, submit_large, NULL), 0);
	ck_assert(eventually(batch_is_full, &max));
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "never waits");
	ck_assert(!log_flush(log_under_test, clock_after(CLOCK_MILLISECOND)));
	ck_assert_uint_le(submitted, max + 1);
	ck_assert_uint_eq(fake_lines(&a), 0);
	pthread_mutex_lock(&slow.lock);
	slow.go = true;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
	ck_assert_int_eq(pthread_join(slow_thread, NULL), 0);
	ck_assert_int_eq(pthread_join(large_thread, NULL), 0);
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(a.lines, LARGE_LINES);
	assert_counts("log", "a received: x", LARGE_LINES);
	assert_counts("log", "a sent: ok\n", LARGE_LINES);
	assert_counts("log", "slow sent: ", 1);
	fake_free(&a);
	fake_free(&slow_recipient);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *waiting = tcase_create("waiting");
	tcase_add_checked_fixture(waiting, scratch_enter, NULL);
	tcase_add_test(waiting, a_full_batch_makes_submitters_wait);
	int status = unit_main("log_wait", waiting, NULL);
	scratch_remove();
	return status;
}
