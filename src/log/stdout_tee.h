/* SPDX-License-Identifier: MIT */
/* Shows committed records on stdout, from a thread of its own, so that a slow or stuck reader never
 * delays an answer: what it does not take in time is left out and counted. The log has it all. */
#ifndef ACKLINE_LOG_STDOUT_TEE_H
#define ACKLINE_LOG_STDOUT_TEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct stdout_tee;

/* Shows on a descriptor, which stays the caller's. NULL: the failure is set. */
struct stdout_tee *stdout_tee_start(int descriptor, struct error *error);

/* Hands over whole records. Never waits. */
void stdout_tee_push(struct stdout_tee *show, const char *bytes, size_t length);

/* Shows what waits, until the deadline, and frees; accepts NULL. False: the reader is stuck so hard
 * that the thread cannot end; it keeps its memory, and the process should end without it. */
bool stdout_tee_stop(struct stdout_tee *show, int64_t deadline);

#endif
