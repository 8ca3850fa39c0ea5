/* SPDX-License-Identifier: MIT */
#include "sinks.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

static struct error error;
struct sink *sink;
const struct record_format *sink_format = &record_text;
enum log_sync sink_sync = LOG_SYNC_WRITE;
struct log_rotation *sink_rotation;
struct error sink_warning;

static void warn(const char *message)
{
	error_set(&sink_warning, "%s", message);
}

/* The sink borrows them. */
static const struct log_settings *settings_of(const char *target, enum old_content old)
{
	static struct log_settings settings;
	settings = (struct log_settings){.target = target,
					 .old = old,
					 .format = sink_format,
					 .sync = sink_sync,
					 .rotation = sink_rotation,
					 .warn = warn};
	return &settings;
}

void open_sink(const char *target, enum old_content old)
{
	*sink_warning.message = '\0';
	sink = sink_open(settings_of(target, old), &error);
	ck_assert_msg(sink != NULL, "%s", error.message);
}

void close_sink(void)
{
	sink->type->close(sink);
}

int commit(const char *one, const char *two, bool durable)
{
	struct sink_batch batch = {.parts = {{(void *)(uintptr_t)one, strlen(one)},
					     {(void *)(uintptr_t)two, strlen(two)}},
				   .durable = durable};
	return sink->type->submit(sink, &batch);
}

void assert_file(const char *path, const char *expected)
{
	char *bytes = file_read(path, NULL);
	ck_assert_str_eq(bytes, expected);
	free(bytes);
}

void assert_refused(const char *target, enum old_content old, const char *words)
{
	size_t before = descriptors();
	ck_assert_ptr_null(sink_open(settings_of(target, old), &error));
	ck_assert_str_eq(error.message, words);
	ck_assert_uint_eq(descriptors(), before);
}

/* --- the late sink --- */

enum { LATE_THREADS = 3, LATE_PAUSE_MAX = 200 /* us */ };

struct late_batch {
	struct sink_batch *batch;
	int errnum;
	unsigned failure; /* that it is the first batch of; 0: none */
};

struct late {
	struct sink sink; /* first member: the pointer is cast between the two types */
	pthread_t threads[LATE_THREADS];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct stdout_tee *tee;
	/* under the lock */
	struct sink_batch *submitted[SINK_IN_FLIGHT_MAX]; /* the oldest first */
	struct late_batch done[SINK_IN_FLIGHT_MAX];	  /* to be completed */
	int submitted_count, done_count, in_flight;
	bool broken, closing;
	unsigned failures;
	uint64_t random;
};

struct late_settings late_settings;

static unsigned draw(struct late *late, unsigned below)
{
	late->random = late->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(late->random >> 33) % below;
}

/* The record has its text, but for what is escaped; or none, where nobody shows it. */
static void check_text(const struct sink_record *record, const struct stdout_tee *tee)
{
	const char *text = (const char *)record + record->text_start;
	if (!tee && !record->text_length)
		return;
	if (!record->text_length || text[record->text_length - 1] != '\n' ||
	    !memmem(text, record->text_length, sink_record_bytes(record), record->subject_length))
		abort();
}

static void report(const struct sink_batch *batch, const struct stdout_tee *tee, int errnum,
		   unsigned failure)
{
	for (int i = 0; i < SINK_PARTS; i++) {
		const char *at = batch->parts[i].iov_base;
		const char *end = at + batch->parts[i].iov_len;
		while (at < end) {
			const struct sink_record *record = (const void *)at;
			check_text(record, tee);
			if (errnum)
				late_settings.failed(record, failure);
			else
				late_settings.stored(record);
			at += record->size;
		}
		if (at != end)
			abort();
	}
}

/* Stores a batch, or fails; with the lock. */
static struct late_batch store(struct late *late, struct sink_batch *batch)
{
	struct late_batch result = {.batch = batch, .errnum = late->broken ? ECANCELED : 0};
	bool fails = late_settings.fail && draw(late, late_settings.fail) == 0;
	if (late_settings.fail_at && --late_settings.fail_at == 0)
		fails = true;
	if (!late->broken && fails) {
		late->broken = true;
		result.errnum = EIO;
		result.failure = ++late->failures;
	}
	report(batch, late->tee, result.errnum, late->failures);
	batch->stored = result.errnum ? 0 : batch->parts[0].iov_len + batch->parts[1].iov_len;
	return result;
}

/* Stores what waits, or completes one of those that are done; with the lock, which it drops. */
static void late_step(struct late *late)
{
	if (late->submitted_count && (!late->done_count || draw(late, 2))) {
		late->done[late->done_count++] = store(late, late->submitted[0]);
		late->submitted_count--;
		memmove(late->submitted, late->submitted + 1,
			(size_t)late->submitted_count * sizeof *late->submitted);
		return;
	}
	unsigned chosen = draw(late, (unsigned)late->done_count);
	struct late_batch done = late->done[chosen];
	late->done[chosen] = late->done[--late->done_count];
	late->in_flight--;
	useconds_t pause = draw(late, LATE_PAUSE_MAX);
	pthread_mutex_unlock(&late->lock);
	(void)usleep(pause);
	if (done.failure)
		late_settings.known(done.failure);
	done.batch->complete(done.batch, done.errnum);
	pthread_mutex_lock(&late->lock);
}

