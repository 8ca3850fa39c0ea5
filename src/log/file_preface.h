/* SPDX-License-Identifier: MIT */
/* The state of a log file, and what has to be written before the next record: the header of a file
 * that begins, and the end of half a record. For sink_file.c. */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/append_file.h"
#include "base/error.h"
#include "log/sink.h"

enum { FILE_PARTS = SINK_PARTS + 1 };

struct file {
	struct sink sink; /* first member: the pointer is cast between the two types */
	struct append_file file;
	const struct log_settings *settings; /* borrowed */
	const char *target;		     /* a part of theirs */
	const char *preface;		     /* to be written before the next record */
	bool warned;			     /* of a directory that cannot be synced */
	off_t length;			     /* bytes */
	uint64_t number;     /* of the file that was closed last, as far as it is known */
	int64_t retry_pause; /* ns, between tries to begin a new file; 0: the last one succeeded */
	char note[PATH_MAX + 64 + sizeof(struct error)];
};

/* Sets what the next write begins with: the header in an empty file, and in a pipe or a device; the
 * end of half a record. -1: the log cannot be continued, and the error is set; a caller that
 * ignores this continues it as if its last record were whole. */
int file_set_preface(struct file *file, struct error *error);

/* The same when a write has failed, and its first bytes stay in the target. */
void file_end_partial(struct file *file, const struct iovec parts[FILE_PARTS]);
