/* SPDX-License-Identifier: MIT */
/* A histogram is encoded in three layers: its counts (version 2, as signed numbers of variable
 * length), compressed by zlib, in base64. zlib takes blocks that are only stored, which need no
 * library: a histogram has a few kilobytes. */
#include "measure/hdr_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "record/escape.h"

enum {
	COOKIE = 0x1c849313,	 /* of counts, version 2, of variable length */
	COMPRESSED = 0x1c849314, /* of the same, compressed */
	DIGITS = 2,		 /* significant ones: 128 buckets for each power of two */
	STORED_MAX = 65535,	 /* bytes of a stored block */
	LEAST_POWER = 42,	 /* values below 2 to the power of it can always be added */
	COUNT_SIZE = 9,		 /* longest encoded count */
};

bool hdr_log_header(struct buffer *buffer, const char *program, int64_t began)
{
	char date[64] = "";
	time_t seconds = (time_t)(began / CLOCK_SECOND);
	struct tm day;
	if (localtime_r(&seconds, &day))
		(void)strftime(date, sizeof date, "%a %b %d %H:%M:%S %Z %Y", &day);
	return buffer_printf(buffer,
			     "#[Logged with %s]\n#[Histogram log format version 1.3]\n"
			     "#[StartTime: %" PRId64 ".%03d (seconds since epoch), %s]\n"
			     "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
			     "\"Interval_Compressed_Histogram\"\n",
			     program, began / CLOCK_SECOND,
			     (int)(began % CLOCK_SECOND / CLOCK_MILLISECOND), date);
}

bool hdr_log_comment(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, "#[", 2) && record_escape_rest(buffer, text, strlen(text)) &&
	       buffer_append(buffer, "]\n", 2);
}

/* --- counts --- */

static void put_big_endian(char *at, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		at[i] = (char)(value & 0xff);
}

static bool add_big_endian(struct buffer *buffer, uint64_t value, size_t bytes)
{
	char number[8];
	put_big_endian(number, value, bytes);
	return buffer_append(buffer, number, bytes);
}

/* Seven bits a byte, the lowest first; the ninth byte has eight. The sign is the lowest bit. */
static bool add_signed(struct buffer *buffer, int64_t value)
{
	uint64_t left = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
	char bytes[COUNT_SIZE];
	size_t length = 0;
	while (left > 0x7f && length < COUNT_SIZE - 1) {
		bytes[length++] = (char)(0x80 | (left & 0x7f));
		left >>= 7;
	}
	bytes[length++] = (char)left;
	return buffer_append(buffer, bytes, length);
}

/* Up to the last one that is not 0; runs of 0 are their length, negative. */
static bool add_counts(struct buffer *buffer, const struct histogram *histogram)
{
	int64_t zeros = 0;
	bool complete = true;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS && complete; i++) {
		uint64_t count = histogram->buckets[i];
		if (count && zeros)
			complete = add_signed(buffer, -zeros);
		if (count)
			complete = complete && add_signed(buffer, (int64_t)count);
		zeros = count ? 0 : zeros + 1;
	}
	return complete;
}

/* The highest value that can be counted: as few readers take one of 64 bits, no more than needed.
 */
static int64_t highest(const struct histogram *histogram)
{
	int64_t value = (INT64_C(1) << LEAST_POWER) - 1;
	while (histogram->count && value < histogram->max)
		value = value << 1 | 1;
	return value;
}

static bool encode(struct buffer *buffer, const struct histogram *histogram)
{
	static const uint64_t one = UINT64_C(0x3ff0000000000000); /* 1.0 */
	struct buffer counts = {0};
	bool complete = add_counts(&counts, histogram) && add_big_endian(buffer, COOKIE, 4) &&
			add_big_endian(buffer, counts.length, 4) && add_big_endian(buffer, 0, 4) &&
			add_big_endian(buffer, DIGITS, 4) && add_big_endian(buffer, 1, 8) &&
			add_big_endian(buffer, (uint64_t)highest(histogram), 8) &&
			add_big_endian(buffer, one, 8) &&
			buffer_append(buffer, counts.bytes, counts.length);
	buffer_free(&counts);
	return complete;
}

/* --- zlib, RFC 1950 and 1951 --- */

static uint32_t adler32(const char *bytes, size_t length)
{
	uint32_t low = 1, high = 0;
	for (size_t i = 0; i < length; i++) {
		low = (low + (unsigned char)bytes[i]) % 65521;
		high = (high + low) % 65521;
	}
	return high << 16 | low;
}

static bool add_stored(struct buffer *buffer, const char *bytes, size_t length)
{
	bool complete = buffer_append(buffer, "\x78\x01", 2);
	do {
		size_t block = length < STORED_MAX ? length : STORED_MAX;
		const unsigned char head[] = {
			block == length, (unsigned char)(block & 0xff), (unsigned char)(block >> 8),
			(unsigned char)(~block & 0xff), (unsigned char)(~block >> 8 & 0xff)};
		complete = complete && buffer_append(buffer, head, sizeof head) &&
			   buffer_append(buffer, bytes, block);
		bytes += block;
		length -= block;
	} while (length);
	return complete;
}

static bool compress(struct buffer *buffer, const struct buffer *plain)
{
	struct buffer stream = {0};
	bool complete = add_stored(&stream, plain->bytes, plain->length) &&
			add_big_endian(&stream, adler32(plain->bytes, plain->length), 4) &&
			add_big_endian(buffer, COMPRESSED, 4) &&
			add_big_endian(buffer, stream.length, 4) &&
			buffer_append(buffer, stream.bytes, stream.length);
	buffer_free(&stream);
	return complete;
}

/* --- base64 --- */

static bool add_base64(struct buffer *buffer, const struct buffer *from)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool complete = true;
	for (size_t i = 0; i < from->length && complete; i += 3) {
		size_t left = from->length - i;
		const unsigned char *at = (const unsigned char *)from->bytes + i;
		uint32_t bits = (uint32_t)at[0] << 16 | (left > 1 ? (uint32_t)at[1] << 8 : 0) |
				(left > 2 ? at[2] : 0);
		const char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
				     left > 1 ? digits[bits >> 6 & 63] : '=',
				     left > 2 ? digits[bits & 63] : '='};
		complete = buffer_append(buffer, four, sizeof four);
	}
	return complete;
}

bool hdr_log_interval(struct buffer *buffer, const char *tag, int64_t start, int64_t length,
		      const struct histogram *histogram)
{
	struct buffer plain = {0}, compressed = {0};
	double second = (double)CLOCK_SECOND;
	int64_t max = histogram->count ? histogram->max : 0;
	bool complete =
		encode(&plain, histogram) && compress(&compressed, &plain) &&
		(!tag || buffer_printf(buffer, "Tag=%s,", tag)) &&
		buffer_printf(buffer, "%.3f,%.3f,%.3f,", (double)start / second,
			      (double)length / second, (double)max / (double)CLOCK_MILLISECOND) &&
		add_base64(buffer, &compressed) && buffer_append(buffer, "\n", 1);
	buffer_free(&plain);
	buffer_free(&compressed);
	return complete;
}
