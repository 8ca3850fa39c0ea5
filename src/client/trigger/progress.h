/* SPDX-License-Identifier: MIT */
/* The server-sent events of one run: "progress" with {"acknowledged":N,"planned":N,"seconds":S} now
 * and then, and at its end "report" with the report. A slow client gets fewer of them, but the last
 * one. One thread, that of the HTTP server, calls the functions; afterwards http_wake() is due. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/http.h"

struct progress;

struct progress_state {
	uint64_t acknowledged, planned; /* lines */
	int64_t elapsed;		/* ns */
};

/* Answers a request with a stream. Sets *owner to it, and to NULL when its client is gone. False:
 * it was refused, the request is answered and *owner is NULL. */
bool progress_open(struct progress **owner, struct http_request *request);

void progress_tell(struct progress *progress, const struct progress_state *state);

/* The report is a line with its end; empty: memory was out for it. The stream is then its own, and
 * does not set *owner any more. */
void progress_end(struct progress *progress, struct slice report);
