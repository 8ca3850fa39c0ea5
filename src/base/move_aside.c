/* SPDX-License-Identifier: MIT */
#include "base/move_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/closed_files.h"

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

int move_aside(const char *name, uint64_t *number, char from[PATH_MAX], char to[PATH_MAX])
{
	uint64_t last;
	*from = *to = '\0';
	if (closed_files_path(name, from) < 0)
		return -1;
	do {
		if (closed_files_last(from, &last) < 0)
			return -1;
		*number = (last > *number ? last : *number) + 1;
		errno = *number > CLOSED_NUMBER_MAX ? EOVERFLOW : ENAMETOOLONG;
		if (*number > CLOSED_NUMBER_MAX ||
		    snprintf(to, PATH_MAX, "%s.%" PRIu64, from, *number) >= PATH_MAX)
			return -1;
		if (rename_unless_taken(from, to) == 0)
			return 0;
	} while (errno == EEXIST);
	return -1;
}
