/* SPDX-License-Identifier: MIT */
#include "base/directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int directory_make_for(const char *file, struct error *error)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(file, '/');
	if (!slash || slash == file)
		return 0;
	int length = snprintf(directory, sizeof directory, "%.*s", (int)(slash - file), file);
	errno = ENAMETOOLONG;
	/* where it exists and is no directory, opening the file fails */
	if ((size_t)length < sizeof directory && (mkdir(directory, 0777) == 0 || errno == EEXIST))
		return 0;
	return error_set(error, "cannot make the folder %.200s: %s", directory, strerror(errno));
}
