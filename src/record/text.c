/* SPDX-License-Identifier: MIT */
/* Records as text: LEVEL<TAB>| TIME --SUBJECT EVENT: BYTES. */
#include <string.h>

#include "base/decimal.h"
#include "record/escape.h"
#include "record/format.h"

static const char *const level_names[] = {"INFO\t| ", "WARNING\t| ", NULL};
static const char *const event_names[] = {" received: ", " sent: ", " ignored: ", " ", NULL};

enum { HEAD_MAX = 64 }; /* bytes around the subject */

/* Appends the record as far as its subject. */
static bool append_subject(const struct record_format *format, struct buffer *buffer,
			   const struct stamp *stamp, const struct record *record)
{
	size_t subject_length = strlen(record->subject);
	if (!buffer_reserve(buffer, HEAD_MAX + subject_length))
		return false;
	char *out = stpcpy(buffer->bytes + buffer->length, level_names[record->level]);
	out = mempcpy(out, stamp->local, STAMP_LENGTH);
	if (format->digits)
		out = stamp_put_fraction(out, stamp, format->digits);
	out = mempcpy(stpcpy(out, " --"), record->subject, subject_length);
	buffer->length = (size_t)(out - buffer->bytes);
	return true;
}

/* Appends " SENDER#". A backslash is the only byte of a sender that may have to be escaped. */
static bool append_sender(struct buffer *buffer, const char *sender)
{
	return buffer_append(buffer, " ", 1) && record_escape(buffer, sender, strlen(sender)) &&
	       buffer_append(buffer, "#", 1);
}

/* Does the record have the same head as the one before? */
static bool is_alike(const struct record_before *before, const struct record *record)
{
	return before->length && before->level == record->level &&
	       before->subject == record->subject && before->sender == record->sender;
}

/* Makes a number's digits those of the next one, `number`. Returns how many they are. What was just
 * written is not read, which would cost more than all the rest. */
static size_t count_up(char *digits, size_t count, uint64_t number)
{
	uint64_t rest = number;
	for (size_t at = count; at > 0; rest /= 10) {
		digits[--at] = (char)('0' + rest % 10);
		if (rest % 10) /* mostly */
			return count;
	}
	return decimal_write(digits, number); /* it has one more */
}

/* Appends the head of the record before, and the number. */
static bool repeat_head(struct buffer *buffer, struct record_before *before, uint64_t number)
{
	size_t length = before->length + before->digits;
	if (!buffer_reserve(buffer, before->length + DECIMAL_MAX))
		return false;
	char *out = buffer->bytes + buffer->length;
	memcpy(out, buffer->bytes + before->start, length);
	before->start = buffer->length;
	if (before->digits) {
		char *digits = out + before->length;
		before->digits = number == before->number + 1
					 ? count_up(digits, before->digits, number)
					 : decimal_write(digits, number);
		before->number = number;
	}
	buffer->length += before->length + before->digits;
	return true;
}

/* Appends the head and the number, and notes them for the next record. */
static bool append_head(const struct record_format *format, struct buffer *buffer,
			const struct stamp *stamp, const struct record *record,
			struct record_before *before)
{
	size_t start = buffer->length;
	if (!append_subject(format, buffer, stamp, record) ||
	    (record->sender && !append_sender(buffer, record->sender)) ||
	    !buffer_reserve(buffer, DECIMAL_MAX))
		return false;
	*before = (struct record_before){.level = record->level,
					 .subject = record->subject,
					 .sender = record->sender,
					 .number = record->number,
					 .start = start,
					 .length = buffer->length - start};
	if (record->sender)
		before->digits = decimal_write(buffer->bytes + buffer->length, record->number);
	buffer->length += before->digits;
	return true;
}

static bool append(const struct record_format *format, struct buffer *buffer,
		   const struct stamp *stamp, const struct record *record)
{
	struct record_before none = {0}, *before = record->before ? record->before : &none;
	bool appended = is_alike(before, record)
				? repeat_head(buffer, before, record->number)
				: append_head(format, buffer, stamp, record, before);
	return appended && buffer_append_string(buffer, event_names[record->event]) &&
	       record_escape(buffer, record->bytes, record->length) &&
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
		.digits = (fraction), .header = ""                                                 \
	}

const struct record_format record_text = TEXT(0);
const struct record_format record_milliseconds = TEXT(3);
const struct record_format record_microseconds = TEXT(6);
