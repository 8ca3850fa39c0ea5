/* SPDX-License-Identifier: MIT */
#include "client/cpu_affinity.h"

#include "base/clock.h"

/* How long the group stays on a CPU. A probe costs two system calls. */
#define GROUP_STAY (100 * CLOCK_MILLISECOND)

void cpu_affinity_init(struct cpu_affinity *group)
{
	*group = (struct cpu_affinity){.since = clock_now(), .cpu = -1};
	if (sched_getaffinity(0, sizeof group->allowed, &group->allowed) == 0 &&
	    CPU_COUNT(&group->allowed) > 1)
		group->cpu = sched_getcpu();
}

static void bind_to(struct cpu_affinity_place *place, int cpu)
{
	cpu_set_t only;
	CPU_ZERO(&only);
	CPU_SET((size_t)cpu, &only);
	(void)sched_setaffinity(0, sizeof only, &only); /* costs only speed */
	*place = (struct cpu_affinity_place){.bound = true, .cpu = cpu};
}

void cpu_affinity_join(struct cpu_affinity *group, struct cpu_affinity_place *place)
{
	if (group->cpu < 0)
		return;
	if (place->probe) {
		group->cpu = sched_getcpu();
		group->since = clock_now();
		group->probing = false;
	} else if (!group->probing && clock_now() - group->since > GROUP_STAY) {
		group->probing = true;
		(void)sched_setaffinity(0, sizeof group->allowed, &group->allowed);
		*place = (struct cpu_affinity_place){.probe = true};
		return;
	}
	if (!place->bound || place->cpu != group->cpu)
		bind_to(place, group->cpu);
}
