/* SPDX-License-Identifier: MIT */
/* How much memory the process may use. */
#pragma once

#include <stdint.h>

/* Returns bytes: the machine's memory, or the limit of a control group that the process is in
 * (version 1 or 2), if that is less. Swap space is not counted. What cannot be read is no limit;
 * UINT64_MAX: nothing could be read. */
uint64_t system_memory(void);

/* The directory under which /proc and /sys are looked for, "" by default. Only tests set it. */
extern const char *system_memory_root;
