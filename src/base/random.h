/* SPDX-License-Identifier: MIT */
/* Reproducible random numbers: all random choices of a run follow from one seed. Not for secrets.
 * splitmix64 by Sebastiano Vigna (https://prng.di.unimi.it/splitmix64.c, public domain). */
#pragma once

#include <stdint.h>

#include "base/parse.h"

/* Returns the next number. The state may start at any number, such as the seed. */
uint64_t random_next(uint64_t *state);
/* Returns a number of a range, both ends included; max - min must be below UINT64_MAX. */
int64_t random_in(uint64_t *state, const struct range *range);

/* Returns the state for a seed and two numbers, such as a client and its request: its numbers do
 * not depend on those drawn for others. */
uint64_t random_state(uint64_t seed, uint64_t one, uint64_t other);

/* Returns an unpredictable number that no other call returns, most likely. */
uint64_t random_id(void);

/* Returns an unpredictable seed that is short enough to type, 1 to 999999. */
int64_t random_fresh_seed(void);
