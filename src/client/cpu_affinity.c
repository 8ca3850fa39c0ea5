/* SPDX-License-Identifier: MIT */
#include "client/cpu_affinity.h"

#include "base/clock.h"

/* How long the herd stays where it is. Two system calls for each choice: nobody notices them. */
#define HERD_STAY (100 * CLOCK_MILLISECOND)

void cpu_affinity_init(struct cpu_affinity *herd)
{
	*herd = (struct cpu_affinity){.since = clock_now()};
	herd->split = sched_getaffinity(0, sizeof herd->allowed, &herd->allowed) == 0 &&
		      CPU_COUNT(&herd->allowed) > 1;
	herd->cpu = sched_getcpu();
}

static void put(struct cpu_affinity_place *place, int cpu)
{
	cpu_set_t only;
	CPU_ZERO(&only);
	CPU_SET((size_t)cpu, &only);
	(void)sched_setaffinity(0, sizeof only, &only);
	*place = (struct cpu_affinity_place){.put = true, .cpu = cpu};
}

void cpu_affinity_join(struct cpu_affinity *herd, struct cpu_affinity_place *place)
{
	if (!herd->split || herd->cpu < 0)
		return;
	if (place->scout) {
		/* it was woken where the system thought best */
		herd->cpu = sched_getcpu();
		herd->since = clock_now();
		herd->scouting = false;
	} else if (!herd->scouting && clock_now() - herd->since > HERD_STAY) {
		herd->scouting = true;
		(void)sched_setaffinity(0, sizeof herd->allowed, &herd->allowed);
		*place = (struct cpu_affinity_place){.scout = true};
		return;
	}
	if (!place->put || place->cpu != herd->cpu)
		put(place, herd->cpu);
}
