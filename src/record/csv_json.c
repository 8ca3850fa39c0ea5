/* SPDX-License-Identifier: MIT */
/* Records as CSV and as JSON: the same five fields, each format with its own words around them. The
 * bytes have been escaped as in text before they are quoted, so that no field holds a line end. */
#include <string.h>

#include "record/scan.h"

/* Only the peer and the bytes can hold something that has to be quoted. */
struct layout {
	const char *time, *level, *peer, *event, *bytes, *end; /* what stands before each field */
	bool (*quote)(struct buffer *text, size_t start);      /* what was appended from there on */
	bool (*find)(char **at, char *end, char **field, size_t *length); /* still quoted */
	char mark;							  /* before quoted bytes */
};

static const char header[] = "time,level,peer,event,text\n";
static const char *const level_names[] = {"INFO", "WARNING", NULL};
static const char *const event_names[] = {"received", "sent", "ignored", "timeout", "note", NULL};

/* Puts the mark before each of two bytes, from start on. False: out of memory. */
static bool mark_bytes(struct buffer *text, size_t start, char mark, char other)
{
	size_t count = 0;
	for (size_t i = start; i < text->length; i++)
		count += text->bytes[i] == mark || text->bytes[i] == other;
	if (!buffer_reserve(text, count))
		return false;
	char *from = text->bytes + text->length, *to = from + count;
	text->length += count;
	while (from < to) { /* they meet at the first one */
		char byte = *--to = *--from;
		if (byte == mark || byte == other)
			*--to = mark;
	}
	return true;
}

/* The words around the field have the quotes already. */
static bool quote_json(struct buffer *text, size_t start)
{
	return mark_bytes(text, start, '\\', '"');
}

static bool quote_csv(struct buffer *text, size_t start)
{
	size_t length = text->length - start;
	const char *field = text->bytes + start;
	if (!length || (!memchr(field, ',', length) && !memchr(field, '"', length)))
		return true;
	if (!mark_bytes(text, start, '"', '"') || !buffer_reserve(text, 2))
		return false;
	length = text->length - start;
	memmove(text->bytes + start + 1, text->bytes + start, length);
	text->bytes[start] = text->bytes[start + 1 + length] = '"';
	text->length += 2;
	return true;
}

static bool find_json(char **at, char *end, char **field, size_t *length)
{
	char *stop = *at;
	for (; stop < end && *stop != '"'; stop++)
		if (*stop == '\\' && (++stop == end || (*stop != '"' && *stop != '\\')))
			return false;
	*field = *at;
	*length = (size_t)(stop - *at);
	*at = stop;
	return true;
}

static bool find_quoted_csv(char **at, char *end, char **field, size_t *length)
{
	char *first = *at + 1;
	for (char *stop = first; stop < end; stop++) {
		if (*stop != '"' || (++stop < end && *stop == '"'))
			continue;
		*field = first;
		*length = (size_t)(stop - 1 - first);
		*at = stop;
		return true;
	}
	return false;
}

static bool find_csv(char **at, char *end, char **field, size_t *length)
{
	if (*at < end && **at == '"')
		return find_quoted_csv(at, end, field, length);
	char *comma = memchr(*at, ',', (size_t)(end - *at));
	*field = *at;
	*at = comma ? comma : end;
	*length = (size_t)(*at - *field);
	return !memchr(*field, '"', *length);
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

static const struct layout *layout_of(enum record_format format)
{
	return format == RECORD_CSV ? &csv : &json;
}

const char *record_header(enum record_format format)
{
	return format == RECORD_CSV ? header : "";
}

bool record_is_header(const char *line, size_t length)
{
	return length == strlen(header) - 1 && !memcmp(line, header, length);
}

/* RFC 3339: YYYY-MM-DDTHH:MM:SS.UUUUUU+HH:MM */
static bool append_time(struct buffer *text, const struct stamp *stamp)
{
	if (!buffer_reserve(text, 32))
		return false;
	char *out = text->bytes + text->length;
	memcpy(out, stamp->local, STAMP_LENGTH);
	out[10] = 'T';
	out = record_put_fraction(out + STAMP_LENGTH, stamp, 6);
	memcpy(out, stamp->zone, 6);
	text->length += 32;
	return true;
}

static bool append_field(struct buffer *text, const struct layout *layout, const char *bytes,
			 size_t length)
{
	size_t start = text->length;
	return record_escape(text, bytes, length) && layout->quote(text, start);
}

bool record_append_fields(struct buffer *text, enum record_format format, const struct stamp *stamp,
			  const struct record *record)
{
	const struct layout *layout = layout_of(format);
	size_t before = text->length;
	if (buffer_append_string(text, layout->time) && append_time(text, stamp) &&
	    buffer_append_string(text, layout->level) &&
	    buffer_append_string(text, level_names[record->level]) &&
	    buffer_append_string(text, layout->peer) &&
	    append_field(text, layout, record->subject, strlen(record->subject)) &&
	    buffer_append_string(text, layout->event) &&
	    buffer_append_string(text, event_names[record->event]) &&
	    buffer_append_string(text, layout->bytes) &&
	    append_field(text, layout, record->bytes, record->length) &&
	    buffer_append_string(text, layout->end) && buffer_append(text, "\n", 1))
		return true;
	text->length = before;
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

static bool read_head(char **at, char *end, const struct layout *layout, struct record_view *view)
{
	int level;
	if (!record_read_word(at, end, layout->time))
		return false;
	view->time = *at;
	if (!record_read_shape(at, end, "dddd-dd-ddTdd:dd:dd.dddddd+dd:dd"))
		return false;
	view->time_length = (size_t)(*at - view->time);
	if (!record_read_word(at, end, layout->level) ||
	    !record_read_name(at, end, level_names, &level))
		return false;
	view->level = (enum record_level)level;
	return true;
}

bool record_read_fields(char *line, size_t length, enum record_format format,
			struct record_view *view)
{
	const struct layout *layout = layout_of(format);
	char *at = line, *end = line + length, *subject, *bytes;
	int event;
	if (!read_head(&at, end, layout, view) || !record_read_word(&at, end, layout->peer) ||
	    !layout->find(&at, end, &subject, &view->subject_length) || !view->subject_length ||
	    !record_read_word(&at, end, layout->event) ||
	    !record_read_name(&at, end, event_names, &event) ||
	    !record_read_word(&at, end, layout->bytes) ||
	    !layout->find(&at, end, &bytes, &view->length) ||
	    !record_read_word(&at, end, layout->end) || at != end)
		return false;
	view->event = (enum record_event)event;
	view->subject = subject;
	view->subject_length = drop_marks(subject, view->subject_length, layout->mark);
	view->bytes = bytes;
	view->length = drop_marks(bytes, view->length, layout->mark);
	return true;
}
