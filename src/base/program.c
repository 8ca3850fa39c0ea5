/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nonblocking_writer.h"

const char *program_name(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	return slash ? slash + 1 : argv0 ? argv0 : "ackline";
}

void program_guard_descriptors(void)
{
	for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
		if (fcntl(descriptor, F_GETFD) < 0)
			/* gets the lowest free number, which is this one; without /dev/null it
			 * stays closed */
			(void)open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static rlim_t started_with; /* soft limit of descriptors; 0: it was not raised */

uint64_t program_raise_descriptors(void)
{
	struct rlimit limit = {0};
	/* reading fails for no valid resource, and then 0 is too low for any use */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		started_with = limit.rlim_cur;
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* if not, the limit stays as it is */
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

void program_restore_descriptors(void)
{
	struct rlimit limit;
	if (!started_with || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = started_with;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* a limit can always be lowered */
}

void program_complain(const char *program, const char *message)
{
	char line[PIPE_BUF];
	int length = snprintf(line, sizeof line, "%s: %s\n", program, message);
	/* the last one is the line end, where the message was not cut */
	for (char *at = line; *at && at[1]; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	/* nowhere is left to report that stderr cannot be written */
	if (length > 0)
		(void)nonblocking_write(STDERR_FILENO, line, strnlen(line, sizeof line));
}

int program_print(int descriptor, const char *what, struct buffer *text, bool complete,
		  struct error *error)
{
	int result = 0;
	if (!complete)
		result = error_set(error, "out of memory for %s", what);
	else if (nonblocking_write_all(descriptor, text->bytes, text->length, -1, CLOCK_NEVER) < 0)
		result = error_set(error, "cannot write %s to %s: %s", what,
				   descriptor == STDERR_FILENO ? "stderr" : "stdout",
				   strerror(errno));
	buffer_free(text);
	return result;
}
