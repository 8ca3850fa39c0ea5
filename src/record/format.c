/* SPDX-License-Identifier: MIT */
#include "record/format.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "record/scan.h"

const char *const record_format_names[] = {"text", "csv", "json", NULL};

static const char *const level_names[] = {"INFO\t| ", "WARNING\t| ", NULL};
static const char *const event_names[] = {
	" received: ", " sent: ", " ignored: ", " timeout: ", " ", NULL};

/* Sets what changes once a second at most. */
static void stamp_set_second(struct stamp *stamp, time_t second)
{
	struct tm local;
	stamp->second = second;
	if (localtime_r(&second, &local) &&
	    strftime(stamp->local, sizeof stamp->local, "%Y-%m-%d %H:%M:%S", &local) ==
		    STAMP_LENGTH &&
	    strftime(stamp->zone, sizeof stamp->zone, "%z", &local) == strlen("+HHMM")) {
		memmove(stamp->zone + 4, stamp->zone + 3, sizeof "MM");
		stamp->zone[3] = ':';
		return;
	}
	memcpy(stamp->local, "0000-00-00 00:00:00", sizeof stamp->local); /* year 10000 */
	memcpy(stamp->zone, "+00:00", sizeof stamp->zone);
}

void stamp_update(struct stamp *stamp)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	stamp->microsecond = (int32_t)(now.tv_nsec / 1000);
	if (now.tv_sec != stamp->second || !stamp->local[0])
		stamp_set_second(stamp, now.tv_sec);
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

bool record_escape(struct buffer *text, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	if (!buffer_reserve(text, length * 4)) /* the worst case, so that nothing can fail below */
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

char *record_put_fraction(char *out, const struct stamp *stamp, int digits)
{
	int32_t value = stamp->microsecond;
	*out = '.';
	for (int i = 6; i > 0; i--, value /= 10)
		if (i <= digits)
			out[i] = (char)('0' + value % 10);
	return out + 1 + digits;
}

/* With so many digits of the fraction of the second. */
static bool append_text(struct buffer *text, int digits, const struct stamp *stamp,
			const struct record *record)
{
	const char *level = level_names[record->level], *event = event_names[record->event];
	size_t subject_length = strlen(record->subject);
	size_t before = text->length;
	if (!buffer_reserve(text, 64 + subject_length))
		return false;
	char *out = text->bytes + before;
	out = put(out, level, strlen(level));
	out = put(out, stamp->local, STAMP_LENGTH);
	if (digits)
		out = record_put_fraction(out, stamp, digits);
	out = put(out, " --", 3);
	out = put(out, record->subject, subject_length);
	out = put(out, event, strlen(event));
	text->length = (size_t)(out - text->bytes);
	if (record_escape(text, record->bytes, record->length) && buffer_append(text, "\n", 1))
		return true;
	text->length = before;
	return false;
}

bool record_append(struct buffer *text, enum record_format format, const struct stamp *stamp,
		   const struct record *record)
{
	switch (format) {
	case RECORD_TEXT:
		return append_text(text, 0, stamp, record);
	case RECORD_MILLISECONDS:
		return append_text(text, 3, stamp, record);
	case RECORD_MICROSECONDS:
		return append_text(text, 6, stamp, record);
	case RECORD_PAIRS:
		return record_append_pair(text, stamp, record);
	case RECORD_CSV:
	case RECORD_JSON:
		return record_append_fields(text, format, stamp, record);
	}
	return false;
}

bool record_read_word(char **at, const char *end, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(end - *at) < length || memcmp(*at, word, length))
		return false;
	*at += length;
	return true;
}

static bool fits(char shape, unsigned char byte)
{
	switch (shape) {
	case 'd':
		return isdigit(byte);
	case '+':
		return byte == '+' || byte == '-';
	default:
		return byte == (unsigned char)shape;
	}
}

bool record_read_shape(char **at, const char *end, const char *shape)
{
	size_t length = strlen(shape);
	if ((size_t)(end - *at) < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!fits(shape[i], (unsigned char)(*at)[i]))
			return false;
	*at += length;
	return true;
}

bool record_read_name(char **at, const char *end, const char *const *names, int *index)
{
	for (*index = 0; names[*index]; ++*index)
		if (record_read_word(at, end, names[*index]))
			return true;
	return false;
}

static bool read_time(char **at, const char *end, struct record_view *view)
{
	view->time = *at;
	if (!record_read_shape(at, end, "dddd-dd-dd dd:dd:dd"))
		return false;
	if (!record_read_shape(at, end, ".dddddd"))	  /* of RECORD_MICROSECONDS */
		(void)record_read_shape(at, end, ".ddd"); /* of RECORD_MILLISECONDS */
	view->time_length = (size_t)(*at - view->time);
	return true;
}

static bool read_text(char *line, size_t length, struct record_view *view)
{
	char *at = line, *end = line + length;
	int level, event;
	if (!record_read_name(&at, end, level_names, &level) || !read_time(&at, end, view) ||
	    !record_read_word(&at, end, " --"))
		return false;
	view->level = (enum record_level)level;
	view->subject = at;
	char *blank = memchr(at, ' ', (size_t)(end - at));
	if (!blank || blank == at)
		return false;
	view->subject_length = (size_t)(blank - at);
	at = blank;
	if (!record_read_name(&at, end, event_names, &event))
		return false;
	view->event = (enum record_event)event;
	view->bytes = at;
	view->length = (size_t)(end - at);
	return true;
}

bool record_read(char *line, size_t length, struct record_view *view)
{
	if (length && *line == '{')
		return record_read_fields(line, length, RECORD_JSON, view);
	if (length && isdigit((unsigned char)*line))
		return record_read_fields(line, length, RECORD_CSV, view);
	return read_text(line, length, view);
}
