/* SPDX-License-Identifier: MIT */
/* Stores records, and delivers each answer once its record is as safe as -sync says.
 *
 * Group commit: the records of all connections are added to one open batch. The first thread to
 * submit becomes leader: it commits the batch and delivers the answers of all connections in it. If
 * more records have come by then, it passes leadership to a committer, one of two threads that only
 * do this. Where commits are slow it does so before it delivers, so that the next commit runs
 * beside the delivery. No thread is woken only to send an answer. Where the sink completes later, a
 * committer delivers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "log/item.h"

struct log;

extern const char *const log_sync_names[];

/* Opens the target; fails if another server writes to it. The settings are copied, what they point
 * to is borrowed. NULL: the error is set. */
struct log *log_open(const struct log_settings *settings, struct error *error);

enum submission {
	SUBMIT_COMMIT,	   /* commits in this thread if there is no leader */
	SUBMIT_DEFER,	   /* does not commit: more lines follow at once */
	SUBMIT_FOR_OTHERS, /* others wait for this thread, which calls log_commit() later */
};

/* Adds lines and their answers to the open batch, and copies their bytes. Blocks while the batch is
 * full: it has 2 MiB for records, and for answers without a record, of threads that others wait
 * for, and 2 MiB for those of all other threads. Without lines it only commits. False: out of
 * memory, nothing was added, and nothing will be delivered. */
bool log_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		size_t count, enum submission kind);

/* How often commits have failed: each time, all that was submitted before fails too. Any thread. */
uint64_t log_failures(const struct log *log);

/* As log_submit(), for lines that may only stand behind earlier ones: adds nothing if
 * log_failures() is not the number given, as one of those may be among the failed. */
enum submit_result { SUBMITTED, SUBMIT_NO_MEMORY, SUBMIT_FAILED_BEFORE };
enum submit_result log_submit_behind(struct log *log, struct reply_target *target,
				     const struct log_item *items, size_t count,
				     enum submission kind, uint64_t failures);

/* As log_submit() of a thread that others wait for, but never blocks; a committer commits. False:
 * out of memory, or the open batch is full. */
bool log_try_submit(struct log *log, struct reply_target *target, const struct log_item *items,
		    size_t count);

/* Has the open batch committed: called by a thread that others wait for, after it has submitted.
 * If another thread leads, returns at once: that one commits the batch or passes it on. Else it
 * commits in this thread if commits are quick and the batch is not full of records of other
 * threads, or if `few`: the thread has so little to receive that waking a committer would take
 * longer. Otherwise it wakes a committer and returns. Does not yield. Returns whether no thread is
 * committing now. */
bool log_commit(struct log *log, bool few);

/* Sets the watcher that follows all records from now on; NULL: none. To be unset after a flush,
 * when no thread submits any more. */
void log_watch(struct log *log, struct log_watcher *watcher);

/* Adds a summary, borrowed, of which the last is so many bytes back. All are written together. */
void log_summarise(struct log *log, struct log_summary *summary, size_t since);
/* It is written no more. Accepts one that was not added. */
void log_end_summary(struct log *log, struct log_summary *summary);

/* Adds a note about a subject. Never blocks. False: the note was dropped, as the batch is full or
 * memory is out. */
bool log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));

/* Requests that the target is opened anew by its name, before the next batch. Does not wait. If it
 * is another file then, the note is recorded first; NULL: none. It is borrowed until log_close().
 */
void log_reopen(struct log *log, const char *note);
/* Sets the note for files that begin behind one that was closed by itself, as that of log_reopen().
 */
void log_describe(struct log *log, const char *note);
/* Waits until everything submitted is committed and answered. False: not by the deadline. */
bool log_flush(struct log *log, int64_t deadline);
/* After a flush: has the next record preceded by one that says how many lines were refused, if the
 * log failed and has not yet recovered. */
void log_end_failing(struct log *log);
/* Warns what is lost if the process ends without log_close(). */
void log_warn_lost(const struct log *log);
/* Commits what is left and frees the log; accepts NULL. False: some records were
 * never written, which is warned of. */
bool log_close(struct log *log);
