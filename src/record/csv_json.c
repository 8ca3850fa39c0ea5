/* SPDX-License-Identifier: MIT */
/* Records as CSV and as JSON: the same fields, with different words around them. The bytes are
 * escaped as in text before they are quoted, so that no field holds a line end. */
#include <string.h>

#include "base/decimal.h"
#include "record/escape.h"
#include "record/format.h"

enum {
	TIME_LENGTH = 32, /* RFC 3339: YYYY-MM-DDTHH:MM:SS.UUUUUU+HH:MM */
	PARTS_MAX = 64,	  /* more than three parts next to each other have, with a NUL */
};

/* What stands before each field, and behind the last one. A number is not quoted, so something else
 * stands before an event behind it. */
struct layout {
	const char *time, *level, *peer, *certificate, *sender, *number, *event_behind, *event;
	const char *bytes, *end;
	bool (*quote)(struct buffer *buffer, size_t start);    /* the bytes from start on */
	bool (*find)(struct slice *rest, struct slice *field); /* takes a field, still quoted */
	char mark;					       /* before quoted bytes */
};

static const char *const level_names[] = {"INFO", "WARNING", NULL};
static const char *const event_names[] = {"received", "sent", "ignored", "note", NULL};

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

/* The quotes are in the layout. */
static bool quote_json(struct buffer *buffer, size_t start)
{
	return record_mark(buffer, start, '\\', '"');
}

static bool take(struct slice *rest, size_t length, struct slice *field)
{
	*field = (struct slice){rest->bytes, length};
	slice_drop(rest, length);
	return true;
}

static bool find_csv(struct slice *rest, struct slice *field)
{
	if (!slice_skip(rest, "\"")) {
		const char *comma = memchr(rest->bytes, ',', rest->length);
		size_t length = comma ? (size_t)(comma - rest->bytes) : rest->length;
		return !memchr(rest->bytes, '"', length) && take(rest, length, field);
	}
	for (size_t at = 0; at < rest->length; at++)
		if (rest->bytes[at] == '"' && (++at == rest->length || rest->bytes[at] != '"'))
			return take(rest, at - 1, field) && slice_skip(rest, "\"");
	return false;
}

static bool find_json(struct slice *rest, struct slice *field)
{
	size_t at = 0;
	for (; at < rest->length && rest->bytes[at] != '"'; at++)
		if (rest->bytes[at] == '\\' &&
		    (++at == rest->length || (rest->bytes[at] != '"' && rest->bytes[at] != '\\')))
			return false;
	return take(rest, at, field);
}

static const struct layout csv = {"",  ",", ",", ",",	    ",",      ",", ",",
				  ",", ",", "",	 quote_csv, find_csv, '"'};
static const struct layout json = {"{\"time\":\"",
				   "\",\"level\":\"",
				   "\",\"peer\":\"",
				   "\",\"certificate\":\"",
				   "\",\"sender\":\"",
				   "\",\"number\":",
				   ",\"event\":\"",
				   "\",\"event\":\"",
				   "\",\"text\":\"",
				   "\"}",
				   quote_json,
				   find_json,
				   '\\'};

static const struct layout *layout_of(const struct record_format *format)
{
	return format->quotes ? &csv : &json; /* it may be a copy that leaves events out */
}

static void write_time(char time[TIME_LENGTH + 1], const struct stamp *stamp)
{
	char *fraction = stpcpy(time, stamp->local);
	time[10] = 'T';
	strcpy(stamp_put_fraction(fraction, stamp, 6), stamp->zone);
}

static bool append_parts(struct buffer *buffer, const char *one, const char *two, const char *three)
{
	if (!buffer_reserve(buffer, PARTS_MAX))
		return false;
	char *out = buffer->bytes + buffer->length;
	buffer->length += (size_t)(stpcpy(stpcpy(stpcpy(out, one), two), three) - out);
	return true;
}

static bool append_quoted(struct buffer *buffer, const struct layout *layout, const char *bytes,
			  size_t length)
{
	size_t start = buffer->length;
	return record_escape(buffer, bytes, length) && layout->quote(buffer, start);
}

/* Appends the address, and the name of the certificate that may stand behind it. */
static bool append_peer(const struct record_format *format, const struct layout *layout,
			struct buffer *buffer, const char *subject)
{
	size_t length = strcspn(subject, " ");
	struct slice certificate = slice_of(subject + length);
	if (slice_skip(&certificate, " ("))
		certificate.length -= sizeof ")" - 1;
	bool wanted = format->quotes ? format->certificates : certificate.length > 0;
	return append_quoted(buffer, layout, subject, length) &&
	       (!wanted || (append_parts(buffer, layout->certificate, "", "") &&
			    append_quoted(buffer, layout, certificate.bytes, certificate.length)));
}

/* Appends sender and number, if there are any or columns for them, and what stands before the
 * event. */
static bool append_sender(const struct record_format *format, const struct layout *layout,
			  struct buffer *buffer, const struct record *record)
{
	const char *sender = record->sender ? record->sender : "";
	char number[DECIMAL_MAX];
	size_t digits = record->sender ? decimal_write(number, record->number) : 0;
	if (format->quotes ? !format->senders : !record->sender)
		return append_parts(buffer, layout->event, "", "");
	return append_parts(buffer, layout->sender, "", "") &&
	       append_quoted(buffer, layout, sender, strlen(sender)) &&
	       append_parts(buffer, layout->number, "", "") &&
	       buffer_append(buffer, number, digits) &&
	       append_parts(buffer, layout->event_behind, "", "");
}

