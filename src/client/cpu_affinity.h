/* SPDX-License-Identifier: MIT */
/* A CPU affinity group: threads of which only one runs at a time share one CPU. Waking a thread on
 * another CPU would cost an interrupt there and a cold cache. Several times a second one thread
 * runs unbound, as a probe: the group follows to the CPU that the scheduler chose for it. */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct cpu_affinity {
	cpu_set_t allowed; /* of the thread that initialised the group */
	bool probing;	   /* a thread is unbound */
	int cpu;	   /* where the group is; -1: nothing is done, as there is no choice */
	int64_t since;	   /* ns, when that was chosen */
};

/* A thread of a group; zeroed: not bound yet. */
struct cpu_affinity_place {
	bool bound, probe;
	int cpu;
};

void cpu_affinity_init(struct cpu_affinity *group);

/* Moves the calling thread, which is the one that runs, to the CPU of the group. Where the system
 * refuses, the thread stays where it is. */
void cpu_affinity_join(struct cpu_affinity *group, struct cpu_affinity_place *place);
