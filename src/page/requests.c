/* SPDX-License-Identifier: MIT */
/* What is asked for over HTTP, and whether it may be. */
#include <string.h>

#include "measure/exposition.h"
#include "page/files.h"
#include "page/internal.h"
#include "page/metrics.h"

static void answer_buffer(struct http_request *request, const char *type, struct buffer *content,
			  bool complete)
{
	const struct http_answer answer = {
		.status = 200, .type = type, .bytes = content->bytes, .length = content->length};
	if (complete)
		http_answer(request, &answer);
	else
		http_answer_text(request, 500, "out of memory");
	buffer_free(content);
}

static bool has_token(const struct page *page, const struct http_request *request)
{
	return access_token(&page->access, http_header(request, "Authorization"));
}

static void get_page(struct page *page, struct http_request *request)
{
	struct buffer html = {0}, records = {0};
	const struct view view = page_view(page, has_token(page, request), &records);
	bool complete = view_append_html(&html, &view);
	answer_buffer(request, "text/html; charset=utf-8", &html, complete);
	buffer_free(&records);
}

static void answer_file(struct http_request *request, struct slice file, const char *type)
{
	const struct http_answer answer = {
		.status = 200, .type = type, .bytes = file.bytes, .length = file.length};
	http_answer(request, &answer);
}

static void get_style(struct page *page, struct http_request *request)
{
	(void)page;
	answer_file(request, page_file_page_css, "text/css; charset=utf-8");
}

static void get_script(struct page *page, struct http_request *request)
{
	(void)page;
	answer_file(request, page_file_page_js, "text/javascript; charset=utf-8");
}

static void get_events(struct page *page, struct http_request *request)
{
	page_open_events(page, request, has_token(page, request));
}

/* Has a browser ask for the token; it then sends it with every request. */
static void get_records(struct page *page, struct http_request *request)
{
	static const char *const headers[] = {"Location", "/", NULL};
	static const struct http_answer answer = {.status = 303, .headers = headers};
	if (has_token(page, request))
		http_answer(request, &answer);
	else
		access_ask_for_token(request);
}

static void get_metrics(struct page *page, struct http_request *request)
{
	struct buffer text = {0};
	figures_refresh(&page->figures, &page->source);
	bool complete = metrics_append(&text, &page->figures);
	answer_buffer(request, EXPOSITION_TYPE, &text, complete);
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
	bool console; /* only for a service that can be used on the page */
} routes[] = {
	{"GET", "/", get_page, false},		 {"GET", "/page.css", get_style, false},
	{"GET", "/page.js", get_script, false},	 {"GET", "/events", get_events, false},
	{"GET", "/records", get_records, false}, {"GET", "/metrics", get_metrics, false},
	{"GET", "/healthz", get_health, false},	 {"POST", "/stat", console_ask, true},
	{"POST", "/chars", console_set, true},
};

static const struct route *find_route(const struct page *page, const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (!strcmp(routes[i].path, path) && (!routes[i].console || console_of(page)))
			return &routes[i];
	return NULL;
}

static bool has_method(const struct route *route, const char *method)
{
	return !strcmp(route->method, method) ||
	       (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));
}

void page_handle(void *context, struct http_request *request)
{
	struct page *page = context;
	const char *host = http_header(request, "Host");
	const struct route *route = find_route(page, http_path(request));
	bool changes = route && !strcmp(route->method, "POST");
	if (!access_host(&page->access, host))
		http_answer_text(request, 403, "the Host is not one of this server's");
	else if (!route)
		http_answer_text(request, 404, "there is no such page");
	else if (!has_method(route, http_method(request)))
		http_answer_text(request, 405, "this method is not for this address");
	else if (changes && !access_origin(http_header(request, "Origin"), host))
		http_answer_text(request, 403, "the Origin has to be this server");
	else if (changes && !has_token(page, request))
		access_ask_for_token(request);
	else
		route->handle(page, request);
}
