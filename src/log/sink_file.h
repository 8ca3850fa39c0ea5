/* SPDX-License-Identifier: MIT */
/* The log file, and the seam by which tests let its system calls fail. */
#pragma once

#include <sys/types.h>

#include "log/sink.h"

extern const struct sink_type sink_file;

/* As the functions of libc, which they point to. Only tests set them, before they open a sink. */
struct sink_file_calls {
	ssize_t (*writev)(int descriptor, const struct iovec *parts, int count);
	int (*fdatasync)(int descriptor);
	int (*ftruncate)(int descriptor, off_t length);
	int (*flock)(int descriptor, int operation);
};
extern struct sink_file_calls sink_file_calls;
