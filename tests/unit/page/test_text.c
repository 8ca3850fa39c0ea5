/* SPDX-License-Identifier: MIT */
#include "page/text.h"

#include <string.h>

#include "unit.h"

static const char *html(const char *text)
{
	static struct buffer buffer;
	buffer.length = 0;
	ck_assert(text_append_html(&buffer, slice_of(text)));
	ck_assert(buffer_append(&buffer, "", 1));
	return buffer.bytes;
}

static const char *json(const char *text)
{
	static struct buffer buffer;
	buffer.length = 0;
	ck_assert(text_append_json(&buffer, slice_of(text)));
	ck_assert(buffer_append(&buffer, "", 1));
	return buffer.bytes;
}

START_TEST(markup_is_text_in_html)
{
	ck_assert_str_eq(html("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
	ck_assert_str_eq(html("größer"), "größer");
	ck_assert_str_eq(html(""), "");
}
END_TEST

START_TEST(a_json_string_has_no_end_within)
{
	ck_assert_str_eq(json("a\"b\\c\n\x01"), "\"a\\u0022b\\u005cc\\u000a\\u0001\"");
	ck_assert_str_eq(json("größer</script>"), "\"größer</script>\"");
	ck_assert_str_eq(json(""), "\"\"");
}
END_TEST

static void assert_excerpt(const char *text, size_t max, const char *expected)
{
	struct slice excerpt = text_excerpt(slice_of(text), max);
	ck_assert_uint_eq(excerpt.length, strlen(expected));
	ck_assert_mem_eq(excerpt.bytes, expected, excerpt.length);
}

START_TEST(an_excerpt_has_whole_characters)
{
	assert_excerpt("abc", 3, "abc");
	assert_excerpt("abc", 2, "ab");
	assert_excerpt("aö", 2, "a");
	assert_excerpt("aö", 3, "aö");
	assert_excerpt("\xa4\xb6x", 10, "x");
	assert_excerpt("\xa4\xb6", 10, "");
	assert_excerpt("", 10, "");
}
END_TEST

START_TEST(numbers_for_people)
{
	char text[TEXT_NUMBER_SIZE];
	text_number(0, text);
	ck_assert_str_eq(text, "0");
	text_number(999, text);
	ck_assert_str_eq(text, "999");
	text_number(1234567, text);
	ck_assert_str_eq(text, "1,234,567");
	text_number(1e300, text);
	ck_assert_str_eq(text, "1,000,000,000,000,000");
	text_bytes(0, text);
	ck_assert_str_eq(text, "0 B");
	text_bytes(999.6, text);
	ck_assert_str_eq(text, "1 kB");
	text_bytes(12345678, text);
	ck_assert_str_eq(text, "12.3 MB");
	text_duration(0, text);
	ck_assert_str_eq(text, "–");
	text_duration(1500000, text);
	ck_assert_str_eq(text, "1.5 ms");
	text_period(59.9, text);
	ck_assert_str_eq(text, "59 s");
	text_period(61, text);
	ck_assert_str_eq(text, "1 min 1 s");
	text_period(3 * 3600 + 60, text);
	ck_assert_str_eq(text, "3 h 1 min");
	text_period(50 * 3600, text);
	ck_assert_str_eq(text, "2 d 2 h");
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("text");
	tcase_add_test(all, markup_is_text_in_html);
	tcase_add_test(all, a_json_string_has_no_end_within);
	tcase_add_test(all, an_excerpt_has_whole_characters);
	tcase_add_test(all, numbers_for_people);
	return unit_main("page_text", all, NULL);
}
