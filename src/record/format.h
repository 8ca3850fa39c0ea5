/* SPDX-License-Identifier: MIT */
/* One record of the log, and the formats that it is written in. A record is one line, for any
 * bytes: see record/escape.h. A service may name a format that no option names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

/* How sinks that take fields name the sender of a line, and the number in digits. The third one is
 * there, and empty, with the number above 1 at which a sender without lines begins. */
#define RECORD_SENDER "sender"
#define RECORD_NUMBER "number"
#define RECORD_BEGINS "begins"

/* What a format keeps of a record for the next one, whose head is mostly the same. Zeroed, it is
 * ready for records that are appended to one buffer with one stamp, and with nothing between them.
 * Heads are told apart by the pointers to their words. */
struct record_before {
	enum record_level level;
	const char *subject, *sender;
	size_t start, length; /* of its head, up to the number; length 0: none is there */
	size_t digits;	      /* of the number behind the head */
	uint64_t number;
};

struct record {
	enum record_level level;
	enum record_event event;
	const char
		*subject;  /* ADDRESS or ADDRESS (CERTIFICATE) of a connection, or RECORD_SERVER */
	const char *bytes; /* the line, or the message of a note */
	size_t length;
	const struct record_field *fields; /* NULL: none */
	const char *sender; /* who has numbered the line, in printable ASCII; NULL: none */
	uint64_t number;
	struct record_before *before; /* updated; NULL: the record stands alone */
};

/* The value of a field; NULL: the record has none of that name. */
static inline const struct slice *record_find(const struct record *record, const char *name)
{
	for (const struct record_field *field = record->fields; field && field->name; field++)
		if (!strcmp(field->name, name))
			return &field->value;
	return NULL;
}

/* A record that was read. The slices lead into its line; the format's quoting is undone. */
struct record_view {
	enum record_level level;
	enum record_event event;
	struct slice time;	  /* text: 19, 23 or 26 bytes, by the digits; CSV, JSON: 32 */
	struct slice subject;	  /* the address, or the server */
	struct slice certificate; /* the name in the peer's certificate; empty: none */
	struct slice sender;	  /* of a numbered line, still escaped; empty: none */
	uint64_t number;
	struct slice bytes; /* still escaped */
};

/* Is it one of the server's own notes? */
static inline bool record_is_server_note(const struct record_view *record)
{
	return record->event == RECORD_NOTE && slice_equals(record->subject, RECORD_SERVER);
}

struct record_format {
	/* To be called by record_append() alone. Appends the record with its line end. False: out
	 * of memory, and a part of it may be there. */
	bool (*append)(const struct record_format *format, struct buffer *buffer,
		       const struct stamp *stamp, const struct record *record);
	/* As record_read(), for this format only; NULL: not readable as a record_view. */
	bool (*read)(const struct record_format *format, char *line, size_t length,
		     struct record_view *view);
	const char *name; /* as messages have it */
	/* Whether a log that begins with these bytes, RECORD_HEAD or all, is recognised as one of
	 * this format. NULL: none is. */
	bool (*begins)(struct slice head);
	/* Whether one that is recognised as another format can be continued all the same. NULL: no.
	 */
	bool (*continues)(const struct record_format *other);
	int digits;	    /* of the fraction of a second */
	const char *header; /* first line of a log, with its line end; empty: none */
	bool quotes;	    /* a record cut short may leave a double quote open */
	bool pairs;	    /* the record of an answer has the request, too, which has no other */
	bool certificates;  /* CSV: there is a column for the name in a peer's certificate */
	bool senders;	    /* CSV: there are columns for sender and number */
	unsigned left_out;  /* events that have no record: bits as of record_bit() */
};

static inline unsigned record_bit(enum record_event event)
{
	return 1U << event;
}

/* Does the format have no record of such an event at all? */
static inline bool record_leaves_out(const struct record_format *format, enum record_event event)
{
	return format->left_out & record_bit(event);
}

/* Appends a record to a buffer, or nothing where the format leaves it out. False: out of memory,
 * and nothing has changed. */
static inline bool record_append(const struct record_format *format, struct buffer *buffer,
				 const struct stamp *stamp, const struct record *record)
{
	size_t before = buffer->length;
	if (record_leaves_out(format, record->event) ||
	    format->append(format, buffer, stamp, record))
		return true;
	buffer->length = before;
	return false;
}

extern const struct record_format record_text, record_csv, record_json;

/* Has the format make space for names in certificates, if it does not anyway. */
void record_add_certificates(struct record_format *format);
/* The same for the senders and numbers of lines. */
void record_add_senders(struct record_format *format);
/* The line alone, for what was received, and nothing else. */
extern const struct record_format record_plain;
/* Text with more digits of the time. */
extern const struct record_format record_milliseconds, record_microseconds;

/* The formats that an option names, and their names, in the same order; NULL at the end. */
extern const struct record_format *const record_formats[];
extern const char *const record_format_names[];

/* Begins the server's note that it listens. */
#define RECORD_LISTENING "listening on "
/* Stands before it in a log that the server has reopened while it runs. */
#define RECORD_REOPENED "reopened, "
/* Ends the note that the server listens, where the log has no records of what was sent. */
#define RECORD_WITHOUT_SENT ", without sent records"

/* Behind half a record that a crash has left, before its line end: no record has it there, as \x(
 * is in nothing that is escaped. So a second crash, which may leave the line end and nothing behind
 * it, does not make the half a whole. */
#define RECORD_TORN "\\x(torn)"

/* Begins the server's note on which file a log's file continues: its name without a directory. It
 * is the first note of a file that begins where another one is closed, FILE.N, which can be
 * FILE.N.* by now: compressed. */
#define RECORD_CONTINUES "continues "

enum { RECORD_HEAD = 64 };

/* Can a log be continued in the format that begins with these bytes, RECORD_HEAD or all? One of no
 * known format can. Returns NULL, or the name of the format that it has instead. */
const char *record_other_format(const struct record_format *format, struct slice head);

/* Reads a line of text, CSV or JSON, without its line end. Undoes quoting in place, so a line can
 * be read once. False: it is no record, and has not changed. */
bool record_read(char *line, size_t length, struct record_view *view);

/* Is this line, without its line end, the header of a format? */
bool record_is_header(const char *line, size_t length);
