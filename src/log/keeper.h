/* SPDX-License-Identifier: MIT */
/* What becomes of the closed files of a log: the oldest are deleted, and those that are not yet are
 * compressed by a command with the lowest priority, one at a time. A thread does both, so that no
 * commit waits for it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/process.h"
#include "log/rotation.h"

/* Who reads the closed files: see keeper_protect(). */
struct keeper_guard {
	/* Sets the first file of the log that is read yet, and up to which number closed files are
	 * those of another log. `noted`: as a later start of the server will have it. Any thread;
	 * must not block. */
	void (*needed)(struct keeper_guard *guard, bool noted, struct file_id *first,
		       uint64_t *behind);
};

/* Zeroed, it is ready for keeper_init(). */
struct keeper {
	struct log_rotation rotation; /* first member: the pointer is cast between the two types */
	const char *log;	      /* the name of the file */
	struct limit keep;
	const char *compress;
	bool guarded;
	_Atomic(struct keeper_guard *) guard; /* NULL: none yet, or no more */
	void (*warn)(const char *message);
	bool running;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool woken, stopping, ended; /* under the lock */
	/* the thread's */
	struct process command;
	char *file;	/* that the command runs with; owned */
	uint64_t tried; /* no file up to that number is compressed again */
	bool warned;	/* that a file cannot be deleted */
	bool unlisted;	/* that none can be found */
};

/* Sets what is done when files are closed, before the log is opened with the rotation, whose limits
 * are set by the caller. `keep`: how many closed files there may be, how many bytes they may have,
 * or how long each is kept since it was closed; value 0: all are kept. The file that the log goes
 * on from is kept in any case, as long as the log needs it. If there is no space for a batch, the
 * oldest closed files are deleted, too, if `keep` is a number or bytes. `compress`: a shell
 * command, which gets the name of a file as its last argument; NULL: none. `warn`: as in struct
 * log_settings. `guarded`: files are neither deleted nor compressed before there is a guard. All is
 * borrowed. */
void keeper_init(struct keeper *keeper, const char *log, struct limit keep, const char *compress,
		 bool guarded, void (*warn)(const char *message));

/* Sets who needs files; NULL: any file may be needed. It may still be called by the leader of a
 * commit that has begun. */
void keeper_protect(struct keeper *keeper, struct keeper_guard *guard);

/* Files are needed no longer. Any thread. */
void keeper_wake(struct keeper *keeper);

/* Begins, also with the files that are closed already: once the services have read what they need
 * of those, and noted it anew. -1: the error is set. */
int keeper_start(struct keeper *keeper, struct error *error);

/* Ends the thread, and the command that runs, with all its processes: by SIGTERM and, after a
 * second, by SIGKILL. To be called before the log is closed. Accepts one that was not started. A
 * thread that has not ended after three seconds, as a disk that hangs can hold it, is left behind,
 * which is warned of: it uses the keeper, and nothing else, if it ever goes on. */
void keeper_stop(struct keeper *keeper);
