/* SPDX-License-Identifier: MIT */
#include "client/chars/state.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

void chars_client_fail(struct chars_client *client, const char *format, ...)
{
	va_list values;
	if (!client->failed) {
		va_start(values, format);
		(void)vsnprintf(client->error.message, sizeof client->error.message, format,
				values);
		va_end(values);
	}
	client->failed = true;
	chars_client_leave(client, 0);
}

void chars_client_leave(struct chars_client *client, int64_t grace)
{
	int64_t deadline = clock_after(grace);
	if (client->state != CHARS_CLIENT_OVER || deadline < client->over_deadline)
		client->over_deadline = deadline;
	client->state = CHARS_CLIENT_OVER;
}
