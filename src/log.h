/* SPDX-License-Identifier: MIT */
/* The gate: a line's answer waits here until its record is as safe as -sync says.
 *
 * Group commit: records of all connections gather in an open batch. Whoever finds nobody committing
 * commits it, in its own thread, and then sends the answers of every connection in it; what has
 * come meanwhile goes to one standing committer thread. Nobody is woken just to send an answer. */
#ifndef ACKLINE_LOG_H
#define ACKLINE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/format.h"

struct log;

/* What an ok means: the record is queued in this process; the kernel has it, so that it survives a
 * kill of the server; it is on the disk, so that it survives a power cut. */
enum log_sync { LOG_SYNC_NONE, LOG_SYNC_WRITE, LOG_SYNC_DISK };

extern const char *const log_sync_names[];

struct log_settings {
	const char *target; /* file name; borrowed until log_close() */
	bool append;
	enum record_format format;
	enum log_sync sync;
	struct stdout_tee *show; /* where committed records are shown as well, or NULL; borrowed */
	/* Told once when the log cannot be written, and once when it can again; any thread. */
	void (*warn)(const char *words);
};

/* Where answers go: embedded in a connection. */
struct reply_target {
	const char *name; /* the subject of its records */
	/* Takes `lines` answers, all with their line ends; called in the order of submission by
	 * whoever commits, without the log's lock. Must not block. False: the peer is gone, they
	 * were not sent. Every line with an answer that was submitted is released or refused
	 * exactly once. */
	bool (*release)(struct reply_target *recipient, const char *answers, size_t length,
			size_t lines);
	/* The records of `lines` answers could not be stored: takes the reason, and answers each
	 * line so. Called as `release` is, and must not allocate. NULL: no peer waits for what the
	 * target is sent; what cannot be recorded is left out. */
	void (*refuse)(struct reply_target *recipient, const char *reason, size_t lines);
	bool internal; /* no answers to lines: where they fail they are not counted as such */
	/* Told of answers that did not leave, with their line ends: their records failed, or the
	 * peer was gone. Called by whoever commits, without the log's lock, when the recipient may
	 * be gone already; must not block. NULL: nobody has to know. */
	void (*unsent)(void *context, const char *answers, size_t length);
	void *context; /* for it */
};

/* One line and its answer. Without an answer (length 0) nothing is sent for it. */
struct log_item {
	enum record_level level;
	enum record_event event;
	const char *bytes;
	size_t length;
	const struct record_request *request; /* as in struct record, or NULL */
	const char *answer;
	size_t answer_length;
	bool exact;    /* the answer is sent as it is; else a line end is added */
	bool recorded; /* this is the record of the answer: there is none when it is sent. All items
			  submitted together are, or none is */
};

/* Opens the target, and refuses one that another server is writing. NULL: the failure is set. */
struct log *log_open(const struct log_settings *settings, struct error *error);

/* Adds lines to the open batch, and commits it if nobody else is and nothing more follows at once
 * (`more`). Waits while the open batch is full. False: out of memory; nothing was added, and
 * release is not called. */
bool log_submit(struct log *log, struct reply_target *recipient, const struct log_item *items,
		size_t count, bool more);

/* Adds lines to the open batch without waiting or committing: for threads that others wait for. All
 * else as log_submit(). False: out of memory, or the open batch is full. */
bool log_post(struct log *log, struct reply_target *recipient, const struct log_item *items,
	      size_t count);

/* Has `stored` called whenever records were stored, as safely as the sync level says, with their
 * number of bytes; by whoever commits, without the log's lock. It must not block, nor use the log.
 * To be called before anything is submitted; and, with NULL, when all is flushed and nobody submits
 * any more. */
void log_follow(struct log *log, void (*stored)(void *context, size_t bytes), void *context);

/* Adds a record about a subject that is not a line. Never waits; dropped only when the batch is
 * full or memory is out, as it is for information. */
void log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));

/* Asks for the target to be opened anew under its name, before the next batch. Does not wait. */
void log_reopen(struct log *log);

/* Waits until everything submitted is committed and answered. False: not by the deadline. */
bool log_flush(struct log *log, int64_t deadline);

/* Commits what is left and frees the log; accepts NULL. False: some records were never written. */
bool log_close(struct log *log);

#endif
