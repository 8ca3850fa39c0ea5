/* SPDX-License-Identifier: MIT */
/* A progress bar: one line on a terminal that is written over again and again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct progress_bar {
	int descriptor;	  /* of the terminal */
	uint64_t planned; /* lines; 0: not known */
	int64_t time;	  /* ns, planned; 0: not known */
	int64_t started;  /* ns */
	int64_t next;	  /* ns, of the next update; CLOCK_NEVER: nothing is shown */
	int64_t shown;	  /* ns, of the last update; 0: none yet */
	uint64_t done;	  /* lines at that time */
};

/* Shows nothing unless the descriptor is a terminal, and nothing in the first second. */
void progress_bar_open(struct progress_bar *progress, int descriptor, uint64_t planned,
		       int64_t time);

/* Whether it is time for an update. */
bool progress_bar_is_due(const struct progress_bar *progress);
/* Shows how many lines are done, and further words; call it at progress->next, or more often. Never
 * blocks. */
void progress_bar_update(struct progress_bar *progress, uint64_t done, const char *words);
/* Erases the line, until the next update: something else is printed. */
void progress_bar_clear(const struct progress_bar *progress);
/* Erases the line. */
void progress_bar_close(struct progress_bar *progress);

/* Appends the line for a moment: a bar where the end is known, lines done, lines a second since the
 * last update, and the time left. False: out of memory. */
bool progress_bar_format(const struct progress_bar *progress, uint64_t done, int64_t now,
			 struct buffer *line);
