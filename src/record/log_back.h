/* SPDX-License-Identifier: MIT */
/* The files of a log, opened from the last one back, as far as a start needs them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/log_reader.h"

/* Zeroed, there are none. */
struct log_back {
	struct log_back_file {
		struct log_reader
			log; /* its limit, and `old`, is where it ended when it was opened */
		char *name;  /* owned */
	} * files;	     /* the last one of the log first */
	size_t count, capacity;
};

/* Opens a file, a regular one, up to its present end, behind the others. -1: the error is set. */
int log_back_open(struct log_back *back, const char *name, struct error *error);

/* Opens the one before those, as log_before() finds it. Returns 1; 0: there is none; -1 or
 * LOG_BEFORE_MISSING: the error is set. */
int log_back_more(struct log_back *back, bool appends, struct error *error);

/* Closes and frees all. */
void log_back_close(struct log_back *back);
