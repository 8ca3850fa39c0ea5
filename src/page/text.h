/* SPDX-License-Identifier: MIT */
/* Text for people, in HTML and in JSON: what comes from the log or a peer is hostile. The functions
 * that return bool return false when memory is out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* As the content of an element or of an attribute in quotes. */
bool text_append_html(struct buffer *buffer, struct slice text);
/* As a JSON string, with its quotes; the text is UTF-8. */
bool text_append_json(struct buffer *buffer, struct slice text);

/* The text, or its first whole characters, `max` bytes at the most. Bytes at the front that are the
 * rest of a character are left out. */
struct slice text_excerpt(struct slice text, size_t max);

enum { TEXT_NUMBER_SIZE = 32 };

/* 1234567 as "1,234,567"; bytes as "1.2 MB"; nanoseconds with a unit, "–" for 0; seconds as
 * "1 d 2 h" or "3 min 4 s". */
void text_number(double number, char text[TEXT_NUMBER_SIZE]);
void text_bytes(double bytes, char text[TEXT_NUMBER_SIZE]);
void text_duration(double nanoseconds, char text[TEXT_NUMBER_SIZE]);
void text_period(double seconds, char text[TEXT_NUMBER_SIZE]);
