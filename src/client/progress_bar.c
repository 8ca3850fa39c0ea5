/* SPDX-License-Identifier: MIT */
#include "client/progress_bar.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nonblocking_writer.h"
#include "base/plural.h"

enum { PROGRESS_BAR = 24 };

#define PROGRESS_FIRST CLOCK_SECOND
#define PROGRESS_INTERVAL (CLOCK_SECOND / 4)
/* Moves to the start of the line and erases it. */
#define PROGRESS_CLEAR "\r\033[K"

void progress_bar_open(struct progress_bar *progress, int descriptor, uint64_t planned,
		       int64_t time)
{
	int64_t now = clock_now();
	*progress = (struct progress_bar){.descriptor = descriptor,
					  .planned = planned,
					  .time = time,
					  .started = now,
					  .next = isatty(descriptor) == 1 ? now + PROGRESS_FIRST
									  : CLOCK_NEVER};
}

/* From 0 to 1; negative: not known. */
static double fraction_of(const struct progress_bar *progress, uint64_t done, int64_t elapsed)
{
	double fraction = progress->planned ? (double)done / (double)progress->planned
			  : progress->time  ? (double)elapsed / (double)progress->time
					    : -1;
	return fraction > 1 ? 1 : fraction;
}

/* A time in whole seconds: 0:07, 2:30, 1:00:00. */
static bool add_left(struct buffer *line, double seconds)
{
	int64_t left = seconds < 1e9 ? (int64_t)(seconds + 0.5) : 1000000000;
	int minutes = (int)(left / 60 % 60), rest = (int)(left % 60);
	if (left < 3600)
		return buffer_printf(line, ", %d:%02d left", minutes, rest);
	return buffer_printf(line, ", %" PRId64 ":%02d:%02d left", left / 3600, minutes, rest);
}

bool progress_bar_format(const struct progress_bar *progress, uint64_t done, int64_t now,
			 struct buffer *line)
{
	static const char full[] = "########################", empty[] = "........................";
	int64_t elapsed = now - progress->started;
	int64_t since = now - (progress->shown ? progress->shown : progress->started);
	uint64_t lines = done - progress->done;
	double rate = since > 0 ? (double)lines * (double)CLOCK_SECOND / (double)since : 0;
	double fraction = fraction_of(progress, done, elapsed);
	int filled = (int)(fraction * PROGRESS_BAR);
	if (fraction >= 0 && !buffer_printf(line, "[%.*s%.*s] %3d%%  ", filled, full,
					    PROGRESS_BAR - filled, empty, (int)(fraction * 100)))
		return false;
	if (!buffer_printf(line, "%" PRIu64 " line%s, %.0f lines/s", done, PLURAL(done), rate))
		return false;
	double seconds = (double)elapsed / (double)CLOCK_SECOND;
	return fraction <= 0 || add_left(line, seconds * (1 - fraction) / fraction);
}

/* Never blocks, also if the terminal is stopped: what is not written is soon written over. */
static void show(const struct progress_bar *progress, const char *bytes, size_t length)
{
	(void)nonblocking_write(progress->descriptor, bytes, length);
}

bool progress_bar_is_due(const struct progress_bar *progress)
{
	return clock_now() >= progress->next;
}

void progress_bar_update(struct progress_bar *progress, uint64_t done, const char *words)
{
	struct winsize size;
	struct buffer line = {0};
	int64_t now = clock_now();
	if (now < progress->next)
		return;
	bool known = ioctl(progress->descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col;
	/* a line longer than the terminal is wide could not be written over */
	size_t max = strlen(PROGRESS_CLEAR) + (known ? size.ws_col : 80) - 1;
	if (buffer_append_string(&line, PROGRESS_CLEAR) &&
	    progress_bar_format(progress, done, now, &line) && buffer_append_string(&line, words))
		show(progress, line.bytes, line.length < max ? line.length : max);
	buffer_free(&line);
	progress->shown = now;
	progress->done = done;
	progress->next = now + PROGRESS_INTERVAL;
}

void progress_bar_clear(const struct progress_bar *progress)
{
	if (progress->shown)
		show(progress, PROGRESS_CLEAR, strlen(PROGRESS_CLEAR));
}

void progress_bar_close(struct progress_bar *progress)
{
	progress_bar_clear(progress);
	progress->shown = 0;
	progress->next = CLOCK_NEVER;
}
