/* SPDX-License-Identifier: MIT */
/* Figures in the text format of Prometheus, version 0.0.4. Each name gets the prefix "ackline_". */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* `failed` is set once memory is out; then nothing more is appended. */
struct exposition {
	struct buffer *text; /* borrowed */
	bool failed;
};

/* The head of a metric of that type ("counter", "gauge", "histogram"). */
void exposition_head(struct exposition *output, const char *name, const char *type,
		     const char *help);

/* A value of the metric whose head was appended last. `labels` is empty or "{NAME=\"VALUE\"}". */
void exposition_value(struct exposition *output, const char *name, const char *labels,
		      double number);

/* A metric with one value. */
void exposition_one(struct exposition *output, const char *name, const char *type, const char *help,
		    double number);

/* What each program tells, by the conventions: without the prefix. `start`: when it started, in
 * seconds since the epoch. */
void exposition_process(struct exposition *output, double start);
