/* SPDX-License-Identifier: MIT */
#include "client/served.h"

#include <inttypes.h>

#include "measure/report_text.h"

void served_add(struct served *served, const struct client_session *session)
{
	const uint64_t *lines = client_session_served(session);
	for (size_t i = 0; i < HOSTS_MAX; i++)
		served->lines[i] += lines[i];
}

bool served_append_json(struct buffer *text, const struct hosts *hosts, const struct served *served)
{
	char name[HOST_NAME_SIZE];
	bool complete = buffer_append(text, "[", 1);
	for (size_t i = 0; i < hosts->count; i++) {
		host_write(&hosts->list[i], name);
		complete &= buffer_printf(text, "%s{\"host\":", i ? "," : "") &&
			    report_json_string(text, name) &&
			    buffer_printf(text, ",\"acknowledged\":%" PRIu64 "}", served->lines[i]);
	}
	return complete && buffer_append(text, "]", 1);
}

bool served_append(struct buffer *text, const char *program, const struct hosts *hosts,
		   const struct served *served)
{
	char name[HOST_NAME_SIZE];
	if (hosts->count == 1)
		return true;
	bool complete = buffer_printf(text, "%s: acknowledged by", program);
	for (size_t i = 0; i < hosts->count; i++) {
		host_write(&hosts->list[i], name);
		complete &= buffer_printf(text, "%s %s: %" PRIu64, i ? "," : "", name,
					  served->lines[i]);
	}
	return complete && buffer_append(text, "\n", 1);
}
