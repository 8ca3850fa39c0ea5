/* SPDX-License-Identifier: MIT */
/* Records of requests with their answers, one of five fields for both:
 *   DATE;TIME;REQUEST;TIME;ANSWER    the second time is the answer's
 *   DATE;TIME;REQUEST;(ignored);(ignored)
 *   DATE;TIME;REQUEST;TIME;(timeout)
 *   DATE;;;TIME;MESSAGE              sent or received without a request
 *   DATE;TIME;WORDS;;                a note
 * with dates as YYYY-MM-DD and times as HH:MM:SS.mmm. The date is that of the first time. */
#include <string.h>

#include "record/scan.h"

enum { DATE_LENGTH = 10, TIME_LENGTH = 12 };

static bool append_date(struct buffer *text, const struct stamp *stamp)
{
	return buffer_append(text, stamp->local, DATE_LENGTH) && buffer_append(text, ";", 1);
}

static bool append_time(struct buffer *text, const struct stamp *stamp)
{
	char time[TIME_LENGTH];
	size_t seconds = STAMP_LENGTH - DATE_LENGTH - 1;
	memcpy(time, stamp->local + DATE_LENGTH + 1, seconds);
	(void)record_put_fraction(time + seconds, stamp, 3);
	return buffer_append(text, time, TIME_LENGTH);
}

/* A ';' in it would end the field: it is escaped as other bytes are that cannot stand there. */
static bool append_field(struct buffer *text, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	while (bytes < end) {
		const char *mark = memchr(bytes, ';', (size_t)(end - bytes));
		size_t part = (size_t)((mark ? mark : end) - bytes);
		if (!record_escape(text, bytes, part) || (mark && !buffer_append(text, "\\x3b", 4)))
			return false;
		bytes += part + (mark != NULL);
	}
	return true;
}

static bool append_note(struct buffer *text, const struct stamp *stamp, const struct record *record)
{
	const char *level = record->level == RECORD_WARNING ? "WARNING: " : "";
	return append_date(text, stamp) && append_time(text, stamp) &&
	       buffer_append(text, ";", 1) && buffer_append_string(text, level) &&
	       append_field(text, record->subject, strlen(record->subject)) &&
	       buffer_append(text, " ", 1) && append_field(text, record->bytes, record->length) &&
	       buffer_append(text, ";;\n", 3);
}

static bool append_request(struct buffer *text, const struct stamp *stamp,
			   const struct record_request *request)
{
	if (!request)
		return append_date(text, stamp) && buffer_append(text, ";;", 2);
	return append_date(text, &request->stamp) && append_time(text, &request->stamp) &&
	       buffer_append(text, ";", 1) && append_field(text, request->bytes, request->length) &&
	       buffer_append(text, ";", 1);
}

static bool append_answer(struct buffer *text, const struct stamp *stamp,
			  const struct record *record)
{
	if (record->event == RECORD_IGNORED)
		return buffer_append_string(text, "(ignored);(ignored)\n");
	if (!append_time(text, stamp) || !buffer_append(text, ";", 1))
		return false;
	if (record->event == RECORD_TIMEOUT)
		return buffer_append_string(text, "(timeout)\n");
	return append_field(text, record->bytes, record->length) && buffer_append(text, "\n", 1);
}

bool record_append_pair(struct buffer *text, const struct stamp *stamp, const struct record *record)
{
	size_t before = text->length;
	if (record->event == RECORD_RECEIVED && !record->request)
		return true;
	bool note = record->event == RECORD_NOTE;
	if (note ? append_note(text, stamp, record)
		 : append_request(text, stamp, record->request) &&
			    append_answer(text, stamp, record))
		return true;
	text->length = before;
	return false;
}

/* The field up to the next mark, or to the end; steps over the mark. False: there is none where
 * there should be one, or one where there should be none. */
static bool read_field(const char **at, const char *end, bool last, struct record_field *field)
{
	const char *mark = memchr(*at, ';', (size_t)(end - *at));
	if (last != !mark)
		return false;
	*field = (struct record_field){*at, (size_t)((mark ? mark : end) - *at)};
	*at = mark ? mark + 1 : end;
	return true;
}

static bool has_shape(const struct record_field *field, const char *shape)
{
	char *at = (char *)(uintptr_t)field->bytes; /* only read */
	return field->length == strlen(shape) &&
	       record_read_shape(&at, field->bytes + field->length, shape);
}

static bool is_word(const struct record_field *field, const char *word)
{
	return field->length == strlen(word) && !memcmp(field->bytes, word, field->length);
}

bool record_read_pair(const char *line, size_t length, struct record_pair *pair)
{
	static const char time[] = "dd:dd:dd.ddd";
	const char *at = line, *end = line + length;
	if (!read_field(&at, end, false, &pair->date) ||
	    !read_field(&at, end, false, &pair->time) ||
	    !read_field(&at, end, false, &pair->request) ||
	    !read_field(&at, end, false, &pair->answer_time) ||
	    !read_field(&at, end, true, &pair->answer) || !has_shape(&pair->date, "dddd-dd-dd"))
		return false;
	bool asked = has_shape(&pair->time, time) && pair->request.length > 0;
	if (!asked && (pair->time.length || pair->request.length))
		return false;
	if (has_shape(&pair->answer_time, time))
		return pair->answer.length > 0;
	if (is_word(&pair->answer_time, "(ignored)"))
		return asked && is_word(&pair->answer, "(ignored)");
	return asked && !pair->answer_time.length && !pair->answer.length;
}
