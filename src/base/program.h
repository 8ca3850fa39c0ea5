/* SPDX-License-Identifier: MIT */
/* What each program needs of the system: its name, its exit status, descriptors and messages on
 * stderr. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Returns the last part of argv[0], with which messages begin. */
const char *program_name(const char *argv0);

/* Opens each standard descriptor that is closed, so that its use fails and no socket or file gets
 * its number. To be called before anything is opened. */
void program_guard_descriptors(void);

/* Raises the soft limit of open descriptors to the hard limit. Returns the soft limit as it is
 * then, whether or not it could be raised. */
uint64_t program_raise_descriptors(void);

/* Sets the soft limit that the program was started with again, if it was raised: for a child
 * process, which may use select(). Async-signal-safe. */
void program_restore_descriptors(void);

/* Prints "PROGRAM: MESSAGE" on stderr as one line, with '?' for each control byte: a message can
 * quote an option's value. Does not block: the message is dropped if stderr is a full
 * pipe. */
void program_complain(const char *program, const char *message);

/* Writes all of a text to stdout or stderr, and blocks until that is done; frees it. `what` names
 * it in an error; !complete: memory was out while it was made. Returns 0, or -1 with *error set:
 * what cannot be written makes a program fail. */
int program_print(int descriptor, const char *what, struct buffer *text, bool complete,
		  struct error *error);
