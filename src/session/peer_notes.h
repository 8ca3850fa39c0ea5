/* SPDX-License-Identifier: MIT */
/* Notes in the log that a peer can cause, as often as it likes: at most PEER_NOTES_MAX of a kind
 * are written in PEER_NOTES_PERIOD. The others are counted, and a note says how many there were. */
#pragma once

#include <stdbool.h>

#include "base/timer_queue.h"
#include "log.h"

enum { PEER_NOTES_MAX = 10 };
#define PEER_NOTES_PERIOD (INT64_C(10) * 1000000000) /* ns */

/* Notes that a peer can cause. Not here, and each written: those that stand in place of an answered
 * line, of which a peer can cause no more than of lines; and that a connection was opened and ended
 * where this is part of what a service logs. */
enum peer_note {
	NOTE_REFUSED,	      /* one connection too many */
	NOTE_REFUSED_ADDRESS, /* one too many of its address */
	NOTE_PAUSED,	      /* the system had no space for a connection */
	NOTE_HANDSHAKE,	      /* failed */
	NOTE_CUT,	      /* ended without the word for it */
	NOTE_BROKEN,	      /* closed: the stream's type has failed */
	NOTE_SILENT,	      /* closed */
	NOTE_UNFINISHED,      /* closed in the middle of a line */
	NOTE_NO_MEMORY,	      /* closed */
	NOTE_NOT_TAKEN,	      /* closed; answers were left */
	NOTE_MALFORMED,	      /* a line */
	NOTE_INCOMPLETE,      /* a last line */
	PEER_NOTE_KINDS,
};

struct peer_notes;

/* Both are borrowed until peer_notes_free(); the timer queue has to be stopped before. NULL: the
 * error is set. */
struct peer_notes *peer_notes_new(struct log *log, struct timer_queue *queue, struct error *error);
/* Writes what was counted, and frees the notes. Accepts NULL. */
void peer_notes_free(struct peer_notes *notes);

/* Writes a note about the subject, or counts it: at most 511 bytes of it, with the kind's level.
 * Returns whether it was written. Any thread; never waits. */
bool peer_note(struct peer_notes *notes, enum peer_note kind, const char *subject,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For a note that the caller writes: whether it may. If not it is counted. */
bool peer_note_allowed(struct peer_notes *notes, enum peer_note kind);

/* How often each kind has come, written or not. Any thread. */
void peer_notes_count(struct peer_notes *notes, uint64_t counts[PEER_NOTE_KINDS]);

/* If the period has ended, writes what was counted and begins the next. The timer queue calls it.
 */
void peer_notes_tell(struct peer_notes *notes);
