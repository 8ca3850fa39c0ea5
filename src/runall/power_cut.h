/* SPDX-License-Identifier: MIT */
/* What the files of the drill by power cuts share. A function that returns int returns 0, or -1
 * with the error set. */
#pragma once

#include <limits.h>

#include "power/disk.h"
#include "power/promise.h"
#include "runall/context.h"

enum { POWER_PATH = PATH_MAX - 256 };

struct power_cuts {
	struct runall *runall;
	char scratch[PATH_MAX - 512]; /* owned directory; empty: there is none */
	char recorded[POWER_PATH], tried[POWER_PATH], kept[POWER_PATH];
	char log[256]; /* its name in each; of a chain that of the first server */
	struct server_address addresses[RELAY_CHAIN_SERVERS];
	const char *type;	 /* and what stands before it: "sqlite:" */
	struct promise promise;	 /* as of the present moment of a recording */
	struct promise next;	 /* as of the state that the next recording begins with */
	struct disk_image begin; /* that state */
	bool has_next;
	uint64_t random;
	int64_t states, lost, recordings;
	uint64_t calls, promised;
	struct error first; /* what is wrong with the first state that is */
};

/* --- power_scratch.c --- */

/* Sets what the log is called, and makes the directories that states are in; removes them, but for
 * a state that is kept. */
int scratch_begin(struct power_cuts *cuts, struct error *error);
void scratch_end(struct power_cuts *cuts);
/* Makes the directory of a state that is kept. */
int scratch_keep(struct power_cuts *cuts, struct error *error);

/* The target of -log of server i in a directory. */
void scratch_target(const struct power_cuts *cuts, const char *directory, size_t i,
		    char target[PATH_MAX]);
/* The bytes of all files in it. */
int64_t scratch_size(const char *directory);
/* Removes all its files. */
void scratch_empty(const char *directory);

/* --- power_record.c --- */

/* Executes a program without its stderr: of many servers and clients it would be too much. As the
 * `run` of a supervisor. */
int power_run_silently(void *unused, const char *path, char *const *argv);

/* Starts server i in a directory, on a port. */
int power_start(struct power_cuts *cuts, const char *directory, size_t i, int port,
		struct error *error);

/* Runs the servers and clients on the directory `recorded`, and kills the server in the middle. The
 * trace is written to a descriptor. */
int power_record(struct power_cuts *cuts, int trace, struct error *error);

/* --- power_state.c --- */

/* Tries an image: starts the server from it, sends it lines, and checks its log. 0; 1: it has
 * failed, and the error says how; -1: it could not be tried. */
int power_state_try(struct power_cuts *cuts, const struct disk_image *image, struct error *error);
