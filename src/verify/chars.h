/* SPDX-License-Identifier: MIT */
/* The proof of a run with chars. The order of the log is the order in which things left: between
 * two questions of a client stand just the messages that it has got between the two answers. So
 * each client's result fixes which messages it has got, and they have to be all of them, as they
 * are in the log; and the counts have to add up to what was generated. */
#ifndef ACKLINE_VERIFY_CHARS_H
#define ACKLINE_VERIFY_CHARS_H

#include "base/error.h"
#include "verify/verdict.h"

/* As verify_run(). Reads the log twice; memory grows with clients only. */
int verify_chars(const struct verify_job *run, struct verdict *verdict, struct error *error);

#endif
