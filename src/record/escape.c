/* SPDX-License-Identifier: MIT */
#include "record/escape.h"

#include <stdint.h>
#include <string.h>

/* Eight bytes at once: are all of them printable ASCII other than the backslash? */
static bool plain_word(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
	uint64_t high = word;			       /* top bit: not ASCII */
	uint64_t control = word - ones * 0x20;	       /* borrows below 0x20 */
	uint64_t rubout = (word ^ ones * 0x7f) - ones; /* borrows at 0x7f */
	uint64_t slash = (word ^ ones * '\\') - ones;
	return !((high | control | rubout | slash) & tops);
}

static bool plain_byte(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

/* How many bytes from here on need no second look. */
static size_t plain_run(const char *bytes, size_t length)
{
	size_t i = 0;
	for (uint64_t word; i + sizeof word <= length; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		if (!plain_word(word))
			break;
	}
	while (i < length && plain_byte((unsigned char)bytes[i]))
		i++;
	return i;
}

/* The length of the valid UTF-8 sequence at bytes, by table 3-7 of the Unicode standard, with its
 * code point; 0 where there is none. Only for bytes from 0x80 on. */
static size_t utf8_sequence(const unsigned char *bytes, size_t length, uint32_t *point)
{
	unsigned char first = bytes[0];
	size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || need > length)
		return 0;
	uint32_t value = first & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3fu);
	}
	bool overlong = (need == 3 && value < 0x800) || (need == 4 && value < 0x10000);
	if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*point = value;
	return need;
}

/* Code points that act on a terminal or on the lay-out of the line instead of being seen. */
static bool acts(uint32_t point)
{
	return point < 0xa0 || point == 0x061c || (point >= 0x200e && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

/* How many bytes at the head of the rest may stay as they are; 0: escape one byte. */
static size_t readable_head(const char *bytes, size_t length)
{
	unsigned char first = (unsigned char)*bytes;
	if (first == '\\')
		return length > 1 && bytes[1] == 'x' ? 0 : 1;
	if (first < 0x80)
		return plain_byte(first) ? 1 : 0;
	uint32_t point;
	size_t sequence = utf8_sequence((const unsigned char *)bytes, length, &point);
	return sequence && !acts(point) ? sequence : 0;
}

bool record_escape(struct buffer *buffer, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	if (!buffer_reserve(buffer, length * 4)) /* the most it can become */
		return false;
	char *out = buffer->bytes + buffer->length;
	for (size_t i = 0; i < length;) {
		size_t run = plain_run(bytes + i, length - i);
		if (!run && !(run = readable_head(bytes + i, length - i))) {
			unsigned char byte = (unsigned char)bytes[i++];
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[byte >> 4];
			*out++ = digits[byte & 15];
			continue;
		}
		memcpy(out, bytes + i, run);
		out += run;
		i += run;
	}
	buffer->length = (size_t)(out - buffer->bytes);
	return true;
}

const char *record_excerpt(char excerpt[EXCERPT_SIZE], const char *bytes, size_t length)
{
	bool cut = length > EXCERPT_MAX;
	struct buffer out = {.bytes = excerpt, .capacity = EXCERPT_SIZE}; /* need not grow */
	(void)record_escape(&out, bytes, cut ? EXCERPT_MAX : length);
	strcpy(excerpt + out.length, cut ? "..." : "");
	return excerpt;
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

size_t record_unescape(char *bytes, size_t length)
{
	size_t out = 0;
	for (size_t i = 0; i < length; out++) {
		bool escape = length - i >= 4 && bytes[i] == '\\' && bytes[i + 1] == 'x';
		int high = escape ? digit_value(bytes[i + 2]) : -1;
		int low = escape ? digit_value(bytes[i + 3]) : -1;
		escape = high >= 0 && low >= 0;
		bytes[out] = escape ? (char)(unsigned char)(high * 16 + low) : bytes[i];
		i += escape ? 4 : 1;
	}
	return out;
}

bool record_escape_rest(struct buffer *buffer, const char *bytes, size_t length)
{
	struct buffer plain = {0};
	bool complete = buffer_append(&plain, bytes, length);
	if (complete && length)
		plain.length = record_unescape(plain.bytes, length);
	complete = complete && record_escape(buffer, plain.bytes, plain.length);
	buffer_free(&plain);
	return complete;
}

bool record_mark(struct buffer *buffer, size_t start, char mark, char other)
{
	size_t count = 0;
	for (size_t i = start; i < buffer->length; i++)
		count += buffer->bytes[i] == mark || buffer->bytes[i] == other;
	if (!buffer_reserve(buffer, count))
		return false;
	char *from = buffer->bytes + buffer->length, *to = from + count;
	buffer->length += count;
	while (from < to) { /* they meet at the first one */
		char byte = *--to = *--from;
		if (byte == mark || byte == other)
			*--to = mark;
	}
	return true;
}
