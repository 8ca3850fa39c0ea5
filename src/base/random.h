/* SPDX-License-Identifier: MIT */
/* Random numbers that can be had again: all that is left to chance in a run follows from one seed.
 * splitmix64 by Sebastiano Vigna (https://prng.di.unimi.it/splitmix64.c, public domain): fast and
 * well mixed, and no secret. */
#ifndef ACKLINE_BASE_RANDOM_H
#define ACKLINE_BASE_RANDOM_H

#include <stdint.h>

/* A state is one number, and any number is a good one; the seed is the first. */
uint64_t random_next(uint64_t *state);

/* A number from min to max, both possible; max - min may be anything below UINT64_MAX. */
int64_t random_between(uint64_t *state, int64_t min, int64_t max);

/* The state that belongs to a seed and two numbers, such as a client and a request of it: what is
 * drawn from it does not depend on what was drawn for others before. */
uint64_t random_state(uint64_t seed, uint64_t one, uint64_t other);

/* A seed that nobody can tell before, short enough to be typed: 1 to 999999. */
int64_t random_fresh_seed(void);

#endif
