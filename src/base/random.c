/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"

enum { RANDOM_SEEDS = 999999 };

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t random_next(uint64_t *state)
{
	return mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

int64_t random_in(uint64_t *state, const struct range *range)
{
	uint64_t min = (uint64_t)range->min, choices = (uint64_t)range->max - min + 1;
	/* the remainder favours small numbers by less than choices / 2^64 */
	return (int64_t)(min + random_next(state) % choices);
}

uint64_t random_state(uint64_t seed, uint64_t one, uint64_t other)
{
	return mix(mix(mix(seed) ^ one) ^ other);
}

uint64_t random_id(void)
{
	uint64_t seed;
	/* early at boot the kernel may have none yet */
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
		seed = (uint64_t)clock_now();
		seed = random_next(&seed);
	}
	return seed;
}

int64_t random_fresh_seed(void)
{
	return (int64_t)(random_id() % RANDOM_SEEDS) + 1;
}
