/* SPDX-License-Identifier: MIT */
/* Lines that were received, each as it is, escaped. */
#include <string.h>

#include "record/escape.h"
#include "record/format.h"

static bool append(const struct record_format *format, struct buffer *buffer,
		   const struct stamp *stamp, const struct record *record)
{
	(void)format;
	(void)stamp;
	return record_escape(buffer, record->bytes, record->length) &&
	       buffer_append(buffer, "\n", 1);
}

/* A record of text has a TAB behind its level, which a plain line never has. What looks like any
 * other may be a line that a peer has sent. */
static bool continues(const struct record_format *other)
{
	return strcmp(other->name, record_text.name) != 0;
}

const struct record_format record_plain = {
	.append = append,
	.name = "plain",
	.continues = continues,
	.digits = 0,
	.header = "",
	.left_out = 1U << RECORD_SENT | 1U << RECORD_IGNORED | 1U << RECORD_NOTE,
};
