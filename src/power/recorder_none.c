/* SPDX-License-Identifier: MIT */
/* For a build without the kernel's headers, such as one with musl-gcc. */
#include <errno.h>

#include "power/recorder.h"

const bool recorder_is_built = false;

/* Is not called, as -power is refused. */
int recorder_run(void *context, const char *path, char *const *argv)
{
	(void)context;
	(void)path;
	(void)argv;
	return ENOSYS;
}
