/* SPDX-License-Identifier: MIT */
#include "line_fixture.h"

#include <stdlib.h>

void take_lines(struct line_splitter *splitter, struct buffer *seen)
{
	const char *line;
	size_t length;
	enum line_result result;
	while ((result = line_next(splitter, &line, &length)) != LINE_NONE) {
		bool found = result == LINE_FOUND;
		if (!buffer_append_string(seen, found ? "<" : "!") ||
		    (found &&
		     (!buffer_append(seen, line, length) || !buffer_append_string(seen, ">"))))
			abort();
	}
}
