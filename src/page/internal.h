/* SPDX-License-Identifier: MIT */
/* What the parts of the page share. All of it is the thread's of the page, unless it says
 * otherwise. */
#pragma once

#include "net/http.h"
#include "net/http_access.h"
#include "page/page.h"
#include "page/view.h"

struct event;
struct console_request;

/* The part of a service that can be used on the page. */
struct console {
	struct view_console view;
	pthread_mutex_t lock; /* a leaf */
	/* under the lock: those that have their answers, the newest first */
	struct console_request *done;
};

struct page {
	const struct server_options *options;
	struct access access;
	int listener; /* until the library has it; -1: it has */
	int wake;     /* an eventfd: there is news, or the end; any thread */
	struct http *http;
	pthread_t thread;
	bool is_running;
	atomic_bool stopping;	    /* any thread */
	struct log_metrics metrics; /* the log's */
	struct figures_source source;
	struct figures figures; /* of the last second */
	struct view_history history;
	int64_t next;		/* ns, when the figures are read again */
	uint64_t version;	/* of the figures */
	struct event *event[2]; /* that tells of them, and in full; NULL: it is not made yet */
	struct console console;
};

/* The service's; NULL: it has none. */
static inline const struct service_console *console_of(const struct page *page)
{
	return page->source.service->console;
}

/* --- page/requests.c --- */

void page_handle(void *page, struct http_request *request);

/* --- page/events.c --- */

/* The page as it is to be shown now; `records` is the memory of its records. */
struct view page_view(struct page *page, bool full, struct buffer *records);

/* Answers a request with the stream of events. */
void page_open_events(struct page *page, struct http_request *request, bool full);
/* The figures have changed: there is another event. */
void page_drop_events(struct page *page);

/* --- page/console.c --- */

void console_open(struct console *console);
void console_close(struct console *console);
/* Reads what the service is set to. */
void console_update(struct page *page);
/* Asks the service, or sets it; the request is answered later. */
void console_ask(struct page *page, struct http_request *request);
void console_set(struct page *page, struct http_request *request);
/* Answers the requests whose records are in the log by now. */
void console_settle(struct page *page);
