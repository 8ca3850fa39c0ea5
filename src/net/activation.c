/* SPDX-License-Identifier: MIT */
#include "net/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"

enum { FIRST = 3 }; /* the number of the first descriptor that is passed */

/* 0 where there is none. -1: it is no socket. */
static int option_of(int descriptor, int name)
{
	int value = 0;
	socklen_t length = sizeof value;
	return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

/* Returns NULL, or what is wrong with the socket. */
static const char *find_fault(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL), domain = option_of(descriptor, SO_DOMAIN);
	if (flags < 0 || domain < 0)
		return strerror(errno);
	if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)
		return "it is neither TCP nor a Unix socket";
	if (option_of(descriptor, SO_TYPE) != SOCK_STREAM)
		return "it is not a stream socket";
	if (option_of(descriptor, SO_ACCEPTCONN) != 1)
		return "it does not listen";
	if (fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
		return strerror(errno);
	return NULL;
}

static int take(const char *sockets, int *descriptor, struct error *error)
{
	int64_t count;
	if (number_parse(sockets, 0, INT32_MAX, &count) < 0)
		return error_set(error, "LISTEN_FDS: '%.100s' is not a number of sockets", sockets);
	if (count > 1)
		return error_set(error, "LISTEN_FDS: %s sockets were passed, not one", sockets);
	const char *fault = count ? find_fault(FIRST) : NULL;
	if (fault)
		return error_set(error, "LISTEN_FDS: cannot listen on descriptor %d: %s", FIRST,
				 fault);
	*descriptor = count ? FIRST : -1;
	return 0;
}

int activation_take(int *descriptor, struct error *error)
{
	const char *process = getenv("LISTEN_PID"), *sockets = getenv("LISTEN_FDS");
	int64_t pid;
	int result = 0;
	*descriptor = -1;
	/* the environment may be inherited from another process that it was for */
	if (process && sockets && number_parse(process, 1, INT32_MAX, &pid) == 0 && pid == getpid())
		result = take(sockets, descriptor, error);
	(void)unsetenv("LISTEN_PID"); /* fails for none of these names */
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return result;
}
