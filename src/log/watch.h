/* SPDX-License-Identifier: MIT */
/* What the watcher of a log is told: see struct log_watcher. For writer.c and log.c; by the leader,
 * or with the log's lock while there is none. */
#pragma once

#include <stddef.h>

#include "log/item.h"

struct batch;
struct writer;

/* Sets the watcher of all records from now on, or NULL; nothing may be in flight. */
void watch_begin(struct writer *writer, struct log_watcher *watcher);

/* Records of that charge were added to the open batch; with the log's lock. */
void watch_submitted(struct writer *writer, size_t charge);

/* The first batch in flight is settled: its records are stored, with what was deferred before them,
 * or refused (0 bytes are stored). To be called when what it leaves is deferred. */
void watch_settled(struct writer *writer, struct batch *batch, size_t stored);
