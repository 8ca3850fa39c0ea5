/* SPDX-License-Identifier: MIT */
/* The lines that clients of ok and echo send, and how lines are shown in messages:
 *   Thread K, iteration I
 *   Hello from client C, message I */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "record/escape.h"

struct client_line {
	int64_t thread;	   /* from 0 */
	int64_t iteration; /* from 1; 0 in a zeroed struct, which is no line */
	int64_t client;	   /* from 1; 0 in a line that names no client */
};

/* Longest text of such a line, with its NUL. */
#define CLIENT_LINE_SIZE 96

/* False: the bytes are not exactly such a line. */
bool client_line_read(struct slice bytes, struct client_line *line);

void client_line_write(const struct client_line *line, char text[CLIENT_LINE_SIZE]);

bool client_line_same(const struct client_line *one, const struct client_line *other);

/* Writes bytes of a log for a message, as record_excerpt(): what the log has escaped is not escaped
 * again. Returns the excerpt. */
const char *log_excerpt(char excerpt[EXCERPT_SIZE], struct slice bytes);
