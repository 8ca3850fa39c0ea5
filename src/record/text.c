/* SPDX-License-Identifier: MIT */
/* Records as text: LEVEL<TAB>| TIME --SUBJECT EVENT: BYTES. */
#include <string.h>

#include "record/escape.h"
#include "record/format.h"

static const char *const level_names[] = {"INFO\t| ", "WARNING\t| ", NULL};
static const char *const event_names[] = {" received: ", " sent: ", " ignored: ", " ", NULL};

enum { HEAD_MAX = 64, ESCAPED = 4, AROUND = 2 };

/* Writes " SENDER#NUMBER" at the end of the buffer, which has space for it. A backslash is the only
 * byte of a sender that may have to be escaped. Returns the new end; NULL: out of memory. */
static char *put_sender(struct buffer *buffer, char *out, struct slice sender, struct slice number)
{
	*out++ = ' ';
	if (!memchr(sender.bytes, '\\', sender.length)) {
		out = mempcpy(out, sender.bytes, sender.length);
	} else {
		buffer->length = (size_t)(out - buffer->bytes);
		if (!record_escape(buffer, sender.bytes, sender.length) ||
		    !buffer_reserve(buffer, number.length + HEAD_MAX))
			return NULL;
		out = buffer->bytes + buffer->length;
	}
	*out++ = '#';
	return mempcpy(out, number.bytes, number.length);
}

static bool append(const struct record_format *format, struct buffer *buffer,
		   const struct stamp *stamp, const struct record *record)
{
	size_t subject_length = strlen(record->subject), space = HEAD_MAX + subject_length;
	const struct record_field *sender = record_sender(record);
	if (sender)
		space += ESCAPED * sender[0].value.length + sender[1].value.length + AROUND;
	if (!buffer_reserve(buffer, space))
		return false;
	char *out = stpcpy(buffer->bytes + buffer->length, level_names[record->level]);
	out = mempcpy(out, stamp->local, STAMP_LENGTH);
	if (format->digits)
		out = stamp_put_fraction(out, stamp, format->digits);
	out = mempcpy(stpcpy(out, " --"), record->subject, subject_length);
	if (sender && !(out = put_sender(buffer, out, sender[0].value, sender[1].value)))
		return false;
	out = stpcpy(out, event_names[record->event]);
	buffer->length = (size_t)(out - buffer->bytes);
	return record_escape(buffer, record->bytes, record->length) &&
	       buffer_append(buffer, "\n", 1);
}

static bool read_time(struct slice *rest, struct slice *time)
{
	*time = *rest;
	if (!slice_skip_shape(rest, "dddd-dd-dd dd:dd:dd"))
		return false;
	if (!slice_skip_shape(rest, ".dddddd"))
		(void)slice_skip_shape(rest, ".ddd");
	time->length -= rest->length;
	return true;
}

/* Takes " (CERTIFICATE)", which has no blank and stands before one. */
static struct slice read_certificate(struct slice *rest)
{
	struct slice behind = *rest, name;
	if (!slice_skip(&behind, " (") || !slice_cut(&behind, ')', &name) ||
	    memchr(name.bytes, ' ', name.length) || !slice_begins(behind, " "))
		return (struct slice){0};
	*rest = behind;
	return name;
}

/* Takes "SENDER#NUMBER received: ". A note does not begin so. */
static bool read_sender(struct slice *rest, struct record_view *view)
{
	struct slice behind = *rest, word;
	if (!slice_cut(&behind, ' ', &word) ||
	    !slice_skip(&behind, event_names[RECORD_RECEIVED] + 1))
		return false;
	const char *mark = memrchr(word.bytes, '#', word.length);
	size_t length = mark ? (size_t)(mark - word.bytes) : 0;
	struct slice sender = {word.bytes, length};
	if (!length)
		return false;
	slice_drop(&word, length + 1);
	if (!slice_number(&word, &view->number) || word.length)
		return false;
	view->sender = sender;
	*rest = behind;
	return true;
}

static bool read(const struct record_format *format, char *line, size_t length,
		 struct record_view *view)
{
	(void)format; /* any number of digits is read */
	struct slice rest = {line, length};
	int level, event;
	if (!slice_skip_name(&rest, level_names, &level) || !read_time(&rest, &view->time) ||
	    !slice_skip(&rest, " --"))
		return false;
	struct slice behind = rest;
	if (!slice_cut(&behind, ' ', &view->subject) || !view->subject.length)
		return false;
	slice_drop(&rest, view->subject.length);
	view->certificate = read_certificate(&rest);
	view->sender = (struct slice){0};
	if (!slice_skip_name(&rest, event_names, &event))
		return false;
	if (event == RECORD_NOTE && read_sender(&rest, view))
		event = RECORD_RECEIVED;
	view->level = (enum record_level)level;
	view->event = (enum record_event)event;
	view->bytes = rest;
	return true;
}

static bool begins(struct slice head)
{
	int level;
	struct slice time;
	return slice_skip_name(&head, level_names, &level) && read_time(&head, &time);
}

#define TEXT(fraction)                                                                             \
	{                                                                                          \
		.append = append, .read = read, .name = "text", .begins = begins,                  \
		.digits = (fraction), .header = "", .torn = "\n"                                   \
	}

const struct record_format record_text = TEXT(0);
const struct record_format record_milliseconds = TEXT(3);
const struct record_format record_microseconds = TEXT(6);
