/* SPDX-License-Identifier: MIT */
#include "log/stdout_tee.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
	STDOUT_TEE_MOST = 1 << 20,    /* bytes that may wait for the reader */
	STDOUT_TEE_STOPPING_MS = 100, /* how often a stuck write is asked whether it should end */
};

struct stdout_tee {
	int descriptor;
	size_t piece; /* bytes that a ready descriptor takes without blocking */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct buffer waiting;
	size_t skipped; /* records */
	bool stopping, ended;
	bool broken; /* nobody reads any more */
	int64_t deadline;
};

static size_t count_lines(const char *bytes, size_t length)
{
	size_t lines = 0;
	for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes)));
	     bytes++)
		lines++;
	return lines;
}

void stdout_tee_push(struct stdout_tee *show, const char *bytes, size_t length)
{
	pthread_mutex_lock(&show->lock);
	if (show->broken) {
		/* nobody is there to miss it */
	} else if (show->waiting.length + length > STDOUT_TEE_MOST ||
		   !buffer_append(&show->waiting, bytes, length)) {
		show->skipped += count_lines(bytes, length);
		pthread_cond_broadcast(&show->changed);
	} else if (show->waiting.length == length) {
		pthread_cond_broadcast(&show->changed);
	}
	pthread_mutex_unlock(&show->lock);
}

/* When the wait for the reader has to end; CLOCK_NEVER while the server runs. */
static int64_t current_deadline(struct stdout_tee *show)
{
	pthread_mutex_lock(&show->lock);
	int64_t deadline = show->stopping ? show->deadline : CLOCK_NEVER;
	pthread_mutex_unlock(&show->lock);
	return deadline;
}

/* Waits until the descriptor takes more. False: it will not, or not in time. */
static bool wait_writable(struct stdout_tee *show)
{
	struct pollfd waiting = {.fd = show->descriptor, .events = POLLOUT};
	for (;;) {
		int ready = poll(&waiting, 1, STDOUT_TEE_STOPPING_MS);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
		if (clock_now() >= current_deadline(show))
			return false;
	}
}

static bool write_all(struct stdout_tee *show, const char *bytes, size_t length)
{
	while (length) {
		if (!wait_writable(show))
			return false;
		size_t piece = length < show->piece ? length : show->piece;
		ssize_t written = write(show->descriptor, bytes, piece);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* Takes what waits. False: there is nothing, and there will be nothing more. */
static bool take(struct stdout_tee *show, struct buffer *text, size_t *skipped)
{
	pthread_mutex_lock(&show->lock);
	while (!show->waiting.length && !show->skipped && !show->stopping)
		pthread_cond_wait(&show->changed, &show->lock);
	struct buffer empty = *text;
	*text = show->waiting;
	show->waiting = empty;
	*skipped = show->skipped;
	show->skipped = 0;
	pthread_mutex_unlock(&show->lock);
	return text->length || *skipped;
}

static void *show_run(void *argument)
{
	struct stdout_tee *show = argument;
	struct buffer text = {0};
	size_t skipped;
	bool taken = true;
	while (taken && take(show, &text, &skipped)) {
		taken = write_all(show, text.bytes, text.length);
		buffer_clear(&text, STDOUT_TEE_MOST);
		char note[96];
		int length = snprintf(note, sizeof note,
				      "(%zu records not shown: stdout is slow; the log has them)\n",
				      skipped);
		if (taken && skipped)
			taken = write_all(show, note, (size_t)length);
	}
	buffer_free(&text);
	pthread_mutex_lock(&show->lock);
	show->broken = !taken;
	show->ended = true;
	pthread_cond_broadcast(&show->changed);
	pthread_mutex_unlock(&show->lock);
	return NULL;
}

/* A regular file never blocks for a reader; a pipe that is ready takes PIPE_BUF bytes. */
static size_t piece_of(int descriptor)
{
	struct stat status;
	bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
	return regular ? STDOUT_TEE_MOST : PIPE_BUF;
}

struct stdout_tee *stdout_tee_start(int descriptor, struct error *error)
{
	struct stdout_tee *show = memory_calloc(1, sizeof *show);
	if (!show) {
		error_set(error, "cannot show records: %s", strerror(errno));
		return NULL;
	}
	show->descriptor = descriptor;
	show->piece = piece_of(descriptor);
	pthread_mutex_init(&show->lock, NULL); /* cannot fail with standard attributes */
	int errnum = clock_condition_init(&show->changed);
	if (!errnum)
		errnum = thread_create(&show->thread, NULL, show_run, show);
	if (!errnum)
		return show;
	error_set(error, "cannot show records: %s", strerror(errnum));
	pthread_mutex_destroy(&show->lock);
	free(show);
	return NULL;
}

bool stdout_tee_stop(struct stdout_tee *show, int64_t deadline)
{
	if (!show)
		return true;
	pthread_mutex_lock(&show->lock);
	show->stopping = true;
	show->deadline = deadline;
	pthread_cond_broadcast(&show->changed);
	/* a moment more than the thread has, which looks at the clock itself */
	int64_t more = 5 * STDOUT_TEE_STOPPING_MS * CLOCK_MILLISECOND;
	int64_t patience = deadline > CLOCK_NEVER - more ? CLOCK_NEVER : deadline + more;
	int waited = 0;
	while (!show->ended && !waited)
		waited = clock_condition_wait(&show->changed, &show->lock, patience);
	bool ended = show->ended;
	pthread_mutex_unlock(&show->lock);
	if (!ended)
		return false;
	pthread_join(show->thread, NULL);
	pthread_cond_destroy(&show->changed);
	pthread_mutex_destroy(&show->lock);
	buffer_free(&show->waiting);
	free(show);
	return true;
}
