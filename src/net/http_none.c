/* SPDX-License-Identifier: MIT */
/* For a build without libmicrohttpd. */
#include "net/http.h"

const bool http_is_built = false;

struct http *http_open(const struct http_settings *settings, int listener, struct error *error)
{
	(void)settings, (void)listener;
	return error_null(error, HTTP_MISSING);
}

/* No struct http is ever made, so that none of these is called but http_close(NULL). */

void http_close(struct http *http)
{
	(void)http;
}

void http_run(struct http *http, int wake, int64_t deadline)
{
	(void)http, (void)wake, (void)deadline;
}

void http_flush(struct http *http, int64_t deadline)
{
	(void)http, (void)deadline;
}

void http_wake(struct http *http)
{
	(void)http;
}

const char *http_method(const struct http_request *request)
{
	(void)request;
	return "";
}

const char *http_path(const struct http_request *request)
{
	(void)request;
	return "";
}

const char *http_header(const struct http_request *request, const char *name)
{
	(void)request, (void)name;
	return NULL;
}

void http_each_argument(const struct http_request *request,
			bool (*each)(void *context, const char *name, struct slice value),
			void *context)
{
	(void)request, (void)each, (void)context;
}

struct slice http_body(const struct http_request *request)
{
	(void)request;
	return (struct slice){0};
}

void http_peer(const struct http_request *request, char name[SOCKET_NAME_SIZE])
{
	(void)request;
	*name = '\0';
}

void http_answer(struct http_request *request, const struct http_answer *answer)
{
	(void)request, (void)answer;
}

void http_answer_text(struct http_request *request, unsigned status, const char *text)
{
	(void)request, (void)status, (void)text;
}

void http_stream(struct http_request *request, struct http_stream *stream)
{
	(void)request, (void)stream;
}
