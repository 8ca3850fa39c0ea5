/* SPDX-License-Identifier: MIT */
#include "base/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/closed_files.h"
#include "base/descriptor.h"
#include "base/move_aside.h"
#include "base/nonblocking_writer.h"

struct append_file_calls append_file_calls = {writev, fdatasync, ftruncate, flock};

/* --- opening --- */

static int cannot_open(const char *name, struct error *error)
{
	return error_set(error, "cannot open the log %s: %s", name, strerror(errno));
}

static int lock(const struct append_file *file, const char *name, struct error *error)
{
	if (append_file_calls.flock(file->descriptor, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return error_set(error, "cannot open the log %s: another program is writing it",
				 name);
	return error_set(error, "cannot lock the log %s: %s", name, strerror(errno));
}

/* Opens and locks it. The status is that of the locked file. O_NONBLOCK, so that a FIFO without a
 * reader is an error instead of a wait. */
static int open_locked(struct append_file *file, const char *name, struct stat *status,
		       struct error *error)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	*file = (struct append_file){.descriptor = open(name, flags, 0644)};
	if (file->descriptor < 0 || fstat(file->descriptor, status) < 0 ||
	    fcntl(file->descriptor, F_SETFL, O_APPEND) < 0)
		return cannot_open(name, error);
	file->regular = file->can_cut = S_ISREG(status->st_mode);
	if (!file->regular)
		return 0;
	if (lock(file, name, error) < 0)
		return -1;
	if (fstat(file->descriptor, status) < 0) /* it may have grown until it was locked */
		return cannot_open(name, error);
	if (append_file_calls.ftruncate(file->descriptor, status->st_size) == 0)
		return 0;
	return error_set(
		error,
		"cannot open the log %s: it cannot be truncated (%s), which is needed after "
		"a partial write; use a file that is not append-only",
		name, strerror(errno));
}

/* Renames the file, which is locked, and opens a new one. If that fails the old one gets its name
 * back, unless another server was quicker to open a new one. */
static int move_and_open(struct append_file *next, const char *name, uint64_t *number,
			 const char *advice, struct error *error)
{
	struct stat status;
	char from[PATH_MAX], kept[PATH_MAX];
	*next = (struct append_file){.descriptor = -1};
	if (move_aside(name, number, from, kept) < 0)
		return error_set(error, "cannot rename the old log %.200s to %.200s: %s%s", name,
				 *kept ? kept : "FILE.N", strerror(errno), advice);
	int result = open_locked(next, name, &status, error);
	if (result == 0) {
		memcpy(next->kept, kept, sizeof kept);
	} else if (rename_unless_taken(kept, from) < 0) {
		struct error why = *error;
		error_set(error, "%.250s; the old log is now %.200s", why.message, kept);
	}
	return result;
}

int append_file_succeed(struct append_file *next, const char *name, uint64_t *number,
			struct error *error)
{
	return move_and_open(next, name, number, "", error);
}

void append_file_restore(struct append_file *next, const char *name)
{
	char path[PATH_MAX];
	/* the new file is locked, so nothing but this process has written to it */
	if (*next->kept && closed_files_path(name, path) == 0)
		(void)rename(next->kept, path); /* else it stays, as a closed file */
	append_file_close(next);
}

/* The old file is locked until the new one is. */
static int begin_anew(struct append_file *file, const char *name, struct error *error)
{
	struct append_file old = *file;
	uint64_t number = 0;
	int result = move_and_open(file, name, &number,
				   "; -append appends to it, -overwrite empties it", error);
	append_file_close(&old);
	return result;
}

int append_file_open(struct append_file *file, const char *name, enum old_content old,
		     struct error *error)
{
	struct stat status;
	int result = open_locked(file, name, &status, error);
	/* another server can rename it before it is locked */
	while (result == 0 && file->regular && !descriptor_has_name(file->descriptor, name)) {
		append_file_close(file);
		result = open_locked(file, name, &status, error);
	}
	return result < 0 ? -1 : append_file_begin(file, name, old, error);
}

int append_file_begin(struct append_file *file, const char *name, enum old_content old,
		      struct error *error)
{
	struct stat status;
	if (!file->regular || old == OLD_APPEND)
		return 0;
	if (fstat(file->descriptor, &status) < 0)
		return cannot_open(name, error);
	if (!status.st_size)
		return 0;
	if (old == OLD_KEEP)
		return begin_anew(file, name, error);
	if (append_file_calls.ftruncate(file->descriptor, 0) < 0)
		return error_set(error, "cannot empty the log %s: %s", name, strerror(errno));
	return 0;
}

int append_file_stdout(struct append_file *file, struct error *error)
{
	struct stat status;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	*file = (struct append_file){.descriptor = -1};
	errno = EBADF; /* a closed one is open for reading: see program_guard_descriptors() */
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(STDOUT_FILENO, &status) < 0 ||
	    (file->descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)) < 0)
		return error_set(error, "cannot log to stdout: %s", strerror(errno));
	file->regular = S_ISREG(status.st_mode);
	return 0;
}

/* --- writing --- */

static int cut(struct append_file *file)
{
	file->uncut = append_file_calls.ftruncate(file->descriptor, file->whole) < 0;
	file->unsynced |= !file->uncut;
	file->errnum = errno;
	return file->uncut ? -1 : 0;
}

/* Takes the last `written` bytes back, and returns -1 with the errno that was the reason. No other
 * process writes to the file, and after an appending write the offset is the file's end. */
static ssize_t cut_back(struct append_file *file, size_t written, int errnum)
{
	off_t end = written && file->can_cut ? lseek(file->descriptor, 0, SEEK_CUR) : 0;
	if (written && end >= (off_t)written) {
		file->whole = end - (off_t)written;
		file->end = end;
		(void)cut(file); /* if it fails, the next write begins with it */
	}
	if (!file->can_cut)
		file->partial = written;
	errno = errnum;
	return -1;
}

/* EINVAL: a pipe or a device cannot be synced, and has no need of it. */
static int sync_data(struct append_file *file)
{
	if (append_file_calls.fdatasync(file->descriptor) < 0 && (file->regular || errno != EINVAL))
		return -1;
	file->unsynced = false;
	return 0;
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

/* After a write: is it to be tried again? Waits for stdout, which another program can have made
 * non-blocking. */
static bool has_to_try_again(const struct append_file *file, ssize_t written)
{
	if (written >= 0 || (errno != EINTR && errno != EAGAIN))
		return false;
	return errno == EINTR || nonblocking_wait(file->descriptor, -1, CLOCK_NEVER);
}

ssize_t append_file_write(struct append_file *file, struct iovec *parts, int count, bool sync)
{
	size_t total = 0;
	file->partial = 0;
	if ((file->uncut && cut(file) < 0) || (sync && file->unsynced && sync_data(file) < 0))
		return -1;
	count = advance(&parts, count, 0);
	while (count) {
		ssize_t written = append_file_calls.writev(file->descriptor, parts, count);
		if (has_to_try_again(file, written))
			continue;
		if (written <= 0)
			return cut_back(file, total, written ? errno : ENOSPC);
		total += (size_t)written;
		count = advance(&parts, count, (size_t)written);
	}
	if (sync && sync_data(file) < 0)
		return cut_back(file, total, errno);
	return (ssize_t)total;
}

void append_file_close(struct append_file *file)
{
	if (file->descriptor < 0)
		return;
	if (file->uncut)
		(void)cut(file); /* the last chance */
	descriptor_close(&file->descriptor);
}
