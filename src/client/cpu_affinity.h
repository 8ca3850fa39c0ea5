/* SPDX-License-Identifier: MIT */
/* Threads of which only one works at a time have no use for a second CPU: handing on to one that
 * sleeps on another CPU costs an interrupt there and a cold cache here. A herd keeps them on one
 * CPU, and lets the system choose anew which one, several times a second. */
#ifndef ACKLINE_CLIENT_CPU_AFFINITY_H
#define ACKLINE_CLIENT_CPU_AFFINITY_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct cpu_affinity {
	cpu_set_t allowed; /* of the thread that made it */
	bool split;	   /* there is more than one to choose from */
	bool scouting;	   /* a thread is free, and the herd will be where it is woken next */
	int cpu;	   /* where the herd is */
	int64_t since;	   /* ns, when that was chosen */
};

/* Where one thread of it is; zeroed, it belongs to the herd and was not yet put anywhere. */
struct cpu_affinity_place {
	bool put, scout;
	int cpu;
};

void cpu_affinity_init(struct cpu_affinity *herd);

/* Called by whoever works, when it begins: moves the calling thread to the herd. Never fails: what
 * the system refuses stays as it is, and costs only speed. */
void cpu_affinity_join(struct cpu_affinity *herd, struct cpu_affinity_place *place);

#endif
