/* SPDX-License-Identifier: MIT */
/* Figures in the text format of Prometheus, version 0.0.4. */
#pragma once

#include "base/buffer.h"
#include "page/figures.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends all metrics. False: out of memory. */
bool metrics_append(struct buffer *text, const struct figures *figures);
