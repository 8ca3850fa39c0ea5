/* SPDX-License-Identifier: MIT */
#include "client/cpu_affinity.h"

#include "base/clock.h"
#include "fake_clock.h"
#include "unit.h"

static cpu_set_t before;
static void begin(void)
{
	ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
}

static cpu_set_t affinity(void)
{
	cpu_set_t set;
	ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
	return set;
}

static bool is_only(int cpu)
{
	cpu_set_t set = affinity();
	return CPU_COUNT(&set) == 1 && CPU_ISSET((size_t)cpu, &set);
}

static bool is_free(void)
{
	cpu_set_t set = affinity();
	return CPU_EQUAL(&set, &before);
}

START_TEST(the_running_thread_joins_the_group)
{
	struct cpu_affinity group;
	struct cpu_affinity_place place = {0};
	cpu_affinity_init(&group);
	if (group.cpu < 0)
		return; /* one CPU: see below */
	cpu_affinity_join(&group, &place);
	ck_assert(is_only(group.cpu));
	/* it was elsewhere in the meantime */
	int other = 0;
	while (other == group.cpu || !CPU_ISSET((size_t)other, &before))
		other++;
	group.cpu = other;
	cpu_affinity_join(&group, &place);
	ck_assert(is_only(other));
}
END_TEST

START_TEST(after_a_while_one_thread_is_a_probe)
{
	struct cpu_affinity group;
	struct cpu_affinity_place place = {0}, waiting = {0};
	cpu_affinity_init(&group);
	if (group.cpu < 0)
		return;
	cpu_affinity_join(&group, &place);
	group.since -= CLOCK_SECOND;
	cpu_affinity_join(&group, &place);
	ck_assert(is_free());
	ck_assert(group.probing);
	/* no second one goes, however long it takes */
	cpu_affinity_join(&group, &waiting);
	ck_assert(is_only(group.cpu));
	cpu_affinity_join(&group, &place);
	ck_assert(!group.probing);
	ck_assert(is_only(group.cpu));
	ck_assert_int_eq(group.since, clock_now());
}
END_TEST

START_TEST(on_one_cpu_nothing_is_done)
{
	struct cpu_affinity group;
	struct cpu_affinity_place place = {0};
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	cpu_affinity_init(&group);
	ck_assert_int_eq(group.cpu, -1);
	group.since -= CLOCK_SECOND;
	cpu_affinity_join(&group, &place);
	ck_assert(!place.bound && !group.probing);
}
END_TEST

/* What was not allowed when the program was started stays so. */
START_TEST(the_group_stays_where_it_is_allowed)
{
	struct cpu_affinity group;
	struct cpu_affinity_place place = {0};
	cpu_affinity_init(&group);
	for (int i = 0; i < 100; i++) {
		group.since -= CLOCK_SECOND;
		cpu_affinity_join(&group, &place);
		cpu_set_t set = affinity(), both;
		CPU_AND(&both, &set, &before);
		ck_assert(CPU_EQUAL(&both, &set));
	}
}
END_TEST

int main(void)
{
	fake_clock_use();
	fake_clock_stop();
	TCase *cases = tcase_create("cpu_affinity");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, the_running_thread_joins_the_group);
	tcase_add_test(cases, after_a_while_one_thread_is_a_probe);
	tcase_add_test(cases, on_one_cpu_nothing_is_done);
	tcase_add_test(cases, the_group_stays_where_it_is_allowed);
	return unit_main("cpu_affinity", cases, NULL);
}
