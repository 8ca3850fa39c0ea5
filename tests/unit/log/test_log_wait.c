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
#include "log_fixture.h"
#include "support.h"
#include "unit.h"

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
static pthread_t slow_thread;

static void *submit_slow(void *argument)
{
	struct log_item item = item_line("slow");
	if (!log_submit(log_under_test, &slow_recipient.recipient, &item, 1, SUBMIT_COMMIT))
		abort();
	return argument;
}

enum { LARGE_LINES = 100, LARGE = 65536, LARGE_MAX = (1 << 21) / LARGE /* but for one */ };

/* Submits large lines as one kind of thread; so many are added at once. */
struct submitter {
	enum submission kind;
	struct fake fake;
	atomic_size_t submitted;
	pthread_t thread;
};
static struct submitter waits = {.kind = SUBMIT_COMMIT}, leads = {.kind = SUBMIT_FOR_OTHERS};

static void *submit_large(void *argument)
{
	static char line[LARGE + 1];
	struct submitter *self = argument;
	memset(line, 'x', LARGE);
	struct log_item item = item_line(line);
	for (int i = 0; i < LARGE_LINES; i++, self->submitted++)
		if (!log_submit(log_under_test, &self->fake.recipient, &item, 1, self->kind))
			abort();
	(void)log_commit(log_under_test, false);
	return NULL;
}

static bool has_filled(void *submitter)
{
	return ((struct submitter *)submitter)->submitted >= LARGE_MAX;
}

static void start(struct submitter *submitter, const char *name)
{
	fake_init(&submitter->fake, name);
	ck_assert_int_eq(pthread_create(&submitter->thread, NULL, submit_large, submitter), 0);
	ck_assert(eventually(has_filled, submitter));
}

static void assert_waits(struct submitter *submitter)
{
	ck_assert(!log_flush(log_under_test, clock_after(CLOCK_MILLISECOND)));
	ck_assert_uint_le(submitter->submitted, LARGE_MAX + 1);
	ck_assert_uint_eq(fake_lines(&submitter->fake), 0);
}

static void assert_done(struct submitter *submitter)
{
	ck_assert_int_eq(pthread_join(submitter->thread, NULL), 0);
	flush();
	ck_assert_uint_eq(submitter->fake.lines, LARGE_LINES);
	fake_free(&submitter->fake);
}

/* Nothing is committed until end_commit(). */
static void begin_commit(void)
{
	log_under_test = open_with(LOG_SYNC_DISK, false);
	fake_init(&slow_recipient, "slow");
	append_file_calls.fdatasync = sync_slowly;
	ck_assert_int_eq(pthread_create(&slow_thread, NULL, submit_slow, NULL), 0);
	pthread_mutex_lock(&slow.lock);
	while (!slow.inside)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
}

static void end_commit(void)
{
	pthread_mutex_lock(&slow.lock);
	slow.go = true;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
	ck_assert_int_eq(pthread_join(slow_thread, NULL), 0);
}

START_TEST(a_full_batch_makes_submitters_wait)
{
	struct submitter *filler = _i ? &leads : &waits;
	begin_commit();
	start(filler, "filler");
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "never waits");
	assert_waits(filler);
	end_commit();
	assert_done(filler);
	ck_assert(log_close(log_under_test));
	assert_counts("log", "filler received: x", LARGE_LINES);
	assert_counts("log", "filler sent: ok\n", LARGE_LINES);
	assert_counts("log", "slow sent: ", 1);
	fake_free(&slow_recipient);
}
END_TEST

START_TEST(each_kind_of_thread_has_space_of_its_own)
{
	struct submitter *first = _i ? &leads : &waits, *second = _i ? &waits : &leads;
	begin_commit();
	start(first, "first");
	start(second, "second");
	assert_waits(first);
	assert_waits(second);
	end_commit();
	assert_done(first);
	assert_done(second);
	ck_assert(log_close(log_under_test));
	fake_free(&slow_recipient);
}
END_TEST

/* A single line may fill the batch by itself, and more. */
START_TEST(those_whom_others_wait_for_do_not_wait_for_a_long_line)
{
	enum { LONG = 1 << 23 };
	struct fake a;
	char *line = malloc(LONG + 1);
	memset(line, 'x', LONG);
	line[LONG] = '\0';
	struct log_item item = item_line(line), small = item_line("small");
	begin_commit();
	fake_init(&a, "a");
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER));
	ck_assert(log_submit(log_under_test, &a.recipient, &small, 1, SUBMIT_FOR_OTHERS));
	ck_assert(log_try_submit(log_under_test, &a.recipient, &small, 1));
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_FOR_OTHERS));
	ck_assert(!log_try_submit(log_under_test, &a.recipient, &small, 1));
	end_commit();
	flush();
	ck_assert_uint_eq(a.lines, 4);
	ck_assert(log_close(log_under_test));
	free(line);
	fake_free(&a);
	fake_free(&slow_recipient);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *waiting = tcase_create("waiting");
	tcase_add_checked_fixture(waiting, scratch_enter, NULL);
	tcase_add_loop_test(waiting, a_full_batch_makes_submitters_wait, 0, 2);
	tcase_add_loop_test(waiting, each_kind_of_thread_has_space_of_its_own, 0, 2);
	tcase_add_test(waiting, those_whom_others_wait_for_do_not_wait_for_a_long_line);
	int status = unit_main("log_wait", waiting, NULL);
	scratch_remove();
	return status;
}
