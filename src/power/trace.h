/* SPDX-License-Identifier: MIT */
/* What a program did that a power cut can make undone, and what it has promised by then: the
 * changes of the files of one directory, their syncs, and the bytes of the connections that it has
 * accepted, in one order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum trace_kind {
	TRACE_OPENED,  /* a file that is perhaps new; bytes: its name in the directory, with its NUL
			*/
	TRACE_WRITTEN, /* to a file: bytes, at the offset */
	TRACE_CUT,     /* a file, to the size `offset` */
	TRACE_RENAMED, /* bytes: the old name and the new one, each with its NUL */
	TRACE_LINKED,  /* the same: the file has both names */
	TRACE_DELETED, /* bytes: the name, with its NUL */
	TRACE_SYNCED,  /* a file */
	TRACE_NAMES_SYNCED,
	TRACE_ACCEPTED, /* a connection */
	TRACE_RECEIVED, /* bytes */
	TRACE_SENT,	/* bytes */
};

struct trace_event {
	enum trace_kind kind;
	/* ns, of the monotonic clock: when the call had ended; of TRACE_SENT when it began, as the
	 * peer can have the bytes from then on. */
	int64_t time;
	int64_t begun; /* ns: a sync covers what had ended by then */
	uint64_t id;   /* inode of the file or the connection */
	int64_t offset;
	size_t length;
	const char *bytes; /* borrowed from the trace */
};

struct trace {
	struct buffer storage; /* owned */
	struct trace_event *events;
	size_t count;
};

/* Appends an event as a recorder keeps it. False: out of memory. */
bool trace_append(struct buffer *storage, const struct trace_event *event);

/* Takes what was appended, in order of time, from a file. -1: the error is set. trace_free() is due
 * in any case. */
int trace_read(struct trace *trace, int descriptor, struct error *error);
void trace_free(struct trace *trace);
