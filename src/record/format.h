/* SPDX-License-Identifier: MIT */
/* One record of the log, as text, CSV or JSON. A record is one line whatever it tells of: bytes
 * that could end it, drive a terminal or are not UTF-8 are written as \xNN. */
#ifndef ACKLINE_RECORD_FORMAT_H
#define ACKLINE_RECORD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buffer.h"

enum record_format {
	RECORD_TEXT,
	RECORD_CSV,
	RECORD_JSON,
	/* What text is to some services; nobody asks for these by name. */
	RECORD_MILLISECONDS, /* text with so much more of the time */
	RECORD_MICROSECONDS,
	RECORD_PAIRS, /* a request and its answer in one record, fields separated by ';' */
};
enum record_level { RECORD_INFO, RECORD_WARNING };

/* What a record tells: of a line, or of something that happened to a subject. */
enum record_event {
	RECORD_RECEIVED,
	RECORD_SENT,
	RECORD_IGNORED, /* a line that will have no answer, on purpose */
	RECORD_TIMEOUT, /* a line whose answer has not come in time */
	RECORD_NOTE,
};

/* The names of the formats that can be asked for, in the order of enum record_format, NULL at the
 * end. */
extern const char *const record_format_names[];

/* The subject of what the server says of itself. */
#define RECORD_SERVER "server"

/* A moment as local time. The calendar is asked once a second, not once a record: keep one stamp
 * for each place that writes records, and never share it between threads. A zeroed stamp is ready.
 */
struct stamp {
	time_t second;
	char local[20];	     /* YYYY-MM-DD HH:MM:SS */
	char zone[7];	     /* what that is ahead of UTC: +HH:MM */
	int32_t microsecond; /* within the second */
};

/* Sets the stamp to now. */
void stamp_update(struct stamp *stamp);

/* A line that was sent or received before, and that this record is the end of. */
struct record_request {
	struct stamp stamp; /* when */
	const char *bytes;
	size_t length;
};

struct record {
	enum record_level level;
	enum record_event event;
	const char *subject; /* a peer's address, or RECORD_SERVER */
	const char *bytes;   /* the line or the words of the note */
	size_t length;
	const struct record_request *request; /* NULL: none. Only RECORD_PAIRS shows it */
};

/* Appends the record, with its line end. False: out of memory, and nothing has changed. In
 * RECORD_PAIRS nothing is appended for a line received: that is told when it is answered. */
bool record_append(struct buffer *text, enum record_format format, const struct stamp *stamp,
		   const struct record *record);

/* The line that a log in that format begins with, with its line end; empty where there is none. */
const char *record_header(enum record_format format);

/* Appends bytes so that they are printable and on one line: valid UTF-8 as it is; control bytes
 * (C0, DEL, C1), line and paragraph separators, bidirectional controls and what is no UTF-8 as
 * \xNN, byte by byte. A backslash stays one, unless an x follows: then it is \x5c, so that every \x
 * in the log is an escape. False: out of memory, and nothing has changed. */
bool record_escape(struct buffer *text, const char *bytes, size_t length);

/* The way back, in place: returns the length of the original bytes. */
size_t record_unescape(char *bytes, size_t length);

/* A record taken apart; the pointers lead into the line that was read, and nothing of the format's
 * own quoting is left. */
struct record_view {
	enum record_level level;
	enum record_event event;
	const char *time;
	size_t time_length; /* 19; 23 or 26 with more of the time; 32 in CSV and JSON */
	const char *subject;
	size_t subject_length;
	const char *bytes; /* still escaped */
	size_t length;
};

/* Takes apart a line of a log in any format, without its line end. Quoting of CSV and JSON is
 * undone in place: the line can be read once. False: it is no record, and as it was. */
bool record_read(char *line, size_t length, struct record_view *view);

/* A record of RECORD_PAIRS taken apart; the fields lead into the line that was read. */
struct record_pair {
	struct record_field {
		const char *bytes; /* still escaped */
		size_t length;
	} date, time, request, answer_time, answer;
};

/* Takes apart a line of a log in RECORD_PAIRS, without its line end. False: it is no record. */
bool record_read_pair(const char *line, size_t length, struct record_pair *pair);

/* Is this line, without its line end, the header of a format? */
bool record_is_header(const char *line, size_t length);

#endif
