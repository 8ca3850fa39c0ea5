/* SPDX-License-Identifier: MIT */
/* Three servers in a row, for a workload that is a chain: server takes lines from clients, process
 * works on them, save stores them. They are servers 0, 1 and 2 of the supervisor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runall/options.h"
#include "runall/supervisor.h"
#include "verify/verdict.h"

enum { RELAY_CHAIN_SERVERS = 3 };

/* What each is called in messages; the first also when it is alone. */
extern const char *const relay_chain_names[RELAY_CHAIN_SERVERS];

/* Adds the options of server i. It forwards to `next`, unless it is the last one. */
void relay_chain_add_arguments(const struct runall_options *options, size_t i,
			       const struct server_address *next, struct argument_list *list);

/* How long a server may take to forward its lines when it is told to end, in ns. */
int64_t relay_chain_drain(const struct runall_options *options);

/* Proves from the three logs that what was saved is what was received, in the same order. -1: the
 * error is set. */
int relay_chain_prove(const struct runall_options *options, struct verdict *verdict,
		      struct error *error);
