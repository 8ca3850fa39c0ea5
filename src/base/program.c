/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&ready, 1, 0) == 0)
		return;
	/* nowhere is left to report that stderr cannot be written */
	(void)fprintf(stderr, "%s: %s\n", program, message);
}
