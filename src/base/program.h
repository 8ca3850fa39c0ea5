/* SPDX-License-Identifier: MIT */
/* What each program's main() needs: its name, its exit status, its standard descriptors and
 * messages on stderr. */
#ifndef ACKLINE_BASE_PROGRAM_H
#define ACKLINE_BASE_PROGRAM_H

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Returns the last part of argv[0], with which messages begin. */
const char *program_name(const char *argv0);

/* Opens each standard descriptor that is closed, so that its use fails and no socket or file gets
 * its number. To be called before anything is opened. */
void program_guard_descriptors(void);

/* Prints "PROGRAM: MESSAGE" on stderr. Does not block: the message is dropped if stderr is a full
 * pipe. */
void program_complain(const char *program, const char *message);

#endif
