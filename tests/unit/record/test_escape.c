/* SPDX-License-Identifier: MIT */
/* record_escape() and record_unescape(). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/escape.h"
#include "base/random.h"
#include "support.h"
#include "unit.h"

static void assert_escaped(const char *bytes, size_t length, const char *expected)
{
	struct buffer text = {0};
	ck_assert(record_escape(&text, bytes, length) && buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes, expected);
	size_t original = record_unescape(text.bytes, text.length - 1);
	ck_assert_uint_eq(original, length);
	ck_assert_mem_eq(text.bytes, bytes, length);
	buffer_free(&text);
}

/* Escaped into text, which is emptied first: is it on one line, without control bytes, and does it
 * lead back? */
static bool goes_and_comes_back(struct buffer *text, const char *bytes, size_t length)
{
	text->length = 0;
	if (!record_escape(text, bytes, length))
		abort();
	for (size_t i = 0; i < text->length; i++) {
		unsigned char byte = (unsigned char)text->bytes[i];
		if (byte < 0x20 || byte == 0x7f)
			return false;
	}
	return record_unescape(text->bytes, text->length) == length &&
	       (!length || !memcmp(text->bytes, bytes, length));
}

START_TEST(single_bytes)
{
	for (int byte = 0; byte < 256; byte++) {
		char bytes[1] = {(char)byte}, expected[8];
		bool plain = byte >= 0x20 && byte < 0x7f;
		(void)snprintf(expected, sizeof expected, plain ? "%c" : "\\x%02x", byte);
		assert_escaped(bytes, 1, expected);
	}
	assert_escaped("", 0, "");
}
END_TEST

START_TEST(backslashes)
{
	assert_escaped("\\", 1, "\\");
	assert_escaped("\\n", 2, "\\n");
	assert_escaped("C:\\dir\\file", 11, "C:\\dir\\file");
	assert_escaped("\\x", 2, "\\x5cx");
	assert_escaped("\\x41", 4, "\\x5cx41");
	assert_escaped("\\\\x41", 5, "\\\\x5cx41");
	assert_escaped("\\\x01", 2, "\\\\x01");
	assert_escaped("12345678\\x12345678\\y", 20, "12345678\\x5cx12345678\\y");
	assert_escaped("\\x5c", 4, "\\x5cx5c");
}
END_TEST

START_TEST(readable_utf8_stays)
{
	static const char *const kept[] = {
		"h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80",
		"\xc2\xa0",	    /* U+00A0, the first behind C1 */
		"\xdf\xbf",	    /* U+07FF */
		"\xe0\xa0\x80",	    /* U+0800 */
		"\xed\x9f\xbf",	    /* U+D7FF, before the surrogates */
		"\xee\x80\x80",	    /* U+E000, behind them */
		"\xef\xbf\xbf",	    /* U+FFFF */
		"\xf0\x90\x80\x80", /* U+10000 */
		"\xf4\x8f\xbf\xbf", /* U+10FFFF */
		"\xe2\x80\xa7",	    /* U+2027, before the separators */
		"\xe2\x80\xaf",	    /* U+202F, behind the bidirectional controls */
		"\xe2\x81\xa5",	    /* U+2065 */
		"\xe2\x81\xaa",	    /* U+206A */
	};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		assert_escaped(kept[i], strlen(kept[i]), kept[i]);
}
END_TEST

START_TEST(what_acts_is_escaped)
{
	assert_escaped("\xc2\x80", 2, "\\xc2\\x80"); /* C1, both ends */
	assert_escaped("\xc2\x9b", 2, "\\xc2\\x9b"); /* CSI: as ESC [ */
	assert_escaped("\xc2\x9f", 2, "\\xc2\\x9f");
	assert_escaped("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8"); /* line separator */
	assert_escaped("\xe2\x80\xa9", 3, "\\xe2\\x80\\xa9"); /* paragraph separator */
	assert_escaped("\xe2\x80\xaa", 3, "\\xe2\\x80\\xaa"); /* LRE, the first of the old */
	assert_escaped("\xe2\x80\xae", 3, "\\xe2\\x80\\xae"); /* RLO, the last */
	assert_escaped("\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6"); /* LRI, the first of the new */
	assert_escaped("\xe2\x81\xa9", 3, "\\xe2\\x81\\xa9"); /* PDI, the last */
	assert_escaped("\xe2\x80\x8e", 3, "\\xe2\\x80\\x8e"); /* LRM */
	assert_escaped("\xe2\x80\x8f", 3, "\\xe2\\x80\\x8f"); /* RLM */
	assert_escaped("\xd8\x9c", 2, "\\xd8\\x9c");	      /* ALM */
}
END_TEST

START_TEST(invalid_utf8_is_escaped)
{
	static const char *const bad[] = {
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf", /* overlong */
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf", /* surrogates */
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xff", /* too high */
		"\x80",
		"\xbf\xbf", /* nothing before */
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x98", /* cut */
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char expected[32];
		for (size_t j = 0; bad[i][j]; j++)
			(void)snprintf(expected + 4 * j, 8, "\\x%02x", (unsigned char)bad[i][j]);
		assert_escaped(bad[i], strlen(bad[i]), expected);
	}
	assert_escaped("a\xc3"
		       "b",
		       3, "a\\xc3b");
	assert_escaped("\xc3\xc3\xa9", 3, "\\xc3\xc3\xa9");
	assert_escaped("\xe2\x82\xc3\xa9", 4, "\\xe2\\x82\xc3\xa9");
}
END_TEST

