/* SPDX-License-Identifier: MIT */
#include "client/cpu_affinity.h"

#include "base/clock.h"
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

START_TEST(who_works_is_with_the_herd)
{
	struct cpu_affinity herd;
	struct cpu_affinity_place place = {0};
	cpu_affinity_init(&herd);
	if (!herd.split)
		return; /* one CPU: see below */
	cpu_affinity_join(&herd, &place);
	ck_assert(is_only(herd.cpu));
	/* it was elsewhere in the meantime */
	int other = 0;
	while (other == herd.cpu || !CPU_ISSET((size_t)other, &before))
		other++;
	herd.cpu = other;
	cpu_affinity_join(&herd, &place);
	ck_assert(is_only(other));
}
END_TEST

START_TEST(after_a_while_one_is_free_to_lead_it_elsewhere)
{
	struct cpu_affinity herd;
	struct cpu_affinity_place place = {0}, waiting = {0};
	cpu_affinity_init(&herd);
	if (!herd.split)
		return;
	cpu_affinity_join(&herd, &place);
	herd.since -= CLOCK_SECOND;
	cpu_affinity_join(&herd, &place);
	ck_assert(is_free());
	ck_assert(herd.scouting);
	/* no second one goes, however long it takes */
	cpu_affinity_join(&herd, &waiting);
	ck_assert(is_only(herd.cpu));
	cpu_affinity_join(&herd, &place);
	ck_assert(!herd.scouting);
	ck_assert(is_only(herd.cpu));
	ck_assert_int_lt(clock_now() - herd.since, CLOCK_SECOND / 2);
}
END_TEST

START_TEST(on_one_cpu_nothing_is_done)
{
	struct cpu_affinity herd;
	struct cpu_affinity_place place = {0};
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	cpu_affinity_init(&herd);
	ck_assert(!herd.split);
	herd.since -= CLOCK_SECOND;
	cpu_affinity_join(&herd, &place);
	ck_assert(!place.put && !herd.scouting);
}
END_TEST

/* What was not allowed when the program was started stays so. */
START_TEST(the_herd_stays_where_it_is_allowed)
{
	struct cpu_affinity herd;
	struct cpu_affinity_place place = {0};
	cpu_affinity_init(&herd);
	for (int i = 0; i < 100; i++) {
		herd.since -= CLOCK_SECOND;
		cpu_affinity_join(&herd, &place);
		cpu_set_t set = affinity(), both;
		CPU_AND(&both, &set, &before);
		ck_assert(CPU_EQUAL(&both, &set));
	}
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("herd");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, who_works_is_with_the_herd);
	tcase_add_test(cases, after_a_while_one_is_free_to_lead_it_elsewhere);
	tcase_add_test(cases, on_one_cpu_nothing_is_done);
	tcase_add_test(cases, the_herd_stays_where_it_is_allowed);
	return unit_main("herd", cases, NULL);
}
