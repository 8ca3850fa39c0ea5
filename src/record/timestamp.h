/* SPDX-License-Identifier: MIT */
/* The time of a record as local time. The calendar is computed once a second, not once a record. */
#pragma once

#include <stdint.h>
#include <time.h>

enum { STAMP_LENGTH = 19 }; /* of the local time, up to the second */

/* Zeroed, it is ready for stamp_update(). Not locked: each writer of records has its own. */
struct stamp {
	time_t second;
	char local[STAMP_LENGTH + 1]; /* YYYY-MM-DD HH:MM:SS; all zeros after the year 9999 */
	char zone[7];		      /* offset from UTC: +HH:MM */
	int32_t microsecond;	      /* within the second */
};

/* Sets the stamp to the present time. */
void stamp_update(struct stamp *stamp);
/* Writes a point and the first digits (1 to 6) of the fraction of the second. Returns the end. */
char *stamp_put_fraction(char *out, const struct stamp *stamp, int digits);

/* As clock_gettime(), which it points to. Only tests set it, before they start threads. */
extern int (*stamp_clock)(clockid_t clock, struct timespec *now);
