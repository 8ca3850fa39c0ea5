/* SPDX-License-Identifier: MIT */
#include "client/progress_bar.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static struct buffer line;

static const char *format(const struct progress_bar *progress, uint64_t done, int64_t now)
{
	buffer_clear(&line, SIZE_MAX);
	ck_assert(progress_bar_format(progress, done, now, &line));
	ck_assert(buffer_append(&line, "", 1));
	return line.bytes;
}

START_TEST(lines_that_are_planned)
{
	struct progress_bar progress = {.planned = 1000, .started = 5};
	ck_assert_str_eq(format(&progress, 250, 5 + 10 * CLOCK_SECOND),
			 "[######..................]  25%  250 lines, 25 lines/s, 0:30 left");
	progress.shown = 5 + 10 * CLOCK_SECOND;
	progress.done = 250;
	ck_assert_str_eq(format(&progress, 500, 5 + 11 * CLOCK_SECOND),
			 "[############............]  50%  500 lines, 250 lines/s, 0:11 left");
}
END_TEST

START_TEST(a_time_that_is_planned)
{
	struct progress_bar progress = {.time = 3 * 3600 * CLOCK_SECOND};
	ck_assert_str_eq(format(&progress, 7200, 3600 * CLOCK_SECOND),
			 "[########................]  33%  7200 lines, 2 lines/s, 2:00:00 left");
	ck_assert_str_eq(format(&progress, 7200, 4 * 3600 * CLOCK_SECOND),
			 "[########################] 100%  7200 lines, 0 lines/s, 0:00 left");
}
END_TEST

START_TEST(an_end_that_is_not_known)
{
	struct progress_bar progress = {0};
	ck_assert_str_eq(format(&progress, 30, 3 * CLOCK_SECOND), "30 lines, 10 lines/s");
	progress.planned = 10;
	ck_assert_str_eq(format(&progress, 0, 0),
			 "[........................]   0%  0 lines, 0 lines/s");
}
END_TEST

START_TEST(nothing_in_a_pipe)
{
	int pipes[2];
	char byte;
	struct progress_bar progress;
	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK), 0);
	progress_bar_open(&progress, pipes[1], 10, 0);
	ck_assert_int_eq(progress.next, CLOCK_NEVER);
	progress_bar_update(&progress, 5, "");
	progress_bar_close(&progress);
	ck_assert_int_eq(read(pipes[0], &byte, 1), -1);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

int main(void)
{
	TCase *progress = tcase_create("progress");
	tcase_add_test(progress, lines_that_are_planned);
	tcase_add_test(progress, a_time_that_is_planned);
	tcase_add_test(progress, an_end_that_is_not_known);
	tcase_add_test(progress, nothing_in_a_pipe);
	return unit_main("progress", progress, NULL);
}
