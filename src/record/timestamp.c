/* SPDX-License-Identifier: MIT */
#include "record/timestamp.h"

#include <string.h>

int (*stamp_clock)(clockid_t clock, struct timespec *now) = clock_gettime;

static void set_second(struct stamp *stamp, time_t second)
{
	struct tm local;
	stamp->second = second;
	if (localtime_r(&second, &local) &&
	    strftime(stamp->local, sizeof stamp->local, "%Y-%m-%d %H:%M:%S", &local) ==
		    STAMP_LENGTH &&
	    strftime(stamp->zone, sizeof stamp->zone, "%z", &local) == strlen("+HHMM")) {
		memmove(stamp->zone + 4, stamp->zone + 3, sizeof "MM");
		stamp->zone[3] = ':';
		return;
	}
	memcpy(stamp->local, "0000-00-00 00:00:00", sizeof stamp->local); /* year 10000 */
	memcpy(stamp->zone, "+00:00", sizeof stamp->zone);
}

void stamp_update(struct stamp *stamp)
{
	struct timespec now;
	(void)stamp_clock(CLOCK_REALTIME, &now); /* cannot fail */
	stamp->microsecond = (int32_t)(now.tv_nsec / 1000);
	if (now.tv_sec != stamp->second || !stamp->local[0])
		set_second(stamp, now.tv_sec);
}

char *stamp_put_fraction(char *out, const struct stamp *stamp, int digits)
{
	int32_t value = stamp->microsecond;
	*out = '.';
	for (int i = 6; i > 0; i--, value /= 10)
		if (i <= digits)
			out[i] = (char)('0' + value % 10);
	return out + 1 + digits;
}
