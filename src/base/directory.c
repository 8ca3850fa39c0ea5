/* SPDX-License-Identifier: MIT */
#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"

int (*directory_fsync)(int descriptor) = fsync;

static int sync_opened(const char *directory)
{
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return -1;
	int result = directory_fsync(descriptor);
	descriptor_close(&descriptor);
	return result == 0 ? 0 : errno == EINVAL || errno == ENOTSUP ? 1 : -1;
}

int directory_sync(const char *file, struct error *error)
{
	char path[PATH_MAX];
	int result = realpath(file, path) ? sync_opened(dirname(path)) : -1;
	if (result < 0)
		return error_set(error, "cannot sync the directory of %.200s: %s", file,
				 strerror(errno));
	return result;
}

int directory_make(const char *file, bool sync, struct error *error)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(file, '/');
	if (!slash || slash == file)
		return 0;
	int length = snprintf(directory, sizeof directory, "%.*s", (int)(slash - file), file);
	errno = ENAMETOOLONG;
	/* where it exists and is no directory, opening the file fails */
	if ((size_t)length >= sizeof directory || (mkdir(directory, 0777) < 0 && errno != EEXIST))
		return error_set(error, "cannot create the directory %.200s: %s", directory,
				 strerror(errno));
	/* an earlier start may have made it, and have been killed before the sync */
	return sync && directory_sync(directory, error) < 0 ? -1 : 0;
}
