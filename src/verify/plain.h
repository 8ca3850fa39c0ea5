/* SPDX-License-Identifier: MIT */
/* What the proof from plain lines knows. No line says which client has sent it, so clients are told
 * apart by what they send, in echo, or not at all: then it is shown that the lines can be dealt out
 * to as many clients, each of whose lines are in order.
 *
 * Clients with the same lines are a group. For each client that has sent all lines before a place,
 * the group has that place. A line is due at its place if a client is there, which goes on to the
 * next. Which one it is makes no difference: it is enough to know how many are at each place. */
#pragma once

#include "record/log_reader.h"
#include "verify/verdict.h"

/* Places, the highest first. */
struct group {
	struct buffer places; /* int64_t */
};

struct plain_proof {
	const struct verify_job *job;
	const struct verify_expectation *expected; /* NULL: clients are reported */
	struct log_reader log;
	struct group *groups;
	size_t group_count;
	bool by_thread;	     /* a group is a thread of all clients; else all lines of a client */
	int64_t threads;     /* of a client; 0: not known yet */
	int64_t lines;	     /* of clients */
	int64_t others;	     /* other lines */
	int64_t repeated;    /* lines that were there before */
	int64_t missing;     /* acknowledged */
	struct buffer bytes; /* for is_plain() */
	struct verdict fault;
};

static inline int64_t *group_places(const struct group *group, size_t *count)
{
	*count = group->places.length / sizeof(int64_t);
	return (void *)group->places.bytes;
}

static inline bool plain_has_fault(const struct plain_proof *proof)
{
	return *proof->fault.message;
}

/* At the end of the log, compares it with what the clients have reported. False: out of memory. */
bool plain_check_reported(struct plain_proof *proof);
/* The same for clients that are inferred, with what is expected. */
void plain_check_inferred(struct plain_proof *proof);
/* Draws the conclusion. */
void plain_conclude(const struct plain_proof *proof, struct verdict *verdict);
