/* SPDX-License-Identifier: MIT */
/* The report as JUnit XML, which CI systems show as tests: one for the run, one for each condition.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "measure/report_text.h"
#include "record/escape.h"

/* U+FFFE and U+FFFF, which are no characters, and the only ones of valid UTF-8 beside control bytes
 * that XML 1.0 excludes (2.2). */
static bool is_excluded(const struct buffer *plain, size_t at)
{
	return plain->length - at >= 3 && !memcmp(plain->bytes + at, "\xef\xbf", 2) &&
	       ((unsigned char)plain->bytes[at + 2] | 1) == 0xbf;
}

bool report_xml_string(struct buffer *buffer, const char *string)
{
	struct buffer plain = {0};
	bool complete = record_escape_rest(&plain, string, strlen(string));
	for (size_t i = 0; i < plain.length && complete; i++) {
		char byte = plain.bytes[i];
		if (is_excluded(&plain, i)) {
			i += 2;
			complete = buffer_printf(buffer, "\\xef\\xbf\\x%02x",
						 (unsigned char)plain.bytes[i]);
			continue;
		}
		complete = byte == '&'	 ? buffer_append_string(buffer, "&amp;")
			   : byte == '<' ? buffer_append_string(buffer, "&lt;")
			   : byte == '"' ? buffer_append_string(buffer, "&quot;")
					 : buffer_append(buffer, &byte, 1);
	}
	buffer_free(&plain);
	return complete;
}

bool report_xml_test(struct buffer *buffer, const char *class, size_t client, const char *name,
		     const char *failure)
{
	bool complete = buffer_append_string(buffer, "  <testcase classname=\"") &&
			report_xml_string(buffer, class);
	if (client)
		complete = complete && buffer_printf(buffer, ".client%zu", client);
	complete = complete && buffer_append_string(buffer, "\" name=\"") &&
		   report_xml_string(buffer, name);
	if (!failure)
		return complete && buffer_append_string(buffer, "\"/>\n");
	return complete && buffer_append_string(buffer, "\"><failure message=\"") &&
	       report_xml_string(buffer, failure) &&
	       buffer_append_string(buffer, "\"/></testcase>\n");
}

/* How often a text, which has no brackets but those of its elements, has one of a name. */
static size_t count(const struct buffer *buffer, const char *begin)
{
	size_t found = 0, length = strlen(begin);
	for (size_t i = 0; i + length <= buffer->length; i++)
		found += !memcmp(buffer->bytes + i, begin, length);
	return found;
}

bool report_junit(struct buffer *buffer, const struct result *result)
{
	struct buffer tests = {0};
	const struct buffer *assertions = result->assertions;
	bool complete =
		report_xml_test(&tests, result->program, 0, "run", result->error) &&
		(!assertions || !assertions->length ||
		 buffer_append(&tests, assertions->bytes, assertions->length)) &&
		buffer_append_string(buffer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					     "<testsuite name=\"") &&
		report_xml_string(buffer, result->program) &&
		buffer_printf(buffer,
			      "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\">\n",
			      count(&tests, "<testcase "), count(&tests, "<failure "),
			      (double)result->elapsed / (double)CLOCK_SECOND) &&
		buffer_append(buffer, tests.bytes, tests.length) &&
		buffer_append_string(buffer, "</testsuite>\n");
	buffer_free(&tests);
	return complete;
}
