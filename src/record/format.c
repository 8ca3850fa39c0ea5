/* SPDX-License-Identifier: MIT */
#include "record/format.h"

#include <ctype.h>
#include <string.h>

#include "record/exchange.h"

const struct record_format *const record_formats[] = {&record_text, &record_csv, &record_json,
						      &record_plain, NULL};
const char *const record_format_names[] = {"text", "csv", "json", "plain", NULL};

const char *record_other_format(const struct record_format *format, struct slice head)
{
	static const struct record_format *const known[] = {&record_text, &record_csv, &record_json,
							    &record_exchange, NULL};
	for (const struct record_format *const *other = known; *other; other++)
		if ((*other)->begins(head))
			return strcmp((*other)->name, format->name) == 0 ||
					       (format->continues && format->continues(*other))
				       ? NULL
				       : (*other)->name;
	return NULL;
}

bool record_read(char *line, size_t length, struct record_view *view)
{
	if (length && *line == '{')
		return record_json.read(&record_json, line, length, view);
	if (length && isdigit((unsigned char)*line))
		return record_csv.read(&record_csv, line, length, view);
	return record_text.read(&record_text, line, length, view);
}

bool record_is_header(const char *line, size_t length)
{
	const char *header = record_csv.header; /* the only one */
	return slice_same((struct slice){line, length}, (struct slice){header, strlen(header) - 1});
}
