/* SPDX-License-Identifier: MIT */
/* A line's answer waits here for its commit: until its record is as safe as -sync says.
 *
 * Group commit: the records of all connections gather in an open batch. The first thread to submit
 * becomes leader: it commits the batch and delivers the answers of every connection in it. Then it
 * passes leadership to a committer, one of two standing threads, if more has come; where commits
 * are slow before it delivers, so that the next is under way meanwhile. No thread is woken only to
 * send an answer. Where the sink completes later, a committer delivers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "log/item.h"

struct log;

extern const char *const log_sync_names[];

/* Opens the target, and refuses one that another server is writing. NULL: the failure is set. */
struct log *log_open(const struct log_settings *settings, struct error *error);

enum submission {
	SUBMIT_COMMIT,	   /* commits in this thread if there is no leader */
	SUBMIT_DEFER,	   /* more lines follow at once */
	SUBMIT_FOR_OTHERS, /* others wait for this thread, which calls log_commit() later */
};

/* Adds lines to the open batch. Waits while that is full: it has 2 MiB for the records of threads
 * that others wait for, and 2 MiB for those of all other threads. Returns false if out of memory:
 * nothing was added, and nothing will be delivered.
 */
bool log_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, enum submission kind);

/* As log_submit() of a thread that others wait for, but it never waits; a committer commits.
 * Returns false if out of memory, or if the open batch is full. */
bool log_try_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		    size_t count);

/* Commits the open batch if there is no leader: for a thread that others wait for, when it has
 * submitted what it had. In this thread if commits are quick and the batch is not full of what
 * other threads have submitted, or if `few` lines could be submitted meanwhile. Else a
 * committer is woken, and the call returns at once. Does not yield, nor wait while another thread
 * leads: that one commits what is open, or passes it on. Returns whether nothing is being committed
 * by other threads. */
bool log_commit(struct log *log, bool few);

/* Has a watcher follow all records from now on; NULL: none. To be unset when all is flushed and no
 * thread submits any more. */
void log_watch(struct log *log, struct log_watcher *watcher);

/* Adds a record about a subject that is not a line. Never waits; dropped only when the batch is
 * full or memory is out, as it is for information: false. */
bool log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));

/* Asks for the target to be opened anew under its name, before the next batch. Does not wait. */
void log_reopen(struct log *log);
/* Waits until everything submitted is committed and answered. False: not by the deadline. */
bool log_flush(struct log *log, int64_t deadline);
/* Commits what is left and frees the log; accepts NULL. False: some records were never written. */
bool log_close(struct log *log);
