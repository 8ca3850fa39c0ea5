/* SPDX-License-Identifier: MIT */
/* A sink stores committed records. It is one source file with one struct sink_type, and one line in
 * the table of sink.c. The log has at most as many batches in flight as the sink allows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "base/slice.h"
#include "log/item.h"

enum {
	SINK_PARTS = 2,		/* parts of a batch */
	SINK_IN_FLIGHT_MAX = 8, /* batches that a sink may allow */
	SINK_PENDING = -1,	/* what submit() returns while a batch is not completed */
};

/* A record for a sink that asks for structured ones. It is followed by the bytes that
 * sink_record_bytes() returns, and by the record in the text format. The next record begins `size`
 * bytes after the start of this one. */
struct sink_record {
	size_t size;	/* bytes, of all of it */
	int64_t second; /* since the epoch */
	int32_t microsecond;
	enum record_level level;
	enum record_event event;
	size_t subject_length, length;
	/* Bytes from the record's start; the format's text. None is there if nobody shows it. */
	size_t text_start, text_length;
	size_t field_count;
	struct sink_field {
		const char *name; /* as in struct record_field: static */
		size_t length;
	} fields[]; /* what the service adds */
};

/* The bytes of a record, not escaped: the subject, the line or message, and the values of the
 * fields. */
static inline const char *sink_record_bytes(const struct sink_record *record)
{
	return (const char *)&record->fields[record->field_count];
}

/* Whole records, in order: first those of part 0. A part may be empty, or both. Owned by the log,
 * and unchanged until the batch is completed. */
struct sink_batch {
	struct iovec parts[SINK_PARTS]; /* text, or struct sink_record's if the type asks */
	bool durable;			/* to survive a power cut */
	size_t stored;			/* set by the sink: bytes that the target has grown by */
	/* Set by the sink with a failure: the batch may be stored all the same, or may be yet. The
	 * sink keeps a copy, of its deferred records too, and stores no other before it is known.
	 */
	bool unknown;
	/* To be called before a batch is completed with 0: it has no lines of that sender, whose
	 * next number is `due`, and lower than theirs. They are refused alone. */
	void (*refuse)(struct sink_batch *batch, struct slice sender, uint64_t due);
	/* Completes a batch for which submit() has returned SINK_PENDING, or is about to: takes 0
	 * or an errno value. To be called exactly once, from any thread, without a lock that
	 * submit() takes. The batch must not be used afterwards. */
	void (*complete)(struct sink_batch *batch, int errnum);
};

/* The type's open() sets the first two members and a note, and zeroes the others. */
struct sink {
	const struct sink_type *type;
	int in_flight; /* batches that may be submitted and not completed, 1..SINK_IN_FLIGHT_MAX */
	/* Set by open, reopen, and submit() unless it returns SINK_PENDING: a note to be recorded
	 * before any other record, or NULL. The bytes are the sink's. */
	const char *note;
	enum record_level note_level;
	bool is_new;	     /* set by reopen and rotate: another target than before is open */
	struct file_id file; /* set with it, where the target is a file */
	int64_t rotate_at;   /* ns, of clock_now(): when rotate is to be called; CLOCK_NEVER */
	/* Set by sink_open(): what makes the records of a batch. */
	const struct record_format *format;
	struct sink_record_format {
		struct record_format format;	  /* first member: the pointer is cast */
		const struct record_format *text; /* NULL: no text is wanted */
	} structured;
};

/* The log calls these from one thread at a time, close after all batches are completed.
 *
 * A batch is stored whole or not at all. Batches are stored in the order in which they were
 * submitted, though they may complete in any order: 0 for a batch says that those before it are
 * stored as well, or will be. If a batch fails, none that was submitted behind it is stored, and
 * each fails, until the log calls resume(). So of one connection no later line is stored without
 * the earlier one. The log stops submitting when it knows of the failure, waits until all batches
 * are completed, fails them and its open batch, calls resume() and submits again. */
struct sink_type {
	const char *name;
	bool structured; /* asks for struct sink_record's */
	/* At -sync none, too, a batch is stored before it is answered. */
	bool stores_first;
	/* Opens the target, which is that of the settings or a part of it, for this server alone.
	 * The settings' format is that of the text. NULL: the error is set. */
	struct sink *(*open)(const char *target, const struct log_settings *settings,
			     struct error *error);
	/* Stores a batch. Returns 0 or an errno value if it is completed, else SINK_PENDING. */
	int (*submit)(struct sink *sink, struct sink_batch *batch);
	/* Called when the log has handled a failure; nothing is in flight. NULL: not needed. */
	void (*resume)(struct sink *sink);
	/* Opens the target's name anew, which may be that of another file by now; nothing is in
	 * flight. -1: the error is set, and the sink continues with the old file. NULL: not needed.
	 */
	int (*reopen)(struct sink *sink, struct error *error);
	/* Called once it is time for `rotate_at`, before a batch is submitted; nothing is in
	 * flight. Closes the target and begins a new one. -1: the error is set, and the sink
	 * continues with the old one; it has set `rotate_at` to a later time. NULL: there is no
	 * such time. */
	int (*rotate)(struct sink *sink, struct error *error);
	void (*close)(struct sink *sink);
};

extern const struct sink_type sink_file, sink_sqlite, sink_postgresql, sink_stdout;

/* All types, NULL at the end; the first takes every target that names no other. Only tests set it.
 */
extern const struct sink_type *const *sink_types;

/* Opens the target of the settings, which are borrowed: "-" is stdout, "TYPE:REST" is for one of
 * the table's types, and anything else is a file's name. NULL: the error is set. */
struct sink *sink_open(const struct log_settings *settings, struct error *error);

/* The name of the file that a target means, part of it; NULL where it is no file. */
const char *sink_file_name(const char *target);

/* Does it mean stdout, so that nothing else may be written there? */
bool sink_is_stdout(const char *target);

/* Does it mean a database, which has no format? */
bool sink_is_database(const char *target);

/* The connection string for PostgreSQL, a part of the target; NULL: it means something else. */
const char *sink_conninfo(const char *target);

/* Does it say a type, and no name? */
bool sink_is_nameless(const char *target);
