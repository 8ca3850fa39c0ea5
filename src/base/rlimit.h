/* SPDX-License-Identifier: MIT */
/* The limit of open descriptors. */
#ifndef ACKLINE_BASE_RLIMIT_H
#define ACKLINE_BASE_RLIMIT_H

#include <stdint.h>

/* Raises the soft limit to the hard limit. Returns the soft limit as it is then, whether or not it
 * could be raised. Child processes inherit it. */
uint64_t rlimit_raise_descriptors(void);

#endif
