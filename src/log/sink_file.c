/* SPDX-License-Identifier: MIT */
/* Records in a file. What could not be written whole is cut back, so that the file never holds half
 * a record; a lock on it refuses a second server. A file that begins has the format's header, and
 * half a record that a crash has left is ended before the next one is written. */
#include "log/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { FILE_PARTS = SINK_PARTS + 1 };

struct sink_file_calls sink_file_calls = {writev, fdatasync, ftruncate, flock};

struct file {
	struct sink sink; /* first member: the pointer is cast between the two types */
	int descriptor;
	const struct record_format *format;
	bool regular; /* can be locked, cut and emptied; a pipe or a device cannot */
	bool uncut;   /* cutting back has failed: at `whole` half a record begins */
	off_t whole;
	const char *preface; /* to be written before the next record */
	const char *target;  /* borrowed */
};

/* Syncs the directory of the file, so that a new name is on the disk too. Some file systems cannot;
 * then the name is as safe as they make it. */
static void sync_directory(const char *target)
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
	if (*regular && sink_file_calls.flock(descriptor, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			error_set(error, "cannot log to %s: another server is logging there",
				  target);
		else
			error_set(error, "cannot lock the log %s: %s", target, strerror(errno));
		goto failed;
	}
	sync_directory(target);
	return descriptor;
failed:
	if (descriptor >= 0)
		(void)close(descriptor); /* nothing was written */
	return -1;
}

/* Reads backwards from the end to the last line end; what stands behind it is half a record. Sets
 * what ends it. Where a double quote is open in CSV, the records below would be part of it. Returns
 * false if the file cannot be read. */
static bool read_remainder(int descriptor, off_t end, struct file *file)
{
	char chunk[4096];
	bool torn = false, open_quote = false;
	while (end > 0) {
		size_t length = end < (off_t)sizeof chunk ? (size_t)end : sizeof chunk;
		end -= (off_t)length;
		if (pread(descriptor, chunk, length, end) != (ssize_t)length)
			return false;
		for (; length && chunk[length - 1] != '\n'; length--) {
			torn = true;
			open_quote ^= chunk[length - 1] == '"';
		}
		if (length)
			break;
	}
	if (torn) {
		file->preface = open_quote && file->format->quotes ? "\"\n" : "\n";
		file->sink.warning = "the line before this one is torn: the server was stopped "
				     "while it wrote it";
	}
	return true;
}

/* Sets what the next write begins with: the header in an empty file, and in a pipe or a device; the
 * end of half a record. Returns false if the file cannot be read: errno is set, and the file is
 * taken for whole. */
static bool set_preface(struct file *file)
{
	struct stat status;
	file->preface = "";
	file->sink.warning = NULL;
	if (fstat(file->descriptor, &status) < 0)
		return false;
	if (status.st_size == 0)
		file->preface = file->format->header;
	if (!file->regular)
		return true;
	int descriptor = open(file->target, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	bool read = read_remainder(descriptor, status.st_size, file);
	(void)close(descriptor); /* only read */
	return read;
}

static int prepare(struct file *file, bool append, struct error *error)
{
	if (file->regular && !append && sink_file_calls.ftruncate(file->descriptor, 0) < 0)
		return error_set(error, "cannot empty the log %s: %s", file->target,
				 strerror(errno));
	if (!set_preface(file) && append)
		return error_set(error, "cannot read the end of the log %s: %s", file->target,
				 strerror(errno));
	return 0;
}

static void file_close(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	if (file->descriptor >= 0)
		(void)close(file->descriptor); /* each write has had its own result */
	free(file);
}

static struct sink *file_open(const char *target, bool append, const struct record_format *format,
			      struct error *error)
{
	struct file *file = memory_calloc(1, sizeof *file);
	if (!file) {
		error_set(error, "cannot open the log %s: %s", target, strerror(errno));
		return NULL;
	}
	*file = (struct file){
		.sink = {.type = &sink_file, .in_flight = 1}, .target = target, .format = format};
	file->descriptor = open_locked(target, &file->regular, error);
	if (file->descriptor >= 0 && prepare(file, append, error) == 0)
		return &file->sink;
	file_close(&file->sink);
	return NULL;
}

static int cut(struct file *file)
{
	file->uncut = sink_file_calls.ftruncate(file->descriptor, file->whole) < 0;
	return file->uncut ? errno : 0;
}

/* Takes back the last `written` bytes, and returns the error that was the reason. No other
 * process writes to the file, and after an appending write the offset is the file's end. */
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

static int file_submit(struct sink *sink, struct sink_batch *batch)
{
	struct file *file = (struct file *)sink;
	struct iovec parts[FILE_PARTS] = {
		{(char *)(uintptr_t)file->preface, strlen(file->preface)}}; /* only read */
	struct iovec *next = parts;
	if (file->uncut && cut(file))
		return errno;
	memcpy(parts + 1, batch->parts, sizeof batch->parts);
	size_t total = 0;
	int count = advance(&next, FILE_PARTS, 0);
	while (count) {
		ssize_t written = sink_file_calls.writev(file->descriptor, next, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return cut_back(file, total, written ? errno : ENOSPC);
		total += (size_t)written;
		count = advance(&next, count, (size_t)written);
	}
	/* EINVAL: a pipe or a device, which has no more to give */
	if (batch->durable && sink_file_calls.fdatasync(file->descriptor) < 0 && errno != EINVAL)
		return cut_back(file, total, errno);
	file->preface = "";
	batch->stored = total;
	return 0;
}

static int file_reopen(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	struct stat old, new;
	/* the name is still this file's: opening it again would meet our own lock */
	if (fstat(file->descriptor, &old) == 0 && stat(file->target, &new) == 0 &&
	    old.st_dev == new.st_dev && old.st_ino == new.st_ino)
		return 0;
	bool regular;
	int descriptor = open_locked(file->target, &regular, error);
	if (descriptor < 0)
		return -1;
	if (file->uncut)
		(void)cut(file); /* the last chance: the old file is not written to any more */
	(void)close(file->descriptor); /* each write has had its own result */
	file->descriptor = descriptor;
	file->regular = regular;
	file->uncut = false;
	(void)set_preface(file);
	return 0;
}

const struct sink_type sink_file = {
	.name = "file",
	.open = file_open,
	.submit = file_submit,
	.reopen = file_reopen,
	.close = file_close,
};
