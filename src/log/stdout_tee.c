/* SPDX-License-Identifier: MIT */
#include "log/stdout_tee.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/nonblocking_writer.h"
#include "base/slice.h"
#include "base/thread.h"

enum { TEE_QUEUE_MAX = 1 << 20 }; /* bytes that may wait for the reader */

/* How often a thread that waits for the reader looks whether it should end. */
#define TEE_INTERVAL (100 * CLOCK_MILLISECOND)

struct stdout_tee {
	int descriptor;
	bool logged;
	_Atomic int64_t deadline; /* CLOCK_NEVER until it is to stop */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct buffer queue;
	size_t skipped; /* records */
	bool stopping;
	bool ended; /* also when the reader has closed, or was not waited for any longer */
};

void stdout_tee_push(struct stdout_tee *tee, const char *bytes, size_t length)
{
	if (!tee || !length)
		return;
	pthread_mutex_lock(&tee->lock);
	bool idle = !tee->queue.length && !tee->skipped;
	if (!tee->ended && (tee->queue.length + length > TEE_QUEUE_MAX ||
			    !buffer_append(&tee->queue, bytes, length)))
		tee->skipped += slice_count_lines((struct slice){bytes, length});
	if (idle)
		pthread_cond_broadcast(&tee->changed);
	pthread_mutex_unlock(&tee->lock);
}

/* Returns false if the reader takes no more, or not by the deadline. */
static bool write_all(struct stdout_tee *tee, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = nonblocking_write(tee->descriptor, bytes, length);
		if (written < 0)
			return false;
		bytes += written;
		length -= (size_t)written;
		if (length && !nonblocking_wait(tee->descriptor, -1, clock_after(TEE_INTERVAL)) &&
		    clock_now() >= tee->deadline)
			return false;
	}
	return true;
}

/* Waits for records, and takes all of the queue. Returns false if there will be no more. */
static bool take(struct stdout_tee *tee, struct buffer *records, size_t *skipped)
{
	pthread_mutex_lock(&tee->lock);
	while (!tee->queue.length && !tee->skipped && !tee->stopping)
		pthread_cond_wait(&tee->changed, &tee->lock);
	struct buffer empty = *records;
	*records = tee->queue;
	tee->queue = empty;
	*skipped = tee->skipped;
	tee->skipped = 0;
	pthread_mutex_unlock(&tee->lock);
	return records->length || *skipped;
}

static void *tee_run(void *argument)
{
	struct stdout_tee *tee = argument;
	struct buffer records = {0};
	size_t skipped;
	bool written = true;
	while (written && take(tee, &records, &skipped)) {
		char note[96];
		int length = snprintf(note, sizeof note,
				      tee->logged ? "(%zu records not shown: stdout is slow; "
						    "the log has them)\n"
						  : "(%zu warnings not shown: stderr is slow)\n",
				      skipped);
		written = write_all(tee, records.bytes, records.length) &&
			  (!skipped || write_all(tee, note, (size_t)length));
		buffer_clear(&records, TEE_QUEUE_MAX);
	}
	buffer_free(&records);
	pthread_mutex_lock(&tee->lock);
	tee->ended = true;
	pthread_cond_broadcast(&tee->changed);
	pthread_mutex_unlock(&tee->lock);
	return NULL;
}

static void free_tee(struct stdout_tee *tee)
{
	pthread_cond_destroy(&tee->changed);
	pthread_mutex_destroy(&tee->lock);
	buffer_free(&tee->queue);
	free(tee);
}

struct stdout_tee *stdout_tee_start(int descriptor, bool logged, struct error *error)
{
	struct stdout_tee *tee = memory_calloc(1, sizeof *tee);
	if (!tee)
		return error_null(error, "cannot copy records to %s: %s",
				  logged ? "stdout" : "stderr", strerror(errno));
	tee->descriptor = descriptor;
	tee->logged = logged;
	tee->deadline = CLOCK_NEVER;
	pthread_mutex_init(&tee->lock, NULL); /* neither fails on Linux */
	clock_condition_init(&tee->changed);
	int errnum = thread_create(&tee->thread, NULL, tee_run, tee);
	if (!errnum)
		return tee;
	error_set(error, "cannot copy records to %s: %s", logged ? "stdout" : "stderr",
		  strerror(errnum));
	free_tee(tee);
	return NULL;
}

bool stdout_tee_stop(struct stdout_tee *tee, int64_t deadline)
{
	if (!tee)
		return true;
	pthread_mutex_lock(&tee->lock);
	tee->stopping = true;
	tee->deadline = deadline;
	pthread_cond_broadcast(&tee->changed);
	/* the thread looks at the clock itself: it gets a little longer */
	int64_t more = 5 * TEE_INTERVAL;
	int64_t patience = deadline > CLOCK_NEVER - more ? CLOCK_NEVER : deadline + more;
	int late = 0;
	while (!tee->ended && !late)
		late = clock_condition_wait(&tee->changed, &tee->lock, patience);
	bool ended = tee->ended;
	pthread_mutex_unlock(&tee->lock);
	if (!ended)
		return false;
	pthread_join(tee->thread, NULL);
	free_tee(tee);
	return true;
}
