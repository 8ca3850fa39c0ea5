/* SPDX-License-Identifier: MIT */
/* What the files of record share; nobody else includes this. record.c has the text, record_fields.c
 * the formats that are made of fields, record_pair.c the one of requests with their answers. */
#ifndef ACKLINE_RECORD_SCAN_H
#define ACKLINE_RECORD_SCAN_H

#include "record/format.h"

enum { STAMP_LENGTH = 19 }; /* of the local time, up to the second */

/* As record_append() and record_read(), for CSV and JSON only. */
bool record_append_fields(struct buffer *text, enum record_format format, const struct stamp *stamp,
			  const struct record *record);
bool record_read_fields(char *line, size_t length, enum record_format format,
			struct record_view *view);

/* As record_append(), for RECORD_PAIRS only. */
bool record_append_pair(struct buffer *text, const struct stamp *stamp,
			const struct record *record);

/* Writes a point and the first digits, 6 at most, of the fraction of the second; returns what
 * follows. */
char *record_put_fraction(char *out, const struct stamp *stamp, int digits);

/* Each steps over what it is asked for, or returns false and stays: a word; a shape, in which d
 * stands for a digit and + for a sign; the first that is there of names that end in NULL. */
bool record_read_word(char **at, const char *end, const char *word);
bool record_read_shape(char **at, const char *end, const char *shape);
bool record_read_name(char **at, const char *end, const char *const *names, int *index);

#endif
