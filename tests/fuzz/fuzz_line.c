/* SPDX-License-Identifier: MIT */
/* What a peer can send, into the two modules that look at it byte by byte: line.c, against a
 * splitter that has all input in memory, and record.c, which has to make one printable line of
 * anything and to find the way back. abort() says that something is wrong. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/line_splitter.h"
#include "record/escape.h"
#include "record/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- lines --- */

/* The splitter that cannot be wrong: the input not yet given out, and nothing else. */
struct simple {
	const char *bytes;
	size_t length;
	size_t limit;
};

static enum line_result simple_next(struct simple *simple, const char **line, size_t *length)
{
	const char *feed = simple->length ? memchr(simple->bytes, '\n', simple->length) : NULL;
	if (!feed)
		return LINE_NONE;
	size_t taken = (size_t)(feed + 1 - simple->bytes);
	*line = simple->bytes;
	*length = taken - 1;
	if (*length && (*line)[*length - 1] == '\r')
		--*length;
	simple->bytes += taken;
	simple->length -= taken;
	return *length > simple->limit ? LINE_TOO_LONG : LINE_FOUND;
}

/* At the end: what stands behind the last LF is the rest, or one more line that is too long. */
static void check_rest(struct line_splitter *buffer, struct simple *simple, bool told)
{
	const char *rest;
	size_t length = line_remainder(buffer, &rest);
	bool kept = simple->length <= simple->limit || (simple->length == simple->limit + 1 &&
							simple->bytes[simple->length - 1] == '\r');
	if (simple->length && memchr(simple->bytes, '\n', simple->length))
		abort(); /* a line that was not given out */
	if (told == kept || length != (kept ? simple->length : 0) ||
	    (length && memcmp(rest, simple->bytes, length) != 0))
		abort();
}

/* All lines that are there must be the next of the simple splitter's; one that is too long may be
 * told of before its end has come, as `told` says then. */
static void check_lines(struct line_splitter *buffer, struct simple *simple, bool *told)
{
	const char *line, *expected;
	size_t length, expected_length;
	enum line_result result;
	while ((result = line_next(buffer, &line, &length)) != LINE_NONE) {
		struct simple before = *simple;
		enum line_result next = simple_next(simple, &expected, &expected_length);
		if (*told && next != LINE_TOO_LONG)
			abort();
		if (*told) /* that one was given out already */
			next = simple_next(simple, &expected, &expected_length);
		*told = false;
		if (result != next && result == LINE_TOO_LONG && next == LINE_NONE) {
			*told = true;
			continue;
		}
		if (result != next ||
		    (result == LINE_FOUND &&
		     (length != expected_length || memcmp(line, expected, length) != 0)) ||
		    before.length == simple->length)
			abort();
	}
}

static void receive(struct line_splitter *buffer, const char *bytes, size_t length)
{
	size_t room;
	char *space = line_space(buffer, &room);
	if (!space || room < length || buffer->capacity > 65536)
		abort();
	memcpy(space, bytes, length);
	line_filled(buffer, length);
}

/* The first byte chooses the limit, each chunk's first byte how long it is. */
static void check_splitting(const char *data, size_t size)
{
	struct line_splitter buffer;
	char *input = malloc(size + 1);
	size_t limit = 1 + (unsigned char)*data % 40;
	if (!input)
		abort();
	line_init(&buffer, limit);
	struct simple simple = {input, 0, limit};
	size_t given = 0;
	bool told = false;
	for (size_t i = 1; i < size;) {
		size_t length = (unsigned char)data[i++] % 64;
		length = length < size - i ? length : size - i;
		if (!length)
			continue; /* a receive of nothing is the end */
		memcpy(input + given, data + i, length);
		receive(&buffer, data + i, length);
		given += length;
		simple.length += length;
		i += length;
		check_lines(&buffer, &simple, &told);
	}
	if (told) { /* still inside that line, or its end was the last byte */
		const char *line;
		size_t length;
		told = simple_next(&simple, &line, &length) == LINE_NONE;
	}
	check_rest(&buffer, &simple, told);
	line_free(&buffer);
	free(input);
}

/* --- records --- */

static const struct stamp stamp = {1, "2019-02-24 15:10:14", "+00:00", 45678};

