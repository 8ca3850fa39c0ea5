/* SPDX-License-Identifier: MIT */
/* One record of the log, and the formats that it is written in. A record is one line, for any
 * bytes: see record/escape.h. A service may name a format that no option names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "record/timestamp.h"

enum record_level { RECORD_INFO, RECORD_WARNING };

/* What a record reports: a line, or a note on its subject. */
enum record_event {
	RECORD_RECEIVED,
	RECORD_SENT,
	RECORD_IGNORED, /* a line that gets no answer, on purpose */
	RECORD_NOTE,
};

/* The subject of the server's own notes. */
#define RECORD_SERVER "server"

/* What a service adds to a record. A format writes the fields that it has a place for. */
struct record_field {
	const char *name; /* NULL ends the list */
	struct slice value;
};

struct record {
	enum record_level level;
	enum record_event event;
	const char *subject; /* the address of a connection, or RECORD_SERVER */
	const char *bytes;   /* the line, or the message of a note */
	size_t length;
	const struct record_field *fields; /* NULL: none */
};

/* A record that was read. The slices lead into its line; the format's quoting is undone. */
struct record_view {
	enum record_level level;
	enum record_event event;
	struct slice time;	     /* text: 19, 23 or 26 bytes, by the digits; CSV, JSON: 32 */
	struct slice subject, bytes; /* still escaped */
};

struct record_format {
	/* Appends the record with its line end, or nothing where the format leaves it out. False:
	 * out of memory, and nothing has changed. */
	bool (*append)(const struct record_format *format, struct buffer *buffer,
		       const struct stamp *stamp, const struct record *record);
	/* As record_read(), for this format only; NULL: not readable as a record_view. */
	bool (*read)(const struct record_format *format, char *line, size_t length,
		     struct record_view *view);
	int digits;	    /* of the fraction of a second */
	const char *header; /* first line of a log, with its line end; empty: none */
	bool quotes;	    /* a record cut short may leave a double quote open */
};

extern const struct record_format record_text, record_csv, record_json;
/* Text with more digits of the time. */
extern const struct record_format record_milliseconds, record_microseconds;

/* The formats that an option names, and their names, in the same order; NULL at the end. */
extern const struct record_format *const record_formats[];
extern const char *const record_format_names[];

/* Reads a line of text, CSV or JSON, without its line end. Undoes quoting in place, so a line can
 * be read once. False: it is no record, and has not changed. */
bool record_read(char *line, size_t length, struct record_view *view);

/* Is this line, without its line end, the header of a format? */
bool record_is_header(const char *line, size_t length);
