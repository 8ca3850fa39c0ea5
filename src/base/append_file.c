/* SPDX-License-Identifier: MIT */
#include "base/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct append_file_calls append_file_calls = {writev, fdatasync, ftruncate, flock};

/* O_NONBLOCK, so that a FIFO without a reader is an error instead of a wait. */
int append_file_open(struct append_file *file, const char *name, bool empty, struct error *error)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat status;
	*file = (struct append_file){.descriptor = open(name, flags, 0644)};
	if (file->descriptor < 0 || fstat(file->descriptor, &status) < 0 ||
	    fcntl(file->descriptor, F_SETFL, O_APPEND) < 0)
		return error_set(error, "cannot open the log %s: %s", name, strerror(errno));
	file->regular = S_ISREG(status.st_mode);
	if (!file->regular)
		return 0;
	if (append_file_calls.flock(file->descriptor, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return error_set(error,
					 "cannot open the log %s: another program is writing it",
					 name);
		return error_set(error, "cannot lock the log %s: %s", name, strerror(errno));
	}
	if (empty && append_file_calls.ftruncate(file->descriptor, 0) < 0)
		return error_set(error, "cannot empty the log %s: %s", name, strerror(errno));
	return 0;
}

static int cut(struct append_file *file)
{
	file->uncut = append_file_calls.ftruncate(file->descriptor, file->whole) < 0;
	return file->uncut ? -1 : 0;
}

/* Takes the last `written` bytes back, and returns -1 with the errno that was the reason. No other
 * process writes to the file, and after an appending write the offset is the file's end. */
static ssize_t cut_back(struct append_file *file, size_t written, int errnum)
{
	off_t end = written && file->regular ? lseek(file->descriptor, 0, SEEK_CUR) : 0;
	if (written && end >= (off_t)written) {
		file->whole = end - (off_t)written;
		(void)cut(file); /* if it fails, the next write begins with it */
	}
	errno = errnum;
	return -1;
}

/* Steps over what was written. Returns the number of parts left, from *parts on. */
static int advance(struct iovec **parts, int count, size_t written)
{
	while (count && written >= (*parts)->iov_len) {
		written -= (*parts)->iov_len;
		++*parts;
		count--;
	}
	if (count) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + written;
		(*parts)->iov_len -= written;
	}
	return count;
}

ssize_t append_file_write(struct append_file *file, struct iovec *parts, int count, bool sync)
{
	size_t total = 0;
	if (file->uncut && cut(file) < 0)
		return -1;
	count = advance(&parts, count, 0);
	while (count) {
		ssize_t written = append_file_calls.writev(file->descriptor, parts, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return cut_back(file, total, written ? errno : ENOSPC);
		total += (size_t)written;
		count = advance(&parts, count, (size_t)written);
	}
	/* EINVAL: a pipe or a device, which has no more to give */
	if (sync && append_file_calls.fdatasync(file->descriptor) < 0 && errno != EINVAL)
		return cut_back(file, total, errno);
	return (ssize_t)total;
}

void append_file_close(struct append_file *file)
{
	if (file->descriptor < 0)
		return;
	if (file->uncut)
		(void)cut(file);       /* the last chance */
	(void)close(file->descriptor); /* each write has had its own result */
	file->descriptor = -1;
}
