/* SPDX-License-Identifier: MIT */
/* A line on a terminal that says how far a run is, and is written over as it goes on. */
#ifndef ACKLINE_CLIENT_PROGRESS_BAR_H
#define ACKLINE_CLIENT_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_BAR_SIZE = 512 }; /* far more than there is to say: a rate may have 300 digits */

struct progress_bar {
	int descriptor;	  /* of the terminal; -1: nothing is shown */
	uint64_t planned; /* lines; 0: not known */
	int64_t time;	  /* ns, how long it is to go on; 0: not known */
	int64_t started;  /* ns */
	int64_t next;	  /* ns, when to show it again */
	int64_t shown;	  /* ns, when it was shown; 0: not yet */
	uint64_t done;	  /* lines, then */
};

/* Shows nothing where the descriptor is no terminal. */
void progress_bar_open(struct progress_bar *progress, int descriptor, uint64_t planned,
		       int64_t time);

/* To be called now and then, and at progress->next: shows how many lines are done. The first second
 * nothing is shown. Never waits. */
void progress_bar_update(struct progress_bar *progress, uint64_t done);

/* Takes away what was shown. */
void progress_bar_close(struct progress_bar *progress);

/* The words for a moment: a bar where the end is known, lines done, those in a second since it was
 * shown before, and the time left. */
void progress_bar_format(const struct progress_bar *progress, uint64_t done, int64_t now,
			 char words[PROGRESS_BAR_SIZE]);

#endif
