/* SPDX-License-Identifier: MIT */
/* Which of several hosts have acknowledged how many lines, for reports. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "client/session.h"
#include "net/hosts.h"

struct served {
	uint64_t lines[HOSTS_MAX];
};

/* Adds those of a session. */
void served_add(struct served *served, const struct client_session *session);

/* Appends an array of JSON. False: out of memory. */
bool served_append_json(struct buffer *text, const struct hosts *hosts,
			const struct served *served);

/* Appends a line of text that begins with the name of the program; nothing for one host. False: out
 * of memory. */
bool served_append(struct buffer *text, const char *program, const struct hosts *hosts,
		   const struct served *served);
