/* SPDX-License-Identifier: MIT */
#include "base/move_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1 /* not every libc has it, nor the function */
#endif

static int call_renameat2(int from_directory, const char *name, int to_directory, const char *to,
			  unsigned flags)
{
	return (int)syscall(SYS_renameat2, from_directory, name, to_directory, to, flags);
}

int (*move_aside_renameat2)(int, const char *, int, const char *, unsigned) = call_renameat2;

int rename_unless_taken(const char *name, const char *to)
{
	if (move_aside_renameat2(AT_FDCWD, name, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -1;
	/* the kernel or the file system cannot; killed in between, the file has both names */
	return link(name, to) < 0 || unlink(name) < 0 ? -1 : 0;
}

/* The name, or the target's if it is a symbolic link. */
static int resolve(const char *name, char path[PATH_MAX])
{
	struct stat status;
	if (lstat(name, &status) < 0)
		return -1;
	if (S_ISLNK(status.st_mode))
		return realpath(name, path) ? 0 : -1;
	if (snprintf(path, PATH_MAX, "%s", name) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int move_aside(const char *name, char from[PATH_MAX], char to[PATH_MAX])
{
	*from = *to = '\0';
	if (resolve(name, from) < 0)
		return -1;
	for (unsigned number = 1;; number++) {
		if (snprintf(to, PATH_MAX, "%s.%u", from, number) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (rename_unless_taken(from, to) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
}
