/* SPDX-License-Identifier: MIT */
/* Where committed records go. A sink is one file with one struct sink_type, and one line in the
 * table of sink.c. The log calls it from one thread at a time. */
#ifndef ACKLINE_LOG_SINK_H
#define ACKLINE_LOG_SINK_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/error.h"

/* The most parts that one commit is made of. */
#define SINK_PARTS 4

struct sink {
	const struct sink_type *type;
	bool fresh;	 /* nothing is in it yet */
	bool torn;	 /* what was there before ends in the middle of a record */
	bool open_quote; /* and of double quotes that are not closed */
};

struct sink_type {
	const char *name;
	/* Opens the target for this server alone, emptied unless append. NULL: the failure is set.
	 */
	struct sink *(*open)(const char *target, bool append, struct error *error);
	/* Stores the parts, whole records each, all or nothing; if durable, so that they survive a
	 * power cut. Returns 0 or an errno value. */
	int (*commit)(struct sink *sink, const struct iovec *parts, int count, bool durable);
	/* Goes on under the target's name, which may have been given to another file by now:
	 * `fresh` and `torn` are about that one then. -1: the failure is set, and the sink goes on
	 * as before. */
	int (*reopen)(struct sink *sink, struct error *error);
	void (*close)(struct sink *sink);
};

/* Opens a target: "TYPE:REST" for one of the table's types, anything else is a file's name. */
struct sink *sink_open(const char *target, bool append, struct error *error);

/* The name of the file that a target means, part of it; NULL where it is no file. */
const char *sink_file_name(const char *target);

#endif
