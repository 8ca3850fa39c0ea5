/* SPDX-License-Identifier: MIT */
/* Figures in the text format of Prometheus, version 0.0.4. */
#pragma once

#include "base/buffer.h"
#include "page/figures.h"

/* Appends all metrics. False: out of memory. */
bool metrics_append(struct buffer *text, const struct figures *figures);
