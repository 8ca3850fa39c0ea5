/* SPDX-License-Identifier: MIT */
/* Records in a file. One that begins has the format's header, and half a record that a crash has
 * left is ended before the next one is written. */
#include "log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/memory.h"

enum { FILE_PARTS = SINK_PARTS + 1 };

struct file {
	struct sink sink; /* first member: the pointer is cast between the two types */
	struct append_file file;
	const struct record_format *format;
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
		file->preface = open_quote && file->format->quotes ? "\"\n" : file->format->torn;
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
	if (fstat(file->file.descriptor, &status) < 0)
		return false;
	if (status.st_size == 0)
		file->preface = file->format->header;
	if (!file->file.regular)
		return true;
	int descriptor = open(file->target, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	bool read = read_remainder(descriptor, status.st_size, file);
	(void)close(descriptor); /* only read */
	return read;
}

/* Refuses to go on with a log that the format cannot: -1, and the error is set. */
static int check_head(const struct file *file, struct error *error)
{
	char head[64];
	int descriptor = file->format->continues && file->file.regular
				 ? open(file->target, O_RDONLY | O_CLOEXEC)
				 : -1;
	if (descriptor < 0)
		return 0;
	ssize_t length = pread(descriptor, head, sizeof head, 0);
	(void)close(descriptor); /* only read */
	if (length <= 0 || file->format->continues(head, (size_t)length))
		return 0;
	return error_set(error, "cannot append to the log %s: its records are of another format",
			 file->target);
}

static void file_close(struct sink *sink)
{
	struct file *file = (struct file *)sink;
	append_file_close(&file->file);
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
	if (append_file_open(&file->file, target, !append, error) == 0) {
		sync_directory(target);
		if (!set_preface(file) && append)
			error_set(error, "cannot read the end of the log %s: %s", target,
				  strerror(errno));
		else if (check_head(file, error) == 0)
			return &file->sink;
	}
	file_close(&file->sink);
	return NULL;
}

static int file_submit(struct sink *sink, struct sink_batch *batch)
{
	struct file *file = (struct file *)sink;
	struct iovec parts[FILE_PARTS] = {
		{(char *)(uintptr_t)file->preface, strlen(file->preface)}}; /* only read */
	memcpy(parts + 1, batch->parts, sizeof batch->parts);
	ssize_t written = append_file_write(&file->file, parts, FILE_PARTS, batch->durable);
	if (written < 0)
		return errno;
	file->preface = "";
	batch->stored = (size_t)written;
	return 0;
}

static int file_reopen(struct sink *sink, struct error *error)
{
	struct file *file = (struct file *)sink;
	struct stat old, new;
	/* the name is still this file's: opening it again would meet our own lock */
	if (fstat(file->file.descriptor, &old) == 0 && stat(file->target, &new) == 0 &&
	    old.st_dev == new.st_dev && old.st_ino == new.st_ino)
		return 0;
	struct append_file opened;
	if (append_file_open(&opened, file->target, false, error) < 0) {
		append_file_close(&opened);
		return -1;
	}
	sync_directory(file->target);
	append_file_close(&file->file);
	file->file = opened;
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
