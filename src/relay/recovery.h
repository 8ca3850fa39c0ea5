/* SPDX-License-Identifier: MIT */
/* Where a relay goes on in its log after a start. Its marks (relay/mark.h) say how many lines are
 * before them: so the log is read from the last one on, and before that only where lines are that
 * the next server has not acknowledged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/log_back.h"
#include "relay/once_link.h"

struct recovery {
	struct log_back back;  /* files of the log, open; the first one is the last of the log */
	size_t file;	       /* of these: where the first line is that is not acknowledged, */
	int64_t offset;	       /* at that offset or behind it */
	uint64_t acknowledged; /* number of the line before it */
	uint64_t lost;	       /* of those: lines that are in no file any more, the last ones */
	uint64_t lines;	       /* of the log */
	size_t since; /* bytes behind the last mark; SIZE_MAX: it is in another file, or none */
	uint64_t behind_file;	    /* as in struct relay_mark */
	bool relayed;		    /* a relay has written it, as far as it was read */
	char name[RELAY_NAME_SIZE]; /* under which lines are sent; empty: none */
	/* How many lines the log has had at the first start behind the last note that lines are
	 * acknowledged, or has where there is none: no later one can have been sent. */
	uint64_t behind;
};

/* Reads a log, a regular file, and those before it. `appends`: an empty one goes on from the file
 * before. recovery_end() is due in any case. -1: the error is set. */
int recovery_read(struct recovery *recovery, const char *name, bool appends, struct error *error);

/* Closes and frees what was opened. */
void recovery_end(struct recovery *recovery);
