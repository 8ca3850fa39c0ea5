/* SPDX-License-Identifier: MIT */
/* A server with the service once, in world.h's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Opens it for so many connections, with the log, which begins anew; "late:" and "hook:" are those
 * of sinks.h. Each connection receives in its own thread, or in a group. */
void once_open(const char *log, size_t connections, bool own);
/* Ends all connections, and the server. */
void once_close(void);
