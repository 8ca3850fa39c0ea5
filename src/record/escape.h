/* SPDX-License-Identifier: MIT */
/* Bytes made printable and kept on one line. What could end the line or act on a terminal becomes
 * \xNN. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Appends bytes. Valid UTF-8 stays as it is. Control bytes (C0, DEL, C1), line and paragraph
 * separators, bidirectional controls and invalid UTF-8 become \xNN, byte by byte. A backslash
 * before an x becomes \x5c, so that every \x in the output is an escape; any other stays. False:
 * out of memory, and nothing has changed. */
bool record_escape(struct buffer *buffer, const char *bytes, size_t length);

/* Writes bytes for a message: the first 80 at most, escaped, with "..." where more were given.
 * Returns the excerpt. */
enum { EXCERPT_MAX = 80, EXCERPT_SIZE = 4 * EXCERPT_MAX + sizeof "..." };
const char *record_excerpt(char excerpt[EXCERPT_SIZE], const char *bytes, size_t length);

/* The inverse of record_escape(), in place. Returns the length of the original bytes. */
size_t record_unescape(char *bytes, size_t length);

/* Appends bytes of which some are escaped already: these stay as they are. Else as record_escape().
 */
bool record_escape_rest(struct buffer *buffer, const char *bytes, size_t length);

/* Inserts the mark before each mark and each `other` from offset start on. False: out of memory,
 * and nothing has changed. */
bool record_mark(struct buffer *buffer, size_t start, char mark, char other);
