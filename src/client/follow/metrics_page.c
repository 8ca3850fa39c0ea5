/* SPDX-License-Identifier: MIT */
#include "client/follow/metrics_page.h"

#include <string.h>

#include "base/descriptor.h"
#include "measure/exposition.h"
#include "net/http.h"

static void answer_metrics(struct metrics_page *page, struct http_request *request)
{
	struct buffer text = {0};
	bool complete = page->source.append(page->source.context, &text);
	const struct http_answer answer = {
		.status = 200, .type = EXPOSITION_TYPE, .bytes = text.bytes, .length = text.length};
	if (complete)
		http_answer(request, &answer);
	else
		http_answer_text(request, 500, "out of memory");
	buffer_free(&text);
}

static void answer_health(struct metrics_page *page, struct http_request *request)
{
	struct error reason;
	bool is_well = page->source.is_well(page->source.context, &reason);
	http_answer_text(request, is_well ? 200 : 503, is_well ? "ok" : reason.message);
}

static bool is_read(const struct http_request *request)
{
	const char *method = http_method(request);
	return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

static void handle(void *context, struct http_request *request)
{
	struct metrics_page *page = context;
	bool metrics = !strcmp(http_path(request), "/metrics");
	bool health = !strcmp(http_path(request), "/healthz");
	if (!access_host(&page->access, http_header(request, "Host")))
		http_answer_text(request, 403, "the Host is not one of this client's");
	else if (!metrics && !health)
		http_answer_text(request, 404, "there is no such page");
	else if (!is_read(request))
		http_answer_text(request, 405, "this method is not for this address");
	else if (!access_token(&page->access, http_header(request, "Authorization")))
		access_ask_for_token(request);
	else if (metrics)
		answer_metrics(page, request);
	else
		answer_health(page, request);
}

int metrics_page_open(struct metrics_page *page, const struct client_options *options, int wake,
		      char name[SOCKET_NAME_SIZE], struct error *error)
{
	const struct http_settings settings = {.handle = handle, .context = page};
	int listener = access_open(&page->access, options->http, options->http_token, wake, error);
	if (listener < 0)
		return -1;
	socket_local_name(listener, name);
	page->http = http_open(&settings, listener, error);
	if (!page->http)
		descriptor_close(&listener);
	return page->http ? 0 : -1;
}

void metrics_page_close(struct metrics_page *page)
{
	http_close(page->http);
	page->http = NULL;
}