/* The code point of the shortest UTF-8 at bytes, with its length; 0: there is none. */
static uint32_t decode(const unsigned char *bytes, size_t length, size_t *used)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need = 1;
	uint32_t point = bytes[0];
	if (point >= 0x80) {
		need = point >> 5 == 6 ? 2 : point >> 4 == 14 ? 3 : point >> 3 == 30 ? 4 : 0;
		if (!need || need > length)
			return 0;
		point &= 0x7fu >> need;
	}
	for (size_t i = 1; i < need; i++) {
		if (bytes[i] >> 6 != 2)
			return 0;
		point = point << 6 | (bytes[i] & 63u);
	}
	*used = need;
	return point < least[need] || point > 0x10ffff || point >> 11 == 0x1b ? 0 : point;
}

/* No control bytes, no separators, nothing that turns the text round, and all of it UTF-8. */
static void check_printable(const char *bytes, size_t length)
{
	while (length) {
		size_t used = 0;
		uint32_t point = decode((const unsigned char *)bytes, length, &used);
		if ((point < 0x20 && point != '\t') || (point >= 0x7f && point < 0xa0) ||
		    point == 0x61c || point == 0x200e || point == 0x200f ||
		    (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069))
			abort();
		bytes += used;
		length -= used;
	}
}

/* Any bytes make one line in each format, which tells of them and nothing else. */
static void check_record(const struct record_format *format, const char *data, size_t size)
{
	struct buffer text = {0};
	struct record record = {.level = size & 1 ? RECORD_WARNING : RECORD_INFO,
				.subject = "127.0.0.1:2005",
				.bytes = data,
				.length = size};
	struct record_view view;
	if (!format->append(format, &text, &stamp, &record) || text.bytes[text.length - 1] != '\n')
		abort();
	check_printable(text.bytes, text.length - 1);
	if (!format->read) /* the line alone */
		view.bytes = (struct slice){text.bytes, text.length - 1};
	else if (!record_read(text.bytes, text.length - 1, &view) || view.level != record.level ||
		 view.event != RECORD_RECEIVED || view.subject.length != strlen(record.subject) ||
		 memcmp(view.subject.bytes, record.subject, view.subject.length) != 0)
		abort();
	if (view.bytes.length && memchr(view.bytes.bytes, '\t', view.bytes.length))
		abort();
	char *bytes = text.bytes + (view.bytes.bytes - text.bytes);
	if (record_unescape(bytes, view.bytes.length) != size || memcmp(bytes, data, size) != 0)
		abort();
	buffer_free(&text);
}

/* A log is read that anybody may have written. */
static void check_reading(const char *data, size_t size)
{
	struct record_view view;
	char *copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (record_read(copy, size, &view)) {
		const char *end = copy + size;
		if (view.time.bytes < copy ||
		    view.subject.bytes < view.time.bytes + view.time.length ||
		    view.bytes.bytes < view.subject.bytes ||
		    view.bytes.bytes + view.bytes.length > end || !view.subject.length ||
		    view.subject.bytes + view.subject.length >= view.bytes.bytes)
			abort();
	} else if (memcmp(copy, data, size) != 0) {
		abort();
	}
	memcpy(copy, data, size);
	if (record_unescape(copy, size) > size)
		abort();
	free(copy);
}

/* Chance alone would not come to where the fields are that a peer has a hand in. */
static void check_reading_behind(const char *head, const char *data, size_t size)
{
	struct buffer line = {0};
	if (!buffer_append_string(&line, head) || !buffer_append(&line, data, size))
		abort();
	check_reading(line.bytes, line.length);
	buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	if (!size)
		return 0;
	check_splitting(bytes, size);
	for (const struct record_format *const *format = record_formats; *format; format++)
		check_record(*format, bytes, size);
	check_record(&record_milliseconds, bytes, size);
	check_reading(bytes, size);
	check_reading_behind("2019-02-24T15:10:14.045678+00:00,INFO,a,sent,", bytes, size);
	check_reading_behind("2019-02-24T15:10:14.045678+00:00,INFO,\"", bytes, size);
	check_reading_behind("{\"time\":\"2019-02-24T15:10:14.045678+00:00\",\"level\":\"INFO\","
			     "\"peer\":\"",
			     bytes, size);
	return 0;
}
