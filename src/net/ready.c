/* SPDX-License-Identifier: MIT */
#include "net/ready.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int ready_write(int descriptor, const char *name, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	int port;
	if (socket_name_split(name, host, &port) < 0)
		return 0;
	int written = dprintf(descriptor, "%s %d\n", host, port);
	if (written < 0)
		error_set(error, "cannot write to descriptor %d: %s", descriptor, strerror(errno));
	if (descriptor > STDERR_FILENO)	 /* no connection may become stdout or stderr */
		(void)close(descriptor); /* so that its reader sees the end */
	return written < 0 ? -1 : 0;
}

int ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port)
{
	struct slice name;
	uint64_t number;
	if (!slice_cut(&line, ' ', &name) || name.length >= SOCKET_NAME_SIZE ||
	    !slice_number(&line, &number) || number < 1 || number > 65535 ||
	    !slice_begins(line, "\n"))
		return -1;
	memcpy(host, name.bytes, name.length);
	host[name.length] = '\0';
	*port = (int)number;
	return 0;
}
