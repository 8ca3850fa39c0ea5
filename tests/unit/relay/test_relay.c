/* SPDX-License-Identifier: MIT */
/* A relay as the service uses it, with a real log and no next server. */
#include "relay/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/timer_queue.h"
#include "log.h"
#include "log/keeper.h"
#include "net/stream.h"
#include "relay/queue.h"
#include "support.h"
#include "unit.h"

#define LOG "relay.log"
#define GOT(line) "INFO\t| 2019-02-24 15:10:14.000123 --127.0.0.1:4000 received: " line "\n"

static struct error error;

static struct relay_settings open_log(const char *bytes)
{
	const struct log_settings settings = {
		.target = LOG, .format = &record_text, .old = OLD_APPEND};
	file_write(LOG, bytes);
	static struct keeper keeper;
	struct relay_settings relay = {.log = log_open(&settings, &error),
				       .keeper = &keeper,
				       .appends = true,
				       .log_name = LOG,
				       .timer_queue = timer_queue_start(&error),
				       .next = "127.0.0.1:1",
				       .address.hosts = {.count = 1, .list = {{"127.0.0.1", 1}}},
				       .workers = 10,
				       .stream_type = &stream_tcp,
				       .delay = {3600 * CLOCK_SECOND, 3600 * CLOCK_SECOND},
				       .seed = 7};
	ck_assert_msg(relay.log && relay.timer_queue, "%s", error.message);
	return relay;
}

static void close_log(struct relay_settings *settings)
{
	timer_queue_free(settings->timer_queue);
	ck_assert(log_close(settings->log));
}

/* The log is torn, and nothing was logged since, as when the disk is full. */
START_TEST(a_torn_end_is_no_line_to_wait_for)
{
	struct relay_settings settings = open_log("INFO\t| 2019-02-24 15:10:14.000123 --127.0");
	struct relay *relay = relay_start(&settings, &error);
	ck_assert_msg(relay != NULL, "%s", error.message);
	ck_assert_msg(relay_finish(relay, clock_after(10 * CLOCK_SECOND), &error) == 0, "%s",
		      error.message);
	timer_queue_stop(settings.timer_queue);
	relay_stop(relay);
	close_log(&settings);
}
END_TEST

START_TEST(lines_left_are_counted)
{
	struct relay_settings settings = open_log(GOT("one") GOT("two") GOT("three"));
	settings.workers = 1; /* one line is in work, two are in the log alone */
	struct relay *relay = relay_start(&settings, &error);
	ck_assert_msg(relay != NULL, "%s", error.message);
	ck_assert_int_eq(relay_finish(relay, 0, &error), -1);
	ck_assert_str_eq(error.message, "3 lines are not yet forwarded to 127.0.0.1:1; start with "
					"-append to forward them");
	timer_queue_stop(settings.timer_queue);
	relay_stop(relay);
	close_log(&settings);
}
END_TEST

static int64_t (*real_now)(void);
static atomic_bool hasty;
static atomic_int looks;

/* In a hurry, much time passes between two looks at it. */
static int64_t hasty_now(void)
{
	return real_now() + (hasty ? ++looks * CLOCK_SECOND : 0);
}

/* A log of any length: an end that waited until all is counted would have no bound. */
START_TEST(lines_left_are_counted_for_a_while)
{
	real_now = clock_now;
	clock_now = hasty_now; /* before there are threads that look at it */
	struct relay_settings settings = open_log(GOT("one") GOT("two") GOT("three"));
	settings.workers = 1;
	struct relay *relay = relay_start(&settings, &error);
	ck_assert_msg(relay != NULL, "%s", error.message);
	hasty = true;
	ck_assert_int_eq(relay_finish(relay, 0, &error), -1);
	hasty = false;
	ck_assert_msg(!strncmp(error.message, "more than ", strlen("more than ")), "%s",
		      error.message);
	timer_queue_stop(settings.timer_queue);
	relay_stop(relay);
	close_log(&settings);
	clock_now = real_now;
}
END_TEST

static atomic_int jobs;
static int threads_left;
static void *(*real_calloc)(size_t count, size_t size);
static int (*real_create)(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *argument), void *argument);

static void *counting_calloc(size_t count, size_t size)
{
	jobs += size == sizeof(struct relay_job);
	return real_calloc(count, size);
}

/* Fails when no thread is left. Before that a job may appear that should not. */
static int failing_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *argument), void *argument)
{
	if (threads_left-- > 0)
		return real_create(thread, attributes, run, argument);
	for (int64_t deadline = clock_after(50 * CLOCK_MILLISECOND);
	     !jobs && clock_now() < deadline;)
		(void)poll(NULL, 0, 1);
	return EAGAIN;
}

/* Jobs are freed with the relay: none may have its delay in the timer queue then. */
START_TEST(a_start_that_fails_has_begun_no_job)
{
	struct relay_settings settings = open_log(GOT("one") GOT("two"));
	real_create = thread_create;
	real_calloc = memory_calloc;
	threads_left = _i;
	thread_create = failing_create;
	memory_calloc = counting_calloc;
	ck_assert_ptr_null(relay_start(&settings, &error));
	ck_assert_str_eq(error.message, "cannot start the relay: Resource temporarily unavailable");
	ck_assert_int_eq(jobs, 0);
	thread_create = real_create;
	memory_calloc = real_calloc;
	close_log(&settings);
}
END_TEST

START_TEST(all_workers_or_none)
{
	struct relay_settings settings = open_log(GOT("one"));
	settings.command = "cat";
	real_create = thread_create;
	threads_left = 3;
	thread_create = failing_create;
	ck_assert_ptr_null(relay_start(&settings, &error));
	ck_assert_str_eq(error.message,
			 "cannot start 10 workers: Resource temporarily unavailable");
	thread_create = real_create;
	close_log(&settings);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("relay");
	scratch_make();
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, a_torn_end_is_no_line_to_wait_for);
	tcase_add_test(cases, lines_left_are_counted);
	tcase_add_test(cases, lines_left_are_counted_for_a_while);
	tcase_add_loop_test(cases, a_start_that_fails_has_begun_no_job, 0, 2);
	tcase_add_test(cases, all_workers_or_none);
	int status = unit_main("relay", cases, NULL);
	scratch_remove();
	return status;
}
