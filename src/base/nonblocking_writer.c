/* SPDX-License-Identifier: MIT */
#include "base/nonblocking_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { FILE_CHUNK = 1 << 20 };

bool nonblocking_wait(int descriptor, int stop, int64_t deadline)
{
	struct pollfd waiting[] = {{.fd = descriptor, .events = POLLOUT},
				   {.fd = stop, .events = POLLIN}};
	/* of an error write() then says why */
	return clock_poll(waiting, 2, deadline) < 0 || waiting[0].revents;
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes; a file does not wait for a reader. */
static size_t chunk_of(int descriptor)
{
	struct stat status;
	return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? FILE_CHUNK : PIPE_BUF;
}

ssize_t nonblocking_write(int descriptor, const char *bytes, size_t length)
{
	size_t done = 0, chunk = length > PIPE_BUF ? chunk_of(descriptor) : PIPE_BUF;
	while (done < length && nonblocking_wait(descriptor, -1, 0)) {
		size_t left = length - done;
		ssize_t written = write(descriptor, bytes + done, left < chunk ? left : chunk);
		if (written < 0 && errno == EAGAIN)
			break;
		if (written < 0 && errno != EINTR)
			return done ? (ssize_t)done : -1; /* the next call fails */
		done += written > 0 ? (size_t)written : 0;
	}
	return (ssize_t)done;
}

int nonblocking_write_all(int descriptor, const char *bytes, size_t length, int stop,
			  int64_t deadline)
{
	while (length) {
		ssize_t written = nonblocking_write(descriptor, bytes, length);
		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
		if (length && !nonblocking_wait(descriptor, stop, deadline)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	return 0;
}
