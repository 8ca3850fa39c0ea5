/* SPDX-License-Identifier: MIT */
#include "page/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "base/thread.h"
#include "net/http.h"
#include "page/internal.h"

enum { PAGE_STACK = 262144 }; /* bytes of the thread's, for a TLS handshake too */

#define PAGE_INTERVAL CLOCK_SECOND

/* Between two events of what a service sends to everyone. */
#define PAGE_PAUSE (50 * CLOCK_MILLISECOND)

/* --- the thread --- */

/* A log that fails is tried with each line. Where none come, as from a proxy that has asked for
 * /healthz and sends them elsewhere, a note is the try: it is recorded if the log works again. */
static void try_log(const struct page *page)
{
	if (page->figures.failing) /* dropped if the batch is full: then others try */
		(void)log_note(page->source.sessions->log, RECORD_INFO, RECORD_SERVER,
			       "the log was tried, and can be written");
}

static void tick(struct page *page)
{
	page->next = clock_after(PAGE_INTERVAL);
	figures_read(&page->figures, &page->source);
	try_log(page);
	view_history_add(&page->history, &page->figures);
	console_update(page);
	page_drop_events(page);
}

static void *run(void *argument)
{
	struct page *page = argument;
	int64_t tell_at = CLOCK_NEVER, told = 0;
	eventfd_t ignored;
	while (!atomic_load(&page->stopping)) {
		http_run(page->http, page->wake, clock_earlier(page->next, tell_at));
		int64_t now = clock_now();
		if (eventfd_read(page->wake, &ignored) == 0) {
			console_settle(page);
			tell_at = clock_earlier(tell_at, told + PAGE_PAUSE);
		}
		if (now >= page->next)
			tick(page);
		else if (now < tell_at)
			continue;
		http_wake(page->http);
		told = now;
		tell_at = CLOCK_NEVER;
	}
	return NULL;
}

/* --- for main --- */

int page_open(struct page **opened, const struct server_options *options, int wake,
	      struct error *error)
{
	*opened = NULL;
	if (!options->http)
		return 0;
	struct page *page = *opened = memory_calloc(1, sizeof *page);
	if (!page)
		return error_set(error, "cannot serve HTTP: %s", strerror(errno));
	page->options = options;
	page->listener = -1;
	log_metrics_open(&page->metrics);
	console_open(&page->console);
	page->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (page->wake < 0)
		return error_set(error, "cannot serve HTTP: %s", strerror(errno));
	page->listener =
		access_open(&page->access, options->http, options->http_token, wake, error);
	return page->listener < 0 ? -1 : 0;
}

struct log_metrics *page_metrics(struct page *page)
{
	return page ? &page->metrics : NULL;
}

int page_news(const struct page *page)
{
	return page ? page->wake : -1;
}

int page_start(struct page *page, const struct session_settings *sessions, void *relay,
	       struct error *error)
{
	char name[SOCKET_NAME_SIZE];
	if (!page)
		return 0;
	const struct tls_settings *tls = &page->options->tls;
	const struct http_settings settings = {.certificate = tls->certificate,
					       .key = tls->key,
					       .handle = page_handle,
					       .context = page};
	page->source = (struct figures_source){.log = &page->metrics,
					       .sessions = sessions,
					       .relay = relay,
					       .service = services[page->options->service]};
	tick(page);
	socket_local_name(page->listener, name);
	page->http = http_open(&settings, page->listener, error);
	if (!page->http)
		return -1;
	page->listener = -1;
	int errnum = thread_start(&page->thread, PAGE_STACK, run, page);
	if (errnum)
		return error_set(error, "cannot serve HTTP: %s", strerror(errnum));
	page->is_running = true;
	log_note(sessions->log, RECORD_INFO, RECORD_SERVER, "page at http%s://%s/",
		 tls->certificate ? "s" : "", name);
	return 0;
}

void page_stop(struct page *page)
{
	if (!page)
		return;
	atomic_store(&page->stopping, true);
	(void)eventfd_write(page->wake, 1); /* EAGAIN: it is readable already */
	if (page->is_running)
		pthread_join(page->thread, NULL);
	page->is_running = false;
	http_close(page->http);
	page->http = NULL;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	page_stop(page);
	descriptor_close(&page->listener);
	descriptor_close(&page->wake);
	page_drop_events(page);
	console_close(&page->console);
	log_metrics_close(&page->metrics);
	free(page);
}
