/* SPDX-License-Identifier: MIT */
/* A log that must not warn, as the file "log" in the current directory. */
#pragma once

#include "base/clock.h"
#include "log.h"

#define PATIENCE (20 * CLOCK_SECOND)

extern struct log *log_under_test;

/* Fails the test where there is no log to be had; any warning fails it, too. */
struct log *open_with(enum log_sync sync, bool append);
void no_warning(const char *words);

/* Flushes log_under_test, and fails the test if that does not come to an end. */
void flush(void);
