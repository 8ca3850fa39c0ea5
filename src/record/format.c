/* SPDX-License-Identifier: MIT */
#include "record/format.h"

#include <ctype.h>
#include <string.h>

#include "record/exchange.h"

const struct record_format *const record_formats[] = {&record_text, &record_csv, &record_json,
						      &record_plain, NULL};
const char *const record_format_names[] = {"text", "csv", "json", "plain", NULL};

/* Of the same name, and yet with other fields: CSV from before -tls-ca, or from after it. NULL: the
 * same. */
static const char *other_fields(const struct record_format *format, struct slice head)
{
	struct record_format other = record_csv;
	if (!format->certificates)
		record_add_certificates(&other);
	if (!format->quotes || !slice_begins(head, other.header))
		return NULL;
	return format->certificates ? "csv without certificates" : "csv with certificates";
}

const char *record_other_format(const struct record_format *format, struct slice head)
{
	static const struct record_format *const known[] = {&record_text, &record_csv, &record_json,
							    &record_exchange, NULL};
	for (const struct record_format *const *other = known; *other; other++)
		if ((*other)->begins(head)) {
			if (strcmp((*other)->name, format->name) == 0)
				return other_fields(format, head);
			return format->continues && format->continues(*other) ? NULL
									      : (*other)->name;
		}
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

static bool is_line(struct slice line, const char *with_end)
{
	return slice_same(line, (struct slice){with_end, strlen(with_end) - 1});
}

bool record_is_header(const char *line, size_t length)
{
	struct slice first = {line, length};
	for (int with = 0; with < 4 && slice_begins(first, "time,"); with++) {
		struct record_format format = record_csv;
		if (with & 1)
			record_add_certificates(&format);
		if (with & 2)
			record_add_senders(&format);
		if (is_line(first, format.header))
			return true;
	}
	return false;
}
