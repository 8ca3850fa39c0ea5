/* SPDX-License-Identifier: MIT */
/* What the parts of the service chars share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "service/charset.h"
#include "service/table.h"

#define CHARS_STAT "stat " /* before a count */

enum {
	CHARS_BURST_MAX = 1000,
	CHARS_STAT_SIZE = 32,
	CHARS_ALPHABET_SIZE = 128, /* of its description, with a NUL */
	CHARS_KEPT = 16384,	   /* characters for the console */
};

struct chars {
	struct task task;	    /* first member: the pointer is cast between the two types */
	struct reply_target target; /* counts a burst, then broadcasts it */
	struct service_settings settings;
	struct range delay;

	/* for the owner of the burst: the timer queue's thread, or the leader that commits it */
	uint64_t random;
	char message[sizeof "chars " + CHARS_BURST_MAX];
	size_t length; /* 0: none is drawn */
	int64_t pause; /* ns, after it */

	atomic_bool draining;
	atomic_uint_fast64_t generated; /* characters in all */
	atomic_uint_fast64_t since;	/* the last stat */

	pthread_mutex_t lock; /* a leaf */
	/* under the lock: what bursts are drawn from, and the last characters that were sent */
	struct charset charset;
	char alphabet[CHARS_ALPHABET_SIZE]; /* that describes it */
	struct range burst;
	uint64_t end; /* how many characters there were */
	char kept[CHARS_KEPT];
};

/* Adds the counts in answers that were not sent to the next one. */
void chars_give_back(void *chars, const char *answers, size_t length);

/* Characters are in the log and sent: keeps them for the console. */
void chars_keep(struct chars *chars, const char *characters, size_t length);

extern const struct service_console chars_console;
