/* SPDX-License-Identifier: MIT */
/* The notes in a log that say which senders it knows, and the recovery of their state from it. A
 * block of notes is `known N senders`, then N times `known NAME NUMBER HASH`: the log has NAME up
 * to NUMBER, here or in files before, and HASH is that of this line. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "once/senders.h"

/* Appends the notes, a line each, as they are now. False: out of memory. */
bool known_write(const struct senders *senders, struct buffer *notes);

/* What was found in a log. */
struct known {
	size_t behind;	/* bytes from its last block, or its start, to its end; SIZE_MAX: the file
			 * before was read, too */
	uint64_t lines; /* with a number, behind that block */
	uint64_t odd;	/* of those: it did not follow its sender's number before it */
};

/* Adds the senders of a log, a regular file that is not written to: those of its last whole block,
 * and of the lines behind that. If it has no block, those of the file before are added first, as
 * log_before() finds it: an empty log that is not appended to has none. Reads nothing before the
 * block. A last line that is torn does not count. `sync`: what was read is on the disk when it
 * returns. -1: the error is set. */
int known_recover(struct senders *senders, const char *log, bool appends, bool sync,
		  struct known *known, struct error *error);