/* The words of eight bytes that are looked at at once: an odd byte at each place, with each filler.
 */
START_TEST(odd_bytes_at_every_place)
{
	static const char fillers[] = {' ', '!', 'x', '[', ']', '}', '~', '\\', '@', '0'};
	struct buffer text = {0};
	char bytes[24], expected[40];
	for (size_t filler = 0; filler < sizeof fillers; filler++)
		for (size_t place = 0; place < sizeof bytes; place++)
			for (int byte = 0; byte < 256; byte++) {
				memset(bytes, fillers[filler], sizeof bytes);
				bytes[place] = (char)byte;
				bool plain = byte >= 0x20 && byte < 0x7f;
				bool slash = (byte == '\\' && fillers[filler] == 'x' &&
					      place + 1 < sizeof bytes) ||
					     (byte == 'x' && fillers[filler] == '\\' && place);
				text.length = 0;
				if (!record_escape(&text, bytes, sizeof bytes) ||
				    text.length != sizeof bytes + (plain && !slash ? 0 : 3))
					ck_abort_msg("%02x at %zu among %c", byte, place,
						     fillers[filler]);
				memset(expected, fillers[filler], place);
				if (memcmp(text.bytes, expected, place ? place - 1 : 0) != 0 ||
				    !goes_and_comes_back(&text, bytes, sizeof bytes))
					ck_abort_msg("%02x at %zu", byte, place);
			}
	buffer_free(&text);
}
END_TEST

START_TEST(every_pair_comes_back)
{
	struct buffer text = {0};
	for (int pair = 0; pair < 65536; pair++) {
		char bytes[2] = {(char)(pair >> 8), (char)(pair & 255)};
		if (!goes_and_comes_back(&text, bytes, 2))
			ck_abort_msg("%04x", (unsigned)pair);
	}
	buffer_free(&text);
}
END_TEST

/* Half of it from what matters: backslashes, x, digits, and heads and tails of UTF-8. */
START_TEST(random_bytes_come_back)
{
	static const unsigned char words[] =
		"\\\\\\xxx0159afAF\n\r\t\x1b\x7f\x80\xa8\xc2\xe2\xf0\xed";
	uint64_t state = 2005;
	struct buffer text = {0};
	for (int i = 0; i < 50000; i++) {
		char bytes[64];
		size_t length = random_next(&state) % sizeof bytes;
		for (size_t j = 0; j < length; j++) {
			uint64_t number = random_next(&state);
			bytes[j] = number % 2 ? (char)(number >> 8)
					      : (char)words[(number >> 8) % (sizeof words - 1)];
		}
		if (!goes_and_comes_back(&text, bytes, length))
			ck_abort_msg("round %d", i);
	}
	buffer_free(&text);
}
END_TEST

START_TEST(unescape_takes_only_escapes)
{
	static const char *const same[] = {"\\",     "\\x",   "\\x4",	 "\\xg1", "\\x1g",
					   "\\X41",  "\\x4A", "\\n",	 "x41",	  "\\xA0",
					   "\\\\x4", "",      "\\u0041", "\\x 1"};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		size_t length = strlen(same[i]);
		char *bytes = malloc(length ? length : 1);
		memcpy(bytes, same[i], length);
		ck_assert_uint_eq(record_unescape(bytes, length), length);
		ck_assert_msg(!memcmp(bytes, same[i], length), "%s", same[i]);
		free(bytes);
	}
	char all[] = "\\x00a\\xff\\x5cx41\\x41\\x4";
	ck_assert_uint_eq(record_unescape(all, sizeof all - 1), 11);
	ck_assert_mem_eq(all, "\0a\xff\\x41A\\x4", 11);
}
END_TEST

START_TEST(excerpts_are_cut)
{
	char excerpt[EXCERPT_SIZE], bytes[EXCERPT_MAX + 1];
	ck_assert_str_eq(record_excerpt(excerpt, "", 0), "");
	ck_assert_str_eq(record_excerpt(excerpt, "a\tb", 3), "a\\x09b");
	memset(bytes, '\n', sizeof bytes);
	ck_assert_uint_eq(strlen(record_excerpt(excerpt, bytes, EXCERPT_MAX)), 4 * EXCERPT_MAX);
	ck_assert_uint_eq(strlen(record_excerpt(excerpt, bytes, sizeof bytes)), EXCERPT_SIZE - 1);
	ck_assert_str_eq(excerpt + 4 * EXCERPT_MAX, "...");
}
END_TEST

int main(void)
{
	TCase *table = tcase_create("table");
	tcase_add_test(table, single_bytes);
	tcase_add_test(table, backslashes);
	tcase_add_test(table, readable_utf8_stays);
	tcase_add_test(table, what_acts_is_escaped);
	tcase_add_test(table, invalid_utf8_is_escaped);
	tcase_add_test(table, excerpts_are_cut);
	TCase *back = tcase_create("back");
	tcase_add_test(back, odd_bytes_at_every_place);
	tcase_add_test(back, every_pair_comes_back);
	tcase_add_test(back, random_bytes_come_back);
	tcase_add_test(back, unescape_takes_only_escapes);
	return unit_main("escape", table, back, NULL);
}
