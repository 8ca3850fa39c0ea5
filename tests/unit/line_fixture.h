/* SPDX-License-Identifier: MIT */
/* What a line splitter gives, in one string. */
#pragma once

#include "base/buffer.h"
#include "net/line_splitter.h"

/* Appends all lines that are there, as "<line>" each, and "!" for one that is too long. */
void take_lines(struct line_splitter *splitter, struct buffer *seen);
