/* SPDX-License-Identifier: MIT */
/* What the proof of numbered lines knows: of each sender the numbers in the log, and the first
 * faults. once.c reads the log, once_verdict.c draws the conclusion. */
#pragma once

#include "base/slice.h"
#include "record/log_reader.h"
#include "verify/verdict.h"

enum { ONCE_FAULTS_MAX = 3, ONCE_FAULTS_SIZE = 640 };

/* A sender. */
struct numbered {
	struct slice name;    /* escaped, as in the log; owned, behind the struct */
	uint64_t first, last; /* numbers in the log; last 0: none */
	uint64_t hash;	      /* of the last line */
	uint64_t lines;
	uint64_t block; /* the last one that has it */
	bool forgotten; /* it was not in a block: it may begin again */
	struct numbered *next;

	/* of a client that has reported */
	const struct client_result *result;
	int64_t thread; /* in free order; else -1 */
	uint64_t acknowledged;
};

struct once_proof {
	const struct verify_job *job; /* NULL: a log alone */
	struct log_reader log;
	void *tree; /* of tsearch(), by name */
	struct numbered *first, **end;
	uint64_t senders, lines, missing, repeated, damaged;
	int64_t starts, closed;
	uint64_t blocks, left; /* senders that the current block still has */
	size_t faults;
	char message[ONCE_FAULTS_SIZE]; /* the first of them */
	char title[LOG_TITLE_SIZE],
		remark[LOG_TITLE_SIZE]; /* those of the reader, of the last log */
};

/* Draw the conclusion of a log alone, and of a run. */
void once_conclude_check(struct once_proof *proof, size_t count, struct verdict *verdict);
void once_conclude_run(struct once_proof *proof, struct verdict *verdict);
