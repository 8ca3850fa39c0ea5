/* SPDX-License-Identifier: MIT */
/* The proof of a chain of three servers: the last one has saved what the first one has received, in
 * the order of arrival. The logs are read side by side, in bounded memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "verify/verdict.h"

struct verify_chain {
	const char *logs[3];  /* of server, process and save */
	const char *names[3]; /* of the stages, for the message */
	bool worked;	      /* process changes lines: only their numbers are compared */
	int64_t planned;      /* lines that the clients were to send */
	bool appended;	      /* the logs may hold more, of earlier runs */
};

/* 0 with the verdict; -1 with the error set: a log cannot be read. */
int verify_chain(const struct verify_chain *chain, struct verdict *verdict, struct error *error);
