/* SPDX-License-Identifier: MIT */
/* Templates of lines (-message): %t is the thread, from 0, %i its iteration, %n the number of the
 * line among all, %c the number of the client, each from 1, and %% a percent sign. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct line_template_values {
	uint64_t thread, iteration, number, client;
};

#define LINE_TEMPLATE_LETTERS "tinc%"

/* Checks the text of an option in which `letters` stand for something behind a percent sign.
 * Returns 0, or -1 with an error that names the option and what it must not contain. */
int line_template_check(const char *option, const char *letters, const char *text,
			struct error *error);

/* Appends a checked template with its values, without a line end. False: out of memory. */
bool line_template_compose(struct buffer *line, const char *message,
			   const struct line_template_values *values);

/* Appends dots up to a size in bytes. False: out of memory. */
bool line_template_pad(struct buffer *line, size_t size);