static void *late_run(void *argument)
{
	struct late *late = argument;
	pthread_mutex_lock(&late->lock);
	while (!late->closing)
		if (late->submitted_count || late->done_count)
			late_step(late);
		else
			pthread_cond_wait(&late->changed, &late->lock);
	pthread_mutex_unlock(&late->lock);
	return NULL;
}

static struct sink *late_open(const char *target, const struct log_settings *settings,
			      struct error *cause)
{
	(void)target;
	(void)cause;
	struct late *late = calloc(1, sizeof *late);
	if (!late)
		abort();
	late->sink = (struct sink){.type = &sink_late, .in_flight = late_settings.in_flight};
	late->random = 1;
	late->tee = settings->tee;
	pthread_mutex_init(&late->lock, NULL);
	pthread_cond_init(&late->changed, NULL);
	for (int i = 0; i < LATE_THREADS; i++)
		if (pthread_create(&late->threads[i], NULL, late_run, late))
			abort();
	return &late->sink;
}

/* Where nothing is in flight it may also complete at once. */
static int late_submit(struct sink *opened, struct sink_batch *batch)
{
	struct late *late = (struct late *)opened;
	struct late_batch done = {.errnum = SINK_PENDING};
	pthread_mutex_lock(&late->lock);
	if (!late->in_flight && draw(late, 4) == 0) {
		done = store(late, batch);
	} else {
		if (late->in_flight++ >= late->sink.in_flight)
			abort();
		late->submitted[late->submitted_count++] = batch;
		pthread_cond_broadcast(&late->changed);
	}
	pthread_mutex_unlock(&late->lock);
	if (done.failure)
		late_settings.known(done.failure);
	return done.errnum;
}

static void late_resume(struct sink *opened)
{
	struct late *late = (struct late *)opened;
	pthread_mutex_lock(&late->lock);
	if (late->in_flight || !late->broken)
		abort();
	late->broken = false;
	pthread_mutex_unlock(&late->lock);
}

static int late_reopen(struct sink *opened, struct error *cause)
{
	struct late *late = (struct late *)opened;
	(void)cause;
	pthread_mutex_lock(&late->lock);
	if (late->in_flight || late->broken)
		abort();
	pthread_mutex_unlock(&late->lock);
	return 0;
}

static void late_close(struct sink *opened)
{
	struct late *late = (struct late *)opened;
	pthread_mutex_lock(&late->lock);
	if (late->in_flight)
		abort();
	late->closing = true;
	pthread_cond_broadcast(&late->changed);
	pthread_mutex_unlock(&late->lock);
	for (int i = 0; i < LATE_THREADS; i++)
		(void)pthread_join(late->threads[i], NULL); /* it was started */
	pthread_cond_destroy(&late->changed);
	pthread_mutex_destroy(&late->lock);
	free(late);
}

const struct sink_type sink_late = {
	.name = "late",
	.structured = true,
	.open = late_open,
	.submit = late_submit,
	.resume = late_resume,
	.reopen = late_reopen,
	.close = late_close,
};

/* --- the hook --- */

int (*sink_hook_submit)(struct sink_batch *batch);
int sink_hook_in_flight = 1;

static struct sink *hook_open(const char *target, const struct log_settings *settings,
			      struct error *cause)
{
	static struct sink opened;
	(void)target;
	(void)settings;
	(void)cause;
	opened = (struct sink){.type = &sink_hook, .in_flight = sink_hook_in_flight};
	return &opened;
}

static int hook_submit(struct sink *opened, struct sink_batch *batch)
{
	(void)opened;
	return sink_hook_submit(batch);
}

static void hook_close(struct sink *opened)
{
	(void)opened;
}

const struct sink_type sink_hook = {
	.name = "hook",
	.open = hook_open,
	.submit = hook_submit,
	.close = hook_close,
};

void sink_sleep(int64_t time)
{
	(void)usleep((useconds_t)(time / CLOCK_MICROSECOND));
}

static int64_t cpu_time(void)
{
	struct timespec used;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used); /* exists on Linux */
	return used.tv_sec * CLOCK_SECOND + used.tv_nsec;
}

void sink_burn(int64_t time)
{
	int64_t from = cpu_time();
	while (cpu_time() - from < time)
		;
}

int fault_rename;

int faulty_rename(int from_directory, const char *name, int to_directory, const char *to,
		  unsigned flags)
{
	(void)from_directory;
	(void)to_directory;
	(void)flags;
	errno = EACCES;
	return fault_rename-- > 0 ? -1 : rename(name, to);
}
