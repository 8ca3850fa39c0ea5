/* SPDX-License-Identifier: MIT */
#include "base/descriptor.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void descriptor_close(int *descriptor)
{
	int saved = errno;
	if (*descriptor >= 0)
		(void)close(*descriptor);
	*descriptor = -1;
	errno = saved;
}

bool descriptor_has_name(int descriptor, const char *name)
{
	struct stat opened, named;
	return fstat(descriptor, &opened) == 0 && stat(name, &named) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}
