/* SPDX-License-Identifier: MIT */
/* Records as CSV and as JSON: the same five fields, each format with its own words around them. The
 * bytes have been escaped as in text before they are quoted, so that no field holds a line end. */
#include <string.h>

#include "record/escape.h"
#include "record/format.h"
#include "record/scan.h"

/* Only the peer and the bytes can hold something that has to be quoted. */
struct layout {
	const char *time, *level, *peer, *event, *bytes, *end; /* what stands before each field */
	bool (*quote)(struct buffer *buffer, size_t start);    /* what was appended from there on */
	bool (*find)(struct slice *rest, struct slice *field); /* still quoted */
	char mark;					       /* before quoted bytes */
};

static const char *const level_names[] = {"INFO", "WARNING", NULL};
static const char *const event_names[] = {"received", "sent", "ignored", "note", NULL};

/* The words around the field have the quotes already. */
static bool quote_json(struct buffer *buffer, size_t start)
{
	return record_mark(buffer, start, '\\', '"');
}

static bool quote_csv(struct buffer *buffer, size_t start)
{
	size_t length = buffer->length - start;
	const char *field = buffer->bytes + start;
	if (!length || (!memchr(field, ',', length) && !memchr(field, '"', length)))
		return true;
	if (!record_mark(buffer, start, '"', '"') || !buffer_reserve(buffer, 2))
		return false;
	length = buffer->length - start;
	memmove(buffer->bytes + start + 1, buffer->bytes + start, length);
	buffer->bytes[start] = buffer->bytes[start + 1 + length] = '"';
	buffer->length += 2;
	return true;
}

/* Takes the field off the front, up to its end at so many bytes. */
static bool take(struct slice *rest, size_t length, struct slice *field)
{
	*field = (struct slice){rest->bytes, length};
	rest->bytes += length;
	rest->length -= length;
	return true;
}

static bool find_json(struct slice *rest, struct slice *field)
{
	size_t stop = 0;
	for (; stop < rest->length && rest->bytes[stop] != '"'; stop++)
		if (rest->bytes[stop] == '\\' &&
		    (++stop == rest->length ||
		     (rest->bytes[stop] != '"' && rest->bytes[stop] != '\\')))
			return false;
	return take(rest, stop, field);
}

static bool find_csv(struct slice *rest, struct slice *field)
{
	if (!slice_skip(rest, "\"")) {
		const char *comma = memchr(rest->bytes, ',', rest->length);
		size_t length = comma ? (size_t)(comma - rest->bytes) : rest->length;
		return !memchr(rest->bytes, '"', length) && take(rest, length, field);
	}
	for (size_t stop = 0; stop < rest->length; stop++)
		if (rest->bytes[stop] == '"' &&
		    (++stop == rest->length || rest->bytes[stop] != '"'))
			return take(rest, stop - 1, field) && slice_skip(rest, "\"");
	return false;
}

static const struct layout csv = {
	.time = "",
	.level = ",",
	.peer = ",",
	.event = ",",
	.bytes = ",",
	.end = "",
	.quote = quote_csv,
	.find = find_csv,
	.mark = '"',
};

static const struct layout json = {
	.time = "{\"time\":\"",
	.level = "\",\"level\":\"",
	.peer = "\",\"peer\":\"",
	.event = "\",\"event\":\"",
	.bytes = "\",\"text\":\"",
	.end = "\"}",
	.quote = quote_json,
	.find = find_json,
	.mark = '\\',
};

/* RFC 3339: YYYY-MM-DDTHH:MM:SS.UUUUUU+HH:MM */
static bool append_time(struct buffer *buffer, const struct stamp *stamp)
{
	if (!buffer_reserve(buffer, 32))
		return false;
	char *out = buffer->bytes + buffer->length;
	memcpy(out, stamp->local, STAMP_LENGTH);
	out[10] = 'T';
	out = stamp_put_fraction(out + STAMP_LENGTH, stamp, 6);
	memcpy(out, stamp->zone, 6);
	buffer->length += 32;
	return true;
}

