/* SPDX-License-Identifier: MIT */
#include "record/exchange.h"

#include <string.h>

#include "record/escape.h"

enum { TIME_AT = 11 }; /* of DATE TIME; in print formats, a date has 10 bytes and a time 12 */

static const char ignored[] = "(ignored)", time_name[] = "time", request_name[] = "request";

/* DATE TIME, with a blank between them. */
static void put_time(char out[EXCHANGE_TIME], const struct stamp *stamp)
{
	memcpy(out, stamp->local, STAMP_LENGTH);
	(void)stamp_put_fraction(out + STAMP_LENGTH, stamp, 3);
}

void exchange_request_init(struct exchange_request *request, const struct stamp *stamp,
			   const char *bytes, size_t length)
{
	put_time(request->time, stamp);
	request->fields[0] = (struct record_field){time_name, {request->time, EXCHANGE_TIME}};
	request->fields[1] = (struct record_field){request_name, {bytes, length}};
	request->fields[2] = (struct record_field){0};
}

/* A ';' in it would end the field, so it is escaped too. */
static bool append_field(struct buffer *buffer, struct slice rest)
{
	struct slice part;
	while (slice_cut(&rest, ';', &part))
		if (!record_escape(buffer, part.bytes, part.length) ||
		    !buffer_append_string(buffer, "\\x3b"))
			return false;
	return record_escape(buffer, rest.bytes, rest.length);
}

static bool append_fields(struct buffer *buffer, const char *now, const struct record *record,
			  const struct slice *request)
{
	bool note = record->event == RECORD_NOTE;
	const char *time = request ? record_find(record, time_name)->bytes : now;
	if (!buffer_printf(buffer, "%.10s;%.12s;", time, request || note ? time + TIME_AT : ""))
		return false;
	if (note)
		return buffer_append_string(buffer,
					    record->level == RECORD_WARNING ? "WARNING: " : "") &&
		       append_field(buffer, slice_of(record->subject)) &&
		       buffer_append_string(buffer, " ") &&
		       append_field(buffer, (struct slice){record->bytes, record->length}) &&
		       buffer_append_string(buffer, ";;\n");
	if (request && !append_field(buffer, *request))
		return false;
	if (record->event == RECORD_IGNORED)
		return buffer_printf(buffer, ";%s;%s\n", ignored, ignored);
	return buffer_printf(buffer, ";%.12s;", now + TIME_AT) &&
	       append_field(buffer, (struct slice){record->bytes, record->length}) &&
	       buffer_append_string(buffer, "\n");
}

static bool append(const struct record_format *format, struct buffer *buffer,
		   const struct stamp *stamp, const struct record *record)
{
	(void)format;
	const struct slice *request = record_find(record, request_name);
	char now[EXCHANGE_TIME];
	if (record->event == RECORD_RECEIVED && !request)
		return true;
	put_time(now, stamp);
	return append_fields(buffer, now, record, request);
}

static bool begins(struct slice head)
{
	return slice_skip_shape(&head, "dddd-dd-dd;");
}

const struct record_format record_exchange = {.append = append,
					      .name = "text of ping",
					      .begins = begins,
					      .digits = 3,
					      .header = "",
					      .pairs = true};

static bool has_shape(struct slice field, const char *shape)
{
	return slice_skip_shape(&field, shape) && !field.length;
}

bool exchange_read(struct slice line, struct exchange *exchange)
{
	static const char time[] = "dd:dd:dd.ddd";
	if (!slice_cut(&line, ';', &exchange->date) || !slice_cut(&line, ';', &exchange->time) ||
	    !slice_cut(&line, ';', &exchange->request) ||
	    !slice_cut(&line, ';', &exchange->answer_time) ||
	    memchr(line.bytes, ';', line.length) || !has_shape(exchange->date, "dddd-dd-dd"))
		return false;
	exchange->answer = line;
	bool requested = has_shape(exchange->time, time) && exchange->request.length > 0;
	if (!requested && (exchange->time.length || exchange->request.length))
		return false;
	if (has_shape(exchange->answer_time, time))
		return line.length > 0;
	if (slice_equals(exchange->answer_time, ignored))
		return requested && slice_equals(line, ignored);
	return requested && !exchange->answer_time.length && !line.length;
}
