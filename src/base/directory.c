/* SPDX-License-Identifier: MIT */
#include "base/directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int directory_make_for(const char *file, struct error *error)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(file, '/');
	if (!slash || slash == file)
		return 0;
	int length = snprintf(folder, sizeof folder, "%.*s", (int)(slash - file), file);
	errno = ENAMETOOLONG;
	/* what is there and is no folder is named by whoever opens the file */
	if ((size_t)length < sizeof folder && (mkdir(folder, 0777) == 0 || errno == EEXIST))
		return 0;
	return error_set(error, "cannot make the folder %.200s: %s", folder, strerror(errno));
}
