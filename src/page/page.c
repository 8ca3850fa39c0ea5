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
#include "net/listener.h"
#include "page/access.h"
#include "page/figures.h"
#include "page/metrics.h"

enum { PAGE_STACK = 262144 }; /* bytes of the thread's, for a TLS handshake too */

#define PAGE_INTERVAL CLOCK_SECOND

struct page {
	const struct server_options *options;
	struct access access;
	char host[SOCKET_NAME_SIZE];
	int listener; /* until the library has it; -1: it has */
	int wake;     /* an eventfd: there is news, or the end */
	struct http *http;
	pthread_t thread;
	bool is_running;
	atomic_bool stopping;
	struct log_metrics metrics;
	/* the thread's: */
	struct figures_source source;
	struct figures figures; /* of the last second */
	int64_t next;		/* ns, when they are read again */
};

/* --- what is asked for --- */

static void answer_buffer(struct http_request *request, unsigned status, const char *type,
			  struct buffer *content, bool complete)
{
	const struct http_answer answer = {
		.status = status, .type = type, .bytes = content->bytes, .length = content->length};
	if (complete)
		http_answer(request, &answer);
	else
		http_answer_text(request, 500, "out of memory");
	buffer_free(content);
}

static void get_metrics(struct page *page, struct http_request *request)
{
	struct buffer text = {0};
	figures_refresh(&page->figures, &page->source);
	bool complete = metrics_append(&text, &page->figures);
	answer_buffer(request, 200, METRICS_TYPE, &text, complete);
}

static void get_health(struct page *page, struct http_request *request)
{
	struct error reason;
	int failing = atomic_load(&page->metrics.failing);
	error_set(&reason, "the log cannot be written: %s", strerror(failing));
	http_answer_text(request, failing ? 503 : 200, failing ? reason.message : "ok");
}

static const struct route {
	const char *method, *path;
	void (*handle)(struct page *page, struct http_request *request);
} routes[] = {
	{"GET", "/metrics", get_metrics},
	{"GET", "/healthz", get_health},
};

static bool has_method(const struct route *route, const char *method)
{
	return !strcmp(route->method, method) ||
	       (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));
}

static void handle(void *context, struct http_request *request)
{
	struct page *page = context;
	const char *method = http_method(request), *path = http_path(request);
	const char *host = http_header(request, "Host");
	bool found = false;
	if (!access_host(&page->access, host)) {
		http_answer_text(request, 403, "the Host is not one of this server's");
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (strcmp(routes[i].path, path) != 0)
			continue;
		found = true;
		if (!has_method(&routes[i], method))
			continue;
		routes[i].handle(page, request);
		return;
	}
	http_answer_text(request, found ? 405 : 404,
			 found ? "this method is not for this address" : "there is no such page");
}

/* --- the thread --- */

static void tick(struct page *page)
{
	page->next = clock_after(PAGE_INTERVAL);
	figures_read(&page->figures, &page->source);
}

static void *run(void *argument)
{
	struct page *page = argument;
	eventfd_t ignored;
	while (!atomic_load(&page->stopping)) {
		http_run(page->http, page->wake, page->next);
		(void)eventfd_read(page->wake, &ignored); /* EAGAIN: it was no news */
		if (clock_now() >= page->next)
			tick(page);
	}
	return NULL;
}

/* --- for main --- */

static int bind_address(struct page *page, int wake, struct error *error)
{
	int port;
	struct error reason;
	/* the options were checked */
	(void)socket_name_split(page->options->http, page->host, &port);
	page->listener = socket_bind(page->host, port, wake, &reason);
	if (page->listener < 0 || socket_listen(page->listener, &reason) < 0)
		return error_set(error, "-http: %.400s", reason.message);
	page->access.host = page->host;
	page->access.exposed = !socket_is_local(page->listener);
	if (page->access.exposed && !*page->access.token)
		return error_set(error,
				 "-http-token: required with -http %.100s, which other "
				 "machines reach",
				 page->options->http);
	return 0;
}

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
	page->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (page->wake < 0)
		return error_set(error, "cannot serve HTTP: %s", strerror(errno));
	if (options->http_token && access_read_token(&page->access, options->http_token, error) < 0)
		return -1;
	return bind_address(page, wake, error);
}

struct log_metrics *page_metrics(struct page *page)
{
	return page ? &page->metrics : NULL;
}

int page_start(struct page *page, const struct session_settings *sessions, struct error *error)
{
	char name[SOCKET_NAME_SIZE];
	if (!page)
		return 0;
	const struct tls_settings *tls = &page->options->tls;
	const struct http_settings settings = {.certificate = tls->certificate,
					       .key = tls->key,
					       .handle = handle,
					       .context = page};
	page->source = (struct figures_source){.log = &page->metrics,
					       .sessions = sessions,
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
	log_metrics_close(&page->metrics);
	free(page);
}
