/* SPDX-License-Identifier: MIT */
/* What is given to the log: its settings, lines with their answers, and the target that the answers
 * are delivered to. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/append_file.h"
#include "base/descriptor.h"
#include "record/format.h"

/* What an ok means: the record is queued in this process; the kernel has it, so that it survives a
 * kill of the server; it is on the disk, so that it survives a power cut. */
enum log_sync { LOG_SYNC_NONE, LOG_SYNC_WRITE, LOG_SYNC_DISK };

struct log_settings {
	const char *target; /* as in sink.h; borrowed until log_close() */
	enum old_content old;
	/* Looks into an old log file, which is locked: once it is renamed, and before it is
	 * emptied. 1: the message is what to note of it; 0: nothing; -1: it must not be emptied,
	 * and the message says why. NULL: any may be. */
	int (*look_at_old)(const char *name, enum old_content old, struct error *message);
	const struct record_format *format;
	enum log_sync sync;
	/* Whether a file that is continued is cut where a power cut has left a hole in it. It is at
	 * -sync disk in any case: no line behind it was acknowledged. */
	bool cuts_holes;
	int64_t timeout;  /* ns that a batch waits for a database over the network */
	int64_t retry;	  /* ns for which it is tried to connect to one when it is opened */
	const char *name; /* that the run of the server has there; NULL: the host's; borrowed */
	struct log_rotation *rotation; /* of a regular file; NULL: it is not closed; borrowed */
	struct stdout_tee *tee;	       /* gets committed records as well, or NULL; borrowed */
	/* Gets warnings as text where the format has no record of notes; or NULL; borrowed. */
	struct stdout_tee *warnings;
	struct log_metrics *metrics; /* where it counts, or NULL; borrowed */
	/* Called by any thread, when the log cannot be written, and when it can again. */
	void (*warn)(const char *message);
};

/* Where answers go: embedded in a connection. It must live until each answer that was submitted is
 * delivered. */
struct reply_target {
	const char *name; /* the subject of its records */
	/* Takes `lines` answers, all with their line ends, in the order of submission. Called by a
	 * thread that has committed, without the log's lock; by one thread at a time. Must not
	 * block. Returns false if the connection is gone: they were not sent, though their sent
	 * records may be in the log. Each answer that was submitted is delivered or refused exactly
	 * once. */
	bool (*deliver)(struct reply_target *target, const char *answers, size_t length,
			size_t lines);
	/* Sends a refusal with the reason in place of each of `lines` answers, whose records could
	 * not be stored. A reason that begins with REASON_UNKNOWN (net/answers.h): they may be
	 * stored all the same. Called as deliver is, and must not allocate. NULL: no peer waits for
	 * these answers; they are dropped. */
	void (*refuse)(struct reply_target *target, const char *reason, size_t lines);
	/* Returns whether the connection is known to be gone. Then its answers get no sent records,
	 * though they are still passed to deliver(). Called by the leader, without the log's lock.
	 * Must not block. NULL: it is not known before deliver() fails. */
	bool (*is_gone)(struct reply_target *target);
	bool broadcast; /* deliver() sends to other targets: it is in order with the answers of all
			 */
	bool control;	/* its answers are signals inside the server: failed ones are not counted */
	/* Takes answers that were not sent and have no sent record, with their line ends: the
	 * record of the line could not be stored, or is_gone() was true and deliver() false. Called
	 * as deliver is; the target may be freed already. Must not block. NULL: not called. */
	void (*on_undelivered)(void *context, const char *answers, size_t length);
	void *context;	/* for on_undelivered */
	uint64_t batch; /* the log's own: number of the last batch that has an answer for it */
};

/* Follows all records on their way into the log. */
struct log_watcher {
	/* Bytes that were submitted and are not settled: of records, and of the sent records that
	 * their answers will get, at most. The log adds; `settle` subtracts. */
	atomic_size_t pending;
	/* A batch is settled: `stored` bytes are in the log, as safely as the sync level says; none
	 * if it was refused. So many bytes are to be subtracted from `pending`, modulo SIZE_MAX +
	 * 1: notes of the log itself are added here. Called by the leader without the log's lock;
	 * must not block, nor use the log. */
	void (*settle)(struct log_watcher *watcher, size_t stored, size_t settled);
	/* What is stored from now on is in another file, whose name the target's is now. Called as
	 * settle is, while nothing is in flight. NULL: not called. */
	void (*moved)(struct log_watcher *watcher, struct file_id file);
};

/* Notes by which a log can be read from there on. They are written at the start of a file that a
 * reopening begins, before any line, and each time that `every` bytes were stored, these included,
 * or twice as many as they have if that is more. */
struct log_summary {
	size_t every;
	/* Appends the notes, a line each: how it is after all answers that were delivered, and
	 * before all that will be. `lines`: how many received lines this log, since it was opened,
	 * has stored before the notes. Called by the leader, without the log's lock, while no batch
	 * is in flight or being delivered. `reopens`: the target is about to be reopened. Must not
	 * block, nor use the log. False: out of memory; the target is not reopened then. */
	bool (*write)(struct log_summary *summary, struct buffer *notes, uint64_t lines,
		      bool reopens);
	struct log_summary *next; /* the log's own */
};

/* One line and its answer. Without an answer (length 0) nothing is sent for it. The bytes are
 * borrowed until the item is submitted. */
struct log_item {
	enum record_level level;
	enum record_event event;
	const char *subject; /* of its record; NULL: the target's name */
	const char *bytes;
	size_t length;
	const struct record_field *fields; /* as in struct record, with static names; or NULL */
	/* The same for all items that are submitted together, and it lives until the answers are
	 * delivered; or NULL. */
	const char *sender;
	uint64_t number;
	const char *answer;
	size_t answer_length;
	bool raw; /* the answer is sent as it is; else a line end is added */
	/* This item is itself the "sent" record of its answer: none is added on delivery. All items
	 * that are submitted together have the same value. */
	bool is_sent_record;
	/* There is only the answer, without a record of the line and of itself: it is in order with
	 * the other answers, and is delivered though their batch fails. The same for all items that
	 * are submitted together. */
	bool unrecorded;
};
