/* SPDX-License-Identifier: MIT */
#include "client/progress_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nonblocking_writer.h"

enum { PROGRESS_BAR = 24 };

#define PROGRESS_FIRST CLOCK_SECOND
#define PROGRESS_INTERVAL (CLOCK_SECOND / 4)
/* To the start of the line, and away with what stands there. */
#define PROGRESS_CLEAR "\r\033[K"

void progress_bar_open(struct progress_bar *progress, int descriptor, uint64_t planned,
		       int64_t time)
{
	bool terminal = isatty(descriptor) == 1;
	*progress = (struct progress_bar){.descriptor = terminal ? descriptor : -1,
					  .planned = planned,
					  .time = time,
					  .started = clock_now()};
	progress->next = terminal ? progress->started + PROGRESS_FIRST : CLOCK_NEVER;
}

/* From 0 to 1; negative where it is not known. */
static double fraction_of(const struct progress_bar *progress, uint64_t done, int64_t elapsed)
{
	double fraction = progress->planned ? (double)done / (double)progress->planned
			  : progress->time  ? (double)elapsed / (double)progress->time
					    : -1;
	return fraction > 1 ? 1 : fraction;
}

/* A time in whole seconds: 0:07, 2:30, 1:00:00. */
static void put_left(char *words, size_t size, double seconds)
{
	int64_t left = seconds < 1e9 ? (int64_t)(seconds + 0.5) : 1000000000;
	if (left < 3600)
		(void)snprintf(words, size, ", %d:%02d left", (int)(left / 60), (int)(left % 60));
	else
		(void)snprintf(words, size, ", %" PRId64 ":%02d:%02d left", left / 3600,
			       (int)(left / 60 % 60), (int)(left % 60));
}

void progress_bar_format(const struct progress_bar *progress, uint64_t done, int64_t now,
			 char words[PROGRESS_BAR_SIZE])
{
	static const char full[] = "########################", empty[] = "........................";
	char bar[2 * PROGRESS_BAR + 32] = "", left[40] = "";
	int64_t elapsed = now - progress->started;
	int64_t since = now - (progress->shown ? progress->shown : progress->started);
	double rate =
		since > 0 ? (double)(done - progress->done) * (double)CLOCK_SECOND / (double)since
			  : 0;
	double fraction = fraction_of(progress, done, elapsed);
	if (fraction >= 0) {
		int filled = (int)(fraction * PROGRESS_BAR);
		(void)snprintf(bar, sizeof bar, "[%.*s%.*s] %3d%%  ", filled, full,
			       PROGRESS_BAR - filled, empty, (int)(fraction * 100));
	}
	if (fraction > 0)
		put_left(left, sizeof left,
			 (double)elapsed / (double)CLOCK_SECOND * (1 - fraction) / fraction);
	(void)snprintf(words, PROGRESS_BAR_SIZE, "%s%" PRIu64 " lines, %.0f lines/s%s", bar, done,
		       rate, left);
}

/* A terminal that takes nothing, as one that was stopped, is not waited for. */
static void put(const struct progress_bar *progress, const char *words)
{
	/* what is not written is soon written over */
	(void)nonblocking_write(progress->descriptor, words, strlen(words));
}

/* A line that were longer than the terminal is wide would not be written over. */
static size_t columns(const struct progress_bar *progress)
{
	struct winsize size;
	if (ioctl(progress->descriptor, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 80;
	return size.ws_col;
}

void progress_bar_update(struct progress_bar *progress, uint64_t done)
{
	int64_t now = clock_now();
	if (now < progress->next)
		return;
	char words[PROGRESS_BAR_SIZE], line[PROGRESS_BAR_SIZE + sizeof PROGRESS_CLEAR];
	progress_bar_format(progress, done, now, words);
	(void)snprintf(line, sizeof line, PROGRESS_CLEAR "%.*s", (int)columns(progress) - 1, words);
	put(progress, line);
	progress->shown = now;
	progress->done = done;
	progress->next = now + PROGRESS_INTERVAL;
}

void progress_bar_close(struct progress_bar *progress)
{
	if (progress->shown)
		put(progress, PROGRESS_CLEAR);
	progress->next = CLOCK_NEVER;
}
