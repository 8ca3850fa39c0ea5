/* SPDX-License-Identifier: MIT */
/* client -follow over HTTP (-http): /metrics for Prometheus, and /healthz. The thread that waits
 * for all others serves it, while it waits. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "client/options.h"
#include "net/http_access.h"

/* Where its answers come from. */
struct metrics_source {
	/* Appends the metrics; false: out of memory. */
	bool (*append)(void *context, struct buffer *text);
	/* Sets *reason if not all is well. */
	bool (*is_well)(void *context, struct error *reason);
	void *context;
};

struct metrics_page {
	struct access access;
	struct http *http; /* NULL: there is none */
	struct metrics_source source;
};

/* Listens on the address of the options, and sets its name, for a message. A name is looked up
 * until the descriptor `wake` is readable. 0, or -1: the error is set. */
int metrics_page_open(struct metrics_page *page, const struct client_options *options, int wake,
		      char name[SOCKET_NAME_SIZE], struct error *error);
void metrics_page_close(struct metrics_page *page);
