/* SPDX-License-Identifier: MIT */
/* A sink under test, and the file that it writes. All but commit() fail the test where it is not as
 * they say. */
#ifndef ACKLINE_SINKS_H
#define ACKLINE_SINKS_H

#include "log/sink.h"

extern struct sink *sink; /* the one that is open */

void open_sink(const char *target, bool append);
void close_sink(void);

/* Commits two parts, either of which may be empty. Returns 0 or an errno value. */
int commit(const char *one, const char *two, bool durable);

/* The file holds just that. */
void assert_file(const char *path, const char *expected);

/* The target cannot be opened, for which these are the words, and no descriptor is left. */
void assert_refused(const char *target, bool append, const char *words);

#endif
