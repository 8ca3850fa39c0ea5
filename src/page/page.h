/* SPDX-License-Identifier: MIT */
/* The server over HTTP (-http): /metrics for Prometheus, /healthz, and a page with its events. One
 * thread beside main serves it; nothing else in the server waits for it.
 *
 * All functions are main's. They accept NULL, which is a server without -http. */
#pragma once

#include "log/metrics.h"
#include "service/server_options.h"
#include "session/session.h"

struct page;

/* Binds the address of the options, and loads what they name; sets *page to NULL without -http. A
 * name is looked up until the descriptor `wake` is readable. 0, or -1: the error is set; to be
 * freed in both cases. */
int page_open(struct page **page, const struct server_options *options, int wake,
	      struct error *error);

/* Where the server's log is to count; NULL: nowhere. */
struct log_metrics *page_metrics(struct page *page);

/* An eventfd for what a service has for the page; -1: none. */
int page_news(const struct page *page);

/* Starts to serve, and notes in the log where. The options, the sessions' settings with the state
 * of the service, and what forwards lines, unless it is NULL, are borrowed until page_stop(). 0, or
 * -1: the error is set. */
int page_start(struct page *page, const struct session_settings *sessions, void *relay,
	       struct error *error);

/* Ends all connections and the thread. Before the log's last flush: it may still have answers for
 * the page. */
void page_stop(struct page *page);
void page_free(struct page *page);
