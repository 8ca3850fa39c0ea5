/* SPDX-License-Identifier: MIT */
/* The page as HTML, and what changes of it as a server-sent event, from the same values. */
#pragma once

#include "page/figures.h"

enum {
	VIEW_RECORDS = 20,     /* at most */
	VIEW_RECORD_MAX = 300, /* bytes of one */
	VIEW_TEXT_SIZE = 256,  /* of an answer */
};

/* The last minutes, a value a second; the oldest first. */
struct view_history {
	size_t count;
	double rates[FIGURES_HISTORY]; /* lines a second */
	double times[FIGURES_HISTORY]; /* ns, p99 of answer times */
};

void view_history_add(struct view_history *history, const struct figures *figures);

/* What the page shows of a service that can be used there; see page/chars.h. */
struct view_console {
	bool shown;
	char alphabet[VIEW_TEXT_SIZE];
	struct range burst;
	char count[VIEW_TEXT_SIZE]; /* the last answer */
	char asked[VIEW_TEXT_SIZE]; /* the same, and to whom */
};

struct view {
	const struct figures *figures;
	const struct view_history *history;
	const struct view_console *console;
	const char *service;
	bool full;	      /* with peers, of which one has asked last, and records */
	struct slice records; /* the last ones, whole lines */
};

/* Each appends; false: out of memory. */
bool view_append_html(struct buffer *html, const struct view *view);
bool view_append_event(struct buffer *event, const struct view *view);
