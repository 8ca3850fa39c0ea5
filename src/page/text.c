/* SPDX-License-Identifier: MIT */
#include "page/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "measure/histogram.h"

static const char *html_entity(char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

bool text_append_html(struct buffer *buffer, struct slice text)
{
	bool done = true;
	for (size_t i = 0; i < text.length && done; i++) {
		const char *entity = html_entity(text.bytes[i]);
		done = entity ? buffer_append_string(buffer, entity)
			      : buffer_append(buffer, &text.bytes[i], 1);
	}
	return done;
}

bool text_append_json(struct buffer *buffer, struct slice text)
{
	bool done = buffer_append(buffer, "\"", 1);
	for (size_t i = 0; i < text.length && done; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];
		if (byte < ' ' || byte == '"' || byte == '\\')
			done = buffer_printf(buffer, "\\u%04x", byte);
		else
			done = buffer_append(buffer, &text.bytes[i], 1);
	}
	return done && buffer_append(buffer, "\"", 1);
}

/* A byte of a character of UTF-8 that is not its first. */
static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

struct slice text_excerpt(struct slice text, size_t max)
{
	while (text.length && continues(*text.bytes))
		slice_drop(&text, 1);
	if (text.length <= max)
		return text;
	text.length = max;
	while (text.length && continues(text.bytes[text.length]))
		text.length--;
	return text;
}

void text_number(double number, char text[TEXT_NUMBER_SIZE])
{
	char digits[TEXT_NUMBER_SIZE];
	int length = snprintf(digits, sizeof digits, "%.0f", number < 1e15 ? number : 1e15);
	char *out = text;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
}

void text_bytes(double bytes, char text[TEXT_NUMBER_SIZE])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;
	for (; bytes >= 999.5 && unit < sizeof units / sizeof *units - 1; unit++)
		bytes /= 1000;
	(void)snprintf(text, TEXT_NUMBER_SIZE, "%.3g %s", bytes, units[unit]);
}

void text_duration(double nanoseconds, char text[TEXT_NUMBER_SIZE])
{
	if (nanoseconds <= 0)
		(void)strcpy(text, "–");
	else
		duration_format((int64_t)nanoseconds, text);
}

void text_period(double seconds, char text[TEXT_NUMBER_SIZE])
{
	int64_t whole = (int64_t)seconds, minutes = whole / 60, hours = minutes / 60;
	if (hours >= 24)
		(void)snprintf(text, TEXT_NUMBER_SIZE, "%" PRId64 " d %" PRId64 " h", hours / 24,
			       hours % 24);
	else if (hours)
		(void)snprintf(text, TEXT_NUMBER_SIZE, "%" PRId64 " h %" PRId64 " min", hours,
			       minutes % 60);
	else if (minutes)
		(void)snprintf(text, TEXT_NUMBER_SIZE, "%" PRId64 " min %" PRId64 " s", minutes,
			       whole % 60);
	else
		(void)snprintf(text, TEXT_NUMBER_SIZE, "%" PRId64 " s", whole);
}
