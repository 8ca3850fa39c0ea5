/* SPDX-License-Identifier: MIT */
/* Records in a file. What could not be written whole is cut back, so that the file never holds half
 * a record; a lock on it refuses a second server. */
#include "base/memory.h"
#include "log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct sink_type sink_file;

struct file {
	struct sink sink; /* first, so that the one is the other */
	int descriptor;
	bool regular; /* can be locked, cut and emptied; a pipe or a device cannot */
	bool uncut;   /* cutting back has failed: at `whole` half a record begins */
	off_t whole;
	char target[];
};

/* The name is new on the disk as well, not only the data: syncs the folder that holds it. Some file
 * systems cannot, and then the name is as safe as they make it. */
static void sync_folder(const char *target)
{
	char *copy = strdup(target);
	int descriptor = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (descriptor >= 0) {
		(void)fsync(descriptor);
		(void)close(descriptor);
	}
	free(copy);
}

/* Opens and locks; O_NONBLOCK so that a FIFO without a reader is an error instead of a wait. */
static int open_locked(const char *target, bool *regular, struct error *error)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int descriptor = open(target, flags, 0644);
	struct stat status;
	if (descriptor < 0 || fstat(descriptor, &status) < 0 ||
	    fcntl(descriptor, F_SETFL, O_APPEND) < 0) {
		error_set(error, "cannot open the log %s: %s", target, strerror(errno));
		goto failed;
	}
	*regular = S_ISREG(status.st_mode);
	if (*regular && flock(descriptor, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			error_set(error, "cannot log to %s: another server is logging there",
				  target);
		else
			error_set(error, "cannot lock the log %s: %s", target, strerror(errno));
		goto failed;
	}
	sync_folder(target);
	return descriptor;
failed:
	if (descriptor >= 0)
		(void)close(descriptor); /* nothing was written */
	return -1;
}

/* Is the descriptor's file empty? A pipe or a device is. */
static bool is_empty(int descriptor)
{
	struct stat status;
	return fstat(descriptor, &status) == 0 && status.st_size == 0;
}

/* Reads backwards from the end to the last line end; what stands behind it is half a record. False:
 * it cannot be read. */
static bool read_rest(int descriptor, off_t end, struct sink *sink)
{
	char piece[4096];
	while (end > 0) {
		size_t length = end < (off_t)sizeof piece ? (size_t)end : sizeof piece;
		end -= (off_t)length;
		if (pread(descriptor, piece, length, end) != (ssize_t)length)
			return false;
		for (; length && piece[length - 1] != '\n'; length--) {
			sink->torn = true;
			sink->open_quote ^= piece[length - 1] == '"';
		}
		if (length)
			break;
	}
	return true;
}

/* Finds out whether the file ends in the middle of a line. False: errno says why that failed. */
static bool find_rest(struct file *file)
{
	struct stat status;
	int descriptor = open(file->target, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	bool found = fstat(descriptor, &status) == 0 &&
		     read_rest(descriptor, status.st_size, &file->sink);
	(void)close(descriptor); /* only read */
	return found;
}

static int prepare(struct file *file, bool append, struct error *error)
{
	if (!file->regular)
		return 0;
	if (!append && ftruncate(file->descriptor, 0) < 0)
		return error_set(error, "cannot empty the log %s: %s", file->target,
				 strerror(errno));
	if (append && !find_rest(file))
		return error_set(error, "cannot read the end of the log %s: %s", file->target,
				 strerror(errno));
	return 0;
}

static void file_close(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	if (file->descriptor >= 0)
		(void)close(file->descriptor); /* every commit has had its own answer */
	free(file);
}

static struct sink *file_open(const char *target, bool append, struct error *error)
{
	size_t length = strlen(target) + 1;
	struct file *file = memory_calloc(1, sizeof *file + length);
	if (!file) {
		error_set(error, "cannot open the log %s: %s", target, strerror(errno));
		return NULL;
	}
	memcpy(file->target, target, length);
	file->sink.type = &sink_file;
	file->descriptor = open_locked(target, &file->regular, error);
	if (file->descriptor >= 0 && prepare(file, append, error) == 0) {
		file->sink.fresh = is_empty(file->descriptor);
		return &file->sink;
	}
	file_close(&file->sink);
	return NULL;
}

static int cut(struct file *file)
{
	file->uncut = ftruncate(file->descriptor, file->whole) < 0;
	return file->uncut ? errno : 0;
}

/* Takes back the last `written` bytes, and returns the error that was the reason. Nobody else
 * writes to the file, and after an appending write the offset is the file's end. */
static int cut_back(struct file *file, size_t written, int errnum)
{
	if (!written || !file->regular)
		return errnum;
	off_t end = lseek(file->descriptor, 0, SEEK_CUR);
	if (end < (off_t)written)
		return errnum;
	file->whole = end - (off_t)written;
	(void)cut(file); /* if it fails, the next commit begins with it */
	return errnum;
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

static int file_commit(struct sink *sink, const struct iovec *parts, int count, bool durable)
{
	struct file *file = (struct file *)sink;
	struct iovec left[SINK_PARTS], *next = left;
	if (file->uncut && cut(file))
		return errno;
	memcpy(left, parts, (size_t)count * sizeof *left);
	size_t total = 0;
	count = advance(&next, count, 0);
	while (count) {
		ssize_t written = writev(file->descriptor, next, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return cut_back(file, total, written ? errno : ENOSPC);
		total += (size_t)written;
		count = advance(&next, count, (size_t)written);
	}
	/* EINVAL: a pipe or a device, which has no more to give */
	if (durable && fdatasync(file->descriptor) < 0 && errno != EINVAL)
		return cut_back(file, total, errno);
	file->sink.fresh = false;
	return 0;
}

static int file_reopen(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	struct stat old, new;
	/* nobody has moved it: opening it again would meet our own lock */
	if (fstat(file->descriptor, &old) == 0 && stat(file->target, &new) == 0 &&
	    old.st_dev == new.st_dev && old.st_ino == new.st_ino)
		return 0;
	bool regular;
	int descriptor = open_locked(file->target, &regular, error);
	if (descriptor < 0)
		return -1;
	if (file->uncut)
		(void)cut(file); /* the last chance: the old file is not written to any more */
	(void)close(file->descriptor); /* every commit has had its own answer */
	file->descriptor = descriptor;
	file->regular = regular;
	file->uncut = false;
	file->sink.fresh = is_empty(descriptor);
	file->sink.torn = file->sink.open_quote = false;
	if (regular)
		(void)find_rest(file); /* what cannot be read is taken for whole */
	return 0;
}

const struct sink_type sink_file = {
	.name = "file",
	.open = file_open,
	.commit = file_commit,
	.reopen = file_reopen,
	.close = file_close,
};
