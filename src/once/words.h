/* SPDX-License-Identifier: MIT */
/* The words of the service once: what its clients say, and its answers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "net/answers.h"
#include "once/sender.h"

#define ONCE_FROM "from "
#define ANSWER_HAD "had" /* the log had this number already */
#define REASON_SENDERS "too many senders"
#define ONCE_SAY_FROM ANSWER_ERROR "say from NAME NUMBER first"

/* The line `from NAME NUMBER` or `from NAME ?`. */
struct from {
	struct slice name; /* printable ASCII without a blank */
	bool asks;	   /* ? */
	uint64_t number;   /* otherwise, from 1 */
};

/* Whether a line is meant as one: two words behind `from `, of which the second is ? or digits. Any
 * other line is one to be logged. */
bool from_begins(struct slice line);
/* Reads such a line. False: the name or the number is not as it has to be. */
bool from_read(struct slice line, struct from *from);

/* Whether a name is as it has to be. */
bool sender_is_name(struct slice name);

/* Reads the answer `ok LAST HASH`, or `ok 0`, with the hash 0. */
bool last_read(struct slice answer, uint64_t *last, uint64_t *hash);

/* The hash in an answer or note: 16 digits, those above 9 in lower case. */
bool hash_read(struct slice digits, uint64_t *hash);

/* The notes of a block of known senders: its head `known COUNT senders`, and `known NAME NUMBER
 * HASH` for each. The name is not looked at: it may be escaped. */
#define KNOWN "known "
#define KNOWN_SENDERS " senders"
bool known_head_read(struct slice note, uint64_t *count);
bool known_sender_read(struct slice note, struct slice *name, uint64_t *number, uint64_t *hash);

/* Each writes an answer without a line end, and returns its length. */
enum { ONCE_ANSWER_SIZE = SENDER_NAME_MAX + 64 };
/* To `from NAME NUMBER`; number 0: to `from NAME ?`. */
size_t write_last(char answer[ONCE_ANSWER_SIZE], const struct sender *sender, uint64_t number);
/* To a line of a group that has failed, of which `due` was due then. `reason`: why the log failed.
 */
size_t write_failed(char answer[ONCE_ANSWER_SIZE], uint64_t number, uint64_t due,
		    const char *reason);
size_t write_differs(char answer[ONCE_ANSWER_SIZE], const struct sender *sender);
size_t write_elsewhere(char answer[ONCE_ANSWER_SIZE], const struct sender *sender);
