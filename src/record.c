/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *const record_format_names[] = {"text", NULL};

static const char *const level_names[] = {"INFO\t| ", "WARNING\t| "};
static const char *const event_names[] = {" received: ", " sent: ", " "};

enum { STAMP_LENGTH = 19 };

void stamp_update(struct stamp *stamp)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	if (now.tv_sec == stamp->second && stamp->local[0])
		return;
	struct tm local;
	if (!localtime_r(&now.tv_sec, &local) ||
	    strftime(stamp->local, sizeof stamp->local, "%Y-%m-%d %H:%M:%S", &local) !=
		    STAMP_LENGTH)
		memcpy(stamp->local, "0000-00-00 00:00:00", sizeof stamp->local); /* year 10000 */
	stamp->second = now.tv_sec;
}

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

bool record_escape(struct text *text, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	if (!text_reserve(text, length * 4)) /* the worst case, so that nothing can fail below */
		return false;
	char *out = text->bytes + text->length;
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
	text->length = (size_t)(out - text->bytes);
	return true;
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

static char *put(char *out, const char *bytes, size_t length)
{
	memcpy(out, bytes, length);
	return out + length;
}

static bool append_text(struct text *text, const struct stamp *stamp, const struct record *record)
{
	const char *level = level_names[record->level], *event = event_names[record->event];
	size_t subject_length = strlen(record->subject);
	size_t before = text->length;
	if (!text_reserve(text, 64 + subject_length))
		return false;
	char *out = text->bytes + before;
	out = put(out, level, strlen(level));
	out = put(out, stamp->local, STAMP_LENGTH);
	out = put(out, " --", 3);
	out = put(out, record->subject, subject_length);
	out = put(out, event, strlen(event));
	text->length = (size_t)(out - text->bytes);
	if (record_escape(text, record->bytes, record->length) && text_append(text, "\n", 1))
		return true;
	text->length = before;
	return false;
}

bool record_append(struct text *text, enum record_format format, const struct stamp *stamp,
		   const struct record *record)
{
	switch (format) {
	case RECORD_TEXT:
		return append_text(text, stamp, record);
	}
	return false;
}

static bool read_word(const char **at, const char *end, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(end - *at) < length || memcmp(*at, word, length))
		return false;
	*at += length;
	return true;
}

static bool read_time(const char **at, const char *end)
{
	static const char pattern[] = "dddd-dd-dd dd:dd:dd";
	if (end - *at < STAMP_LENGTH)
		return false;
	for (int i = 0; i < STAMP_LENGTH; i++) {
		unsigned char byte = (unsigned char)(*at)[i];
		if (pattern[i] == 'd' ? !isdigit(byte) : byte != (unsigned char)pattern[i])
			return false;
	}
	*at += STAMP_LENGTH;
	return true;
}

bool record_read(const char *line, size_t length, struct record_view *view)
{
	const char *at = line, *end = line + length;
	for (int i = RECORD_INFO;; i++) {
		if (i > RECORD_WARNING)
			return false;
		view->level = (enum record_level)i;
		if (read_word(&at, end, level_names[i]))
			break;
	}
	view->time = at;
	if (!read_time(&at, end) || !read_word(&at, end, " --"))
		return false;
	view->subject = at;
	const char *blank = memchr(at, ' ', (size_t)(end - at));
	if (!blank || blank == at)
		return false;
	view->subject_length = (size_t)(blank - at);
	at = blank;
	view->event = RECORD_RECEIVED;
	while (!read_word(&at, end, event_names[view->event]))
		view->event++;
	view->bytes = at;
	view->length = (size_t)(end - at);
	return true;
}
