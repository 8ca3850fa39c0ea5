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

struct file_id file_id_of(const struct stat *status)
{
	return (struct file_id){status->st_dev, status->st_ino};
}

struct file_id descriptor_file(int descriptor)
{
	struct stat status;
	if (fstat(descriptor, &status) < 0)
		return (struct file_id){0};
	return file_id_of(&status);
}

bool descriptor_has_name(int descriptor, const char *name)
{
	struct stat opened, named;
	return fstat(descriptor, &opened) == 0 && stat(name, &named) == 0 &&
	       file_id_is(file_id_of(&named), file_id_of(&opened));
}
