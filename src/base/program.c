/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

void program_complain(const char *program, const char *message)
{
	char line[PIPE_BUF];
	int length = snprintf(line, sizeof line, "%s: %s\n", program, message);
	/* nowhere is left to report that stderr cannot be written */
	if (length > 0)
		(void)nonblocking_write(STDERR_FILENO, line, strnlen(line, sizeof line));
}
