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

static const struct {
	enum record_level level;
	const char *plural; /* behind "N more " */
} kinds[PEER_NOTE_KINDS] = {
	[NOTE_REFUSED] = {RECORD_WARNING, "connections refused"},
	[NOTE_REFUSED_ADDRESS] = {RECORD_WARNING, "connections refused, of one address"},
	[NOTE_PAUSED] = {RECORD_WARNING, "failures to accept a connection"},
	[NOTE_HANDSHAKE] = {RECORD_WARNING, "handshakes failed"},
	[NOTE_CUT] = {RECORD_INFO, "connections ended without a close_notify of TLS"},
	[NOTE_BROKEN] = {RECORD_WARNING, "connections closed for what the client sent"},
	[NOTE_SILENT] = {RECORD_INFO, "silent connections closed"},
	[NOTE_UNFINISHED] = {RECORD_WARNING, "connections closed in the middle of a line"},
	[NOTE_NO_MEMORY] = {RECORD_WARNING, "connections closed, out of memory"},
	[NOTE_NOT_TAKEN] = {RECORD_WARNING, "connections closed that did not read their answers"},
	[NOTE_MALFORMED] = {RECORD_WARNING, "malformed lines"},
	[NOTE_INCOMPLETE] = {RECORD_WARNING, "incomplete last lines"},
};

struct peer_notes {
	struct task task; /* first member: the pointer is cast between the two types */
	struct log *log;
	struct timer_queue *queue;
	pthread_mutex_t lock; /* nothing is written under it */
	/* under the lock */
	int64_t end; /* ns, of the period */
	struct {
		unsigned written; /* in the period */
		uint64_t left_out, all;
	} counters[PEER_NOTE_KINDS];
	bool is_scheduled;
};

static void add_left_out(struct peer_notes *notes, enum peer_note kind, uint64_t count)
{
	pthread_mutex_lock(&notes->lock);
	notes->counters[kind].left_out += count;
	pthread_mutex_unlock(&notes->lock);
}

/* Schedules the note of how many were left out, for the end of the period. Out of memory: it is
 * written with the next note, or when the server ends. */
static void schedule(struct peer_notes *notes)
{
	pthread_mutex_lock(&notes->lock);
	bool wanted = false;
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++)
		wanted |= notes->counters[kind].left_out > 0;
	if (wanted && !notes->is_scheduled)
		notes->is_scheduled = timer_queue_at(notes->queue, &notes->task, notes->end) == 0;
	pthread_mutex_unlock(&notes->lock);
}

static void leave_out(struct peer_notes *notes, enum peer_note kind)
{
	add_left_out(notes, kind, 1);
	schedule(notes);
}

/* Writes how many were left out. */
static void tell(struct peer_notes *notes)
{
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++) {
		pthread_mutex_lock(&notes->lock);
		uint64_t count = notes->counters[kind].left_out;
		notes->counters[kind].left_out = 0;
		pthread_mutex_unlock(&notes->lock);
		if (count && !log_note(notes->log, kinds[kind].level, RECORD_SERVER, "%llu more %s",
				       (unsigned long long)count, kinds[kind].plural))
			add_left_out(notes, kind, count); /* the log is full for the moment */
	}
}

void peer_notes_tell(struct peer_notes *notes)
{
	int64_t now = clock_now();
	pthread_mutex_lock(&notes->lock);
	bool over = now >= notes->end;
	if (over)
		notes->end = now + PEER_NOTES_PERIOD;
	for (enum peer_note kind = 0; over && kind < PEER_NOTE_KINDS; kind++)
		notes->counters[kind].written = 0;
	pthread_mutex_unlock(&notes->lock);
	if (over)
		tell(notes);
}

static void run(struct task *task)
{
	struct peer_notes *notes = (struct peer_notes *)task;
	pthread_mutex_lock(&notes->lock);
	notes->is_scheduled = false;
	pthread_mutex_unlock(&notes->lock);
	peer_notes_tell(notes);
	schedule(notes);
}

bool peer_note_allowed(struct peer_notes *notes, enum peer_note kind)
{
	peer_notes_tell(notes);
	pthread_mutex_lock(&notes->lock);
	bool allowed = notes->counters[kind].written < PEER_NOTES_MAX;
	notes->counters[kind].all++;
	notes->counters[kind].written += allowed;
	pthread_mutex_unlock(&notes->lock);
	if (!allowed)
		leave_out(notes, kind);
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
	leave_out(notes, kind);
	return false;
}

void peer_notes_count(struct peer_notes *notes, uint64_t counts[PEER_NOTE_KINDS])
{
	pthread_mutex_lock(&notes->lock);
	for (enum peer_note kind = 0; kind < PEER_NOTE_KINDS; kind++)
		counts[kind] = notes->counters[kind].all;
	pthread_mutex_unlock(&notes->lock);
}

struct peer_notes *peer_notes_new(struct log *log, struct timer_queue *queue, struct error *error)
{
	struct peer_notes *notes = memory_calloc(1, sizeof *notes);
	if (!notes)
		return error_null(error, "cannot set up notes: %s", strerror(errno));
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
	tell(notes);
	pthread_mutex_destroy(&notes->lock);
	free(notes);
}