static bool append_field(struct buffer *buffer, const struct layout *layout, const char *bytes,
			 size_t length)
{
	size_t start = buffer->length;
	return record_escape(buffer, bytes, length) && layout->quote(buffer, start);
}

static bool append(struct buffer *buffer, const struct layout *layout, const struct stamp *stamp,
		   const struct record *record)
{
	size_t before = buffer->length;
	if (buffer_append_string(buffer, layout->time) && append_time(buffer, stamp) &&
	    buffer_append_string(buffer, layout->level) &&
	    buffer_append_string(buffer, level_names[record->level]) &&
	    buffer_append_string(buffer, layout->peer) &&
	    append_field(buffer, layout, record->subject, strlen(record->subject)) &&
	    buffer_append_string(buffer, layout->event) &&
	    buffer_append_string(buffer, event_names[record->event]) &&
	    buffer_append_string(buffer, layout->bytes) &&
	    append_field(buffer, layout, record->bytes, record->length) &&
	    buffer_append_string(buffer, layout->end) && buffer_append(buffer, "\n", 1))
		return true;
	buffer->length = before;
	return false;
}

/* Takes the marks away, in place; returns the length of what is left. */
static size_t drop_marks(char *bytes, size_t length, char mark)
{
	char *first = memchr(bytes, mark, length);
	size_t out = first ? (size_t)(first - bytes) : length;
	for (size_t i = out; i < length; i++) {
		if (bytes[i] == mark)
			i++; /* the byte behind it stands for itself */
		bytes[out++] = bytes[i];
	}
	return out;
}

static bool read_head(struct slice *rest, const struct layout *layout, struct record_view *view)
{
	int level;
	if (!slice_skip(rest, layout->time))
		return false;
	view->time = rest->bytes;
	if (!record_scan_shape(rest, "dddd-dd-ddTdd:dd:dd.dddddd+dd:dd"))
		return false;
	view->time_length = (size_t)(rest->bytes - view->time);
	if (!slice_skip(rest, layout->level) || !record_scan_name(rest, level_names, &level))
		return false;
	view->level = (enum record_level)level;
	return true;
}

static bool read(char *line, size_t length, const struct layout *layout, struct record_view *view)
{
	struct slice rest = {line, length}, subject, bytes;
	int event;
	if (!read_head(&rest, layout, view) || !slice_skip(&rest, layout->peer) ||
	    !layout->find(&rest, &subject) || !subject.length ||
	    !slice_skip(&rest, layout->event) || !record_scan_name(&rest, event_names, &event) ||
	    !slice_skip(&rest, layout->bytes) || !layout->find(&rest, &bytes) ||
	    !slice_equals(rest, layout->end))
		return false;
	view->event = (enum record_event)event;
	view->subject = subject.bytes;
	view->subject_length =
		drop_marks(line + (subject.bytes - line), subject.length, layout->mark);
	view->bytes = bytes.bytes;
	view->length = drop_marks(line + (bytes.bytes - line), bytes.length, layout->mark);
	return true;
}

static bool append_csv(struct buffer *buffer, const struct stamp *stamp,
		       const struct record *record)
{
	return append(buffer, &csv, stamp, record);
}

static bool append_json(struct buffer *buffer, const struct stamp *stamp,
			const struct record *record)
{
	return append(buffer, &json, stamp, record);
}

static bool read_csv(char *line, size_t length, struct record_view *view)
{
	return read(line, length, &csv, view);
}

static bool read_json(char *line, size_t length, struct record_view *view)
{
	return read(line, length, &json, view);
}

const struct record_format record_csv = {append_csv, read_csv, "time,level,peer,event,text\n",
					 true};
const struct record_format record_json = {append_json, read_json, "", false};