static bool append(const struct record_format *format, struct buffer *buffer,
		   const struct stamp *stamp, const struct record *record)
{
	const struct layout *layout = layout_of(format);
	char time[TIME_LENGTH + 1];
	write_time(time, stamp);
	return append_parts(buffer, layout->time, time, layout->level) &&
	       append_parts(buffer, level_names[record->level], layout->peer, "") &&
	       append_peer(format, layout, buffer, record->subject) &&
	       append_sender(format, layout, buffer, record) &&
	       append_parts(buffer, event_names[record->event], layout->bytes, "") &&
	       append_quoted(buffer, layout, record->bytes, record->length) &&
	       append_parts(buffer, layout->end, "\n", "");
}

/* Removes the marks of a field in the line, in place. */
static void drop_marks(char *line, struct slice *field, char mark)
{
	char *bytes = line + (field->bytes - line), *first = memchr(bytes, mark, field->length);
	size_t out = first ? (size_t)(first - bytes) : field->length;
	for (size_t i = out; i < field->length; i++) {
		if (bytes[i] == mark)
			i++; /* the byte behind it stands for itself */
		bytes[out++] = bytes[i];
	}
	field->length = out;
}

/* Takes sender and number; both may be empty. */
static bool read_sender(const struct layout *layout, struct slice *rest, struct record_view *view)
{
	if (!slice_skip(rest, layout->sender) || !layout->find(rest, &view->sender) ||
	    !slice_skip(rest, layout->number))
		return false;
	return !view->sender.length || slice_number(rest, &view->number);
}

/* What can stand between the peer and the event. */
enum { WITH_CERTIFICATE = 1, WITH_SENDER = 2, WITH_BOTH = 3 };

/* Reads what follows the peer. */
static bool read_rest(const struct layout *layout, struct slice rest, int with,
		      struct record_view *view)
{
	int event;
	view->certificate = view->sender = (struct slice){0};
	if ((with & WITH_CERTIFICATE) &&
	    (!slice_skip(&rest, layout->certificate) || !layout->find(&rest, &view->certificate)))
		return false;
	if ((with & WITH_SENDER) && !read_sender(layout, &rest, view))
		return false;
	if (!slice_skip(&rest, with & WITH_SENDER ? layout->event_behind : layout->event) ||
	    !slice_skip_name(&rest, event_names, &event) || !slice_skip(&rest, layout->bytes) ||
	    !layout->find(&rest, &view->bytes) || !slice_equals(rest, layout->end))
		return false;
	view->event = (enum record_event)event;
	return true;
}

static bool read(const struct record_format *format, char *line, size_t length,
		 struct record_view *view)
{
	const struct layout *layout = layout_of(format);
	struct slice rest = {line, length};
	int level, with = 0;
	if (!slice_skip(&rest, layout->time))
		return false;
	view->time = (struct slice){rest.bytes, TIME_LENGTH};
	if (!slice_skip_shape(&rest, "dddd-dd-ddTdd:dd:dd.dddddd+dd:dd") ||
	    !slice_skip(&rest, layout->level) || !slice_skip_name(&rest, level_names, &level) ||
	    !slice_skip(&rest, layout->peer) || !layout->find(&rest, &view->subject) ||
	    !view->subject.length)
		return false;
	while (!read_rest(layout, rest, with, view))
		if (++with > WITH_BOTH)
			return false;
	view->level = (enum record_level)level;
	drop_marks(line, &view->subject, layout->mark);
	if (view->sender.length)
		drop_marks(line, &view->sender, layout->mark);
	drop_marks(line, &view->bytes, layout->mark);
	return true;
}

static bool begins_csv(struct slice head)
{
	struct record_format with = record_csv;
	record_add_certificates(&with);
	return slice_begins(head, record_csv.header) || slice_begins(head, with.header) ||
	       slice_skip_shape(&head, "dddd-dd-ddTdd:dd:dd.dddddd");
}

static bool begins_json(struct slice head)
{
	return slice_skip(&head, json.time) && slice_skip_shape(&head, "dddd-dd-ddT");
}

const struct record_format record_csv = {.append = append,
					 .read = read,
					 .name = "csv",
					 .begins = begins_csv,
					 .digits = 6,
					 .header = "time,level,peer,event,text\n",
					 .quotes = true};
const struct record_format record_json = {
	.append = append,
	.read = read,
	.name = "json",
	.begins = begins_json,
	.digits = 6,
	.header = "",
};

/* CSV has columns, JSON needs no preparation. */
static void add_columns(struct record_format *format, bool certificates, bool senders)
{
	static const char *const headers[] = {
		"time,level,peer,event,text\n", "time,level,peer,certificate,event,text\n",
		"time,level,peer,sender,number,event,text\n",
		"time,level,peer,certificate,sender,number,event,text\n"};
	if (!format->quotes)
		return;
	format->certificates |= certificates;
	format->senders |= senders;
	format->header =
		headers[format->certificates * WITH_CERTIFICATE | format->senders * WITH_SENDER];
}

void record_add_certificates(struct record_format *format)
{
	add_columns(format, true, false);
}

void record_add_senders(struct record_format *format)
{
	add_columns(format, false, true);
}
