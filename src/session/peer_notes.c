/* SPDX-License-Identifier: MIT */
#include "session/peer_notes.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define PEER_NOTES_AGAIN (1 * CLOCK_SECOND) /* after the log was full */

static const struct {
	enum record_level level;
	const char *plural; /* behind "N more " */
} kinds[PEER_NOTE_KINDS] = {
	[NOTE_REFUSED] = {RECORD_WARNING, "connections refused"},
	[NOTE_PAUSED] = {RECORD_WARNING, "failures to accept a connection"},
	[NOTE_HANDSHAKE] = {RECORD_WARNING, "handshakes failed"},
	[NOTE_SILENT] = {RECORD_INFO, "silent connections closed"},
	[NOTE_UNFINISHED] = {RECORD_WARNING, "connections closed in the middle of a line"},
	[NOTE_NO_MEMORY] = {RECORD_WARNING, "connections closed, out of memory"},
	[NOTE_NOT_TAKEN] = {RECORD_WARNING, "connections closed that did not read their answers"},
	[NOTE_MALFORMED] = {RECORD_WARNING, "malformed lines"},
	[NOTE_INCOMPLETE] = {RECORD_WARNING, "incomplete last lines"},
};

struct counter {
	int64_t end; /* ns, of the period */
	unsigned written;
	uint64_t left_out;
};

struct peer_notes {
	struct task task; /* first member: the pointer is cast between the two types */
	struct log *log;
	struct timer_queue *queue;
	pthread_mutex_t lock; /* nothing is written under it */
	/* under the lock */
	struct counter counters[PEER_NOTE_KINDS];
	bool is_scheduled;
};

/* With the lock. Ends the period if it is over; the count stays. */
static void renew(struct counter *counter, int64_t now)
{
	if (now < counter->end)
		return;
	counter->end = now + PEER_NOTES_PERIOD;
	counter->written = 0;
}

/* With the lock. Has the count told; without memory it is when the next note comes, or at the end.
 */
static void schedule(struct peer_notes *notes, int64_t deadline)
{
	if (!notes->is_scheduled)
		notes->is_scheduled = timer_queue_at(notes->queue, &notes->task, deadline) == 0;
}

/* When the count is to be told. */
static int64_t due(const struct counter *counter, int64_t now)
{
	return counter->end > now ? counter->end : now + PEER_NOTES_AGAIN;
}

static void leave_out(struct peer_notes *notes, enum peer_note kind, uint64_t count)
{
	struct counter *counter = &notes->counters[kind];
	pthread_mutex_lock(&notes->lock);
	counter->left_out += count;
	schedule(notes, due(counter, clock_now()));
	pthread_mutex_unlock(&notes->lock);
}

/* Writes how many were left out, if a period has ended before `now`. */
static void tell(struct peer_notes *notes, enum peer_note kind, int64_t now)
{
	struct counter *counter = &notes->counters[kind];
	pthread_mutex_lock(&notes->lock);
	uint64_t count = now >= counter->end ? counter->left_out : 0;
	counter->left_out -= count;
	pthread_mutex_unlock(&notes->lock);
	/* the log may be full for the moment */
	if (count && !log_note(notes->log, kinds[kind].level, RECORD_SERVER, "%llu more %s",
			       (unsigned long long)count, kinds[kind].plural))
		leave_out(notes, kind, count);
}

void peer_notes_tell(struct peer_notes *notes)
{
	int64_t now = clock_now(), next = CLOCK_NEVER;
	pthread_mutex_lock(&notes->lock);
	notes->is_scheduled = false;
	pthread_mutex_unlock(&notes->lock);
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++)
		tell(notes, kind, now);
	pthread_mutex_lock(&notes->lock);
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++)
		if (notes->counters[kind].left_out)
			next = clock_earlier(next, due(&notes->counters[kind], now));
	if (next != CLOCK_NEVER)
		schedule(notes, next);
	pthread_mutex_unlock(&notes->lock);
}

static void run(struct task *task)
{
	peer_notes_tell((struct peer_notes *)task);
}

bool peer_note_allowed(struct peer_notes *notes, enum peer_note kind)
{
	int64_t now = clock_now();
	struct counter *counter = &notes->counters[kind];
	tell(notes, kind, now);
	pthread_mutex_lock(&notes->lock);
	renew(counter, now);
	bool allowed = counter->written < PEER_NOTES_MAX;
	counter->written += allowed;
	pthread_mutex_unlock(&notes->lock);
	if (!allowed)
		leave_out(notes, kind, 1);
	return allowed;
}

bool peer_note(struct peer_notes *notes, enum peer_note kind, const char *subject,
	       const char *format, ...)
{
	char message[512];
	va_list values;
	if (!peer_note_allowed(notes, kind))
		return false;
	va_start(values, format);
	(void)vsnprintf(message, sizeof message, format, values);
	va_end(values);
	if (log_note(notes->log, kinds[kind].level, subject, "%s", message))
		return true;
	leave_out(notes, kind, 1);
	return false;
}

struct peer_notes *peer_notes_new(struct log *log, struct timer_queue *queue, struct error *error)
{
	struct peer_notes *notes = memory_calloc(1, sizeof *notes);
	if (!notes) {
		error_set(error, "cannot set up notes: %s", strerror(errno));
		return NULL;
	}
	notes->task.run = run;
	notes->log = log;
	notes->queue = queue;
	pthread_mutex_init(&notes->lock, NULL); /* cannot fail without attributes */
	return notes;
}

void peer_notes_free(struct peer_notes *notes)
{
	if (!notes)
		return;
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++)
		tell(notes, kind, CLOCK_NEVER);
	pthread_mutex_destroy(&notes->lock);
	free(notes);
}
