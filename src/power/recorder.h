/* SPDX-License-Identifier: MIT */
/* Runs a program and records a trace of it: by ptrace(), with a seccomp filter that stops the
 * threads of the program, and of those that it starts, only at the system calls that matter. So the
 * program needs nothing for it, and a library that it uses is seen as well. Not seen are changes
 * through mappings, io_uring, splice() and copy_file_range(). */
#pragma once

#include <signal.h>
#include <stdbool.h>

#define RECORDER_KILL SIGUSR1

/* It was built with the kernel's headers; otherwise recorder_run() must not be called. */
extern const bool recorder_is_built;
#define RECORDER_MISSING                                                                           \
	"-power: this program is built without the kernel's headers: install them "                \
	"(linux-libc-dev, linux-headers on Alpine), and run configure and make again"

struct recorder {
	const char *directory; /* whose files are observed; as realpath() gives it */
	int trace;	       /* where the trace is written, as trace_read() takes it */
	bool files_only;       /* connections are left out */
};

/* Executes the program in a child of the calling process, and records until all processes that came
 * of it have ended; SIGTERM and SIGINT are handed on to the program, and RECORDER_KILL kills it:
 * before its next sync, if one comes soon.
 * Returns its status; 127 where it could not be executed or traced, and stderr says why; 128 and
 * the number of the signal that has killed it. The context is a struct recorder. To be called in a
 * process that does nothing else, as the `run` of process_setup. */
int recorder_run(void *context, const char *path, char *const *argv);
