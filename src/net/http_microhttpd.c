/* SPDX-License-Identifier: MIT */
/* The server, by libmicrohttpd. A connection without anything to do is suspended, so that the
 * library does not ask for it again and again; it must not be stopped while one is. */
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "net/http_microhttpd.h"

enum {
	HTTP_MEMORY = 8192,    /* bytes of a connection, for headers, and a stream's chunk */
	HTTP_CHUNK = 4096,     /* bytes that a stream makes at once */
	HTTP_TIMEOUT = 30,     /* seconds in which a client may neither send nor take anything */
	HTTP_FILE_MAX = 65536, /* bytes of a certificate's file */
};

const bool http_is_built = true;

/* --- the answer --- */

/* Content is text, data or a page that uses what comes from here and nothing else, and is in no
 * frame of others. With the policy no-referrer the Origin of a form would be null. */
static const char *const common_headers[] = {
	"Cache-Control",
	"no-store",
	"Content-Security-Policy",
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy",
	"same-origin",
	"Referrer-Policy",
	"same-origin",
	"X-Content-Type-Options",
	"nosniff",
	NULL,
};

static void add_headers(struct MHD_Response *response, const char *const *headers)
{
	for (; headers && *headers; headers += 2)
		(void)MHD_add_response_header(response, headers[0], headers[1]);
}

static void resume(struct http_request *request)
{
	if (!request->suspended)
		return;
	MHD_resume_connection(request->connection);
	request->suspended = false;
	request->http->resumed = true;
}

/* NULL: out of memory; then the connection is closed. */
static void set_response(struct http_request *request, unsigned status,
			 struct MHD_Response *response, const char *type,
			 const char *const *headers)
{
	request->response = response;
	request->status = status;
	if (response) {
		add_headers(response, common_headers);
		add_headers(response, headers);
		(void)MHD_add_response_header(response, "Content-Type",
					      type ? type : "text/plain; charset=utf-8");
	}
	request->handled = true;
	resume(request);
}

void http_answer(struct http_request *request, const struct http_answer *answer)
{
	set_response(request, answer->status,
		     MHD_create_response_from_buffer(answer->length, (void *)answer->bytes,
						     MHD_RESPMEM_MUST_COPY),
		     answer->type, answer->headers);
}

void http_answer_text(struct http_request *request, unsigned status, const char *text)
{
	struct buffer line = {0}; /* empty, if memory is out */
	(void)buffer_printf(&line, "%s\n", text);
	const struct http_answer answer = {
		.status = status, .bytes = line.bytes, .length = line.length};
	http_answer(request, &answer);
	buffer_free(&line);
}

/* --- streams --- */

static ssize_t read_stream(void *argument, uint64_t position, char *space, size_t size)
{
	struct http_request *request = argument;
	(void)position;
	if (request->http->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	size_t length = request->stream->next(request->stream, space, size);
	if (length == HTTP_STREAM_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!length) {
		MHD_suspend_connection(request->connection);
		request->suspended = true;
	}
	return (ssize_t)length;
}

void http_stream(struct http_request *request, struct http_stream *stream)
{
	struct http *http = request->http;
	if (http->streams == HTTP_STREAMS_MAX) {
		stream->close(stream);
		http_answer_text(request, 503, "too many event streams are open");
		return;
	}
	http->streams++;
	request->stream = stream;
	set_response(request, 200,
		     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_CHUNK, read_stream,
						       request, NULL),
		     "text/event-stream", NULL);
}

void http_wake(struct http *http)
{
	for (struct http_request *at = http->requests; at; at = at->next)
		if (at->stream)
			resume(at);
}

/* --- requests --- */

static struct http_request *new_request(struct http *http, struct MHD_Connection *connection,
					const char *method, const char *path)
{
	struct http_request *request = memory_calloc(1, sizeof *request);
	if (!request)
		return NULL;
	request->http = http;
	request->connection = connection;
	request->method = method;
	request->path = path;
	request->next = http->requests;
	if (request->next)
		request->next->previous = request;
	http->requests = request;
	return request;
}

/* The answer was sent, or the connection is gone. */
static void complete_request(void *argument, struct MHD_Connection *connection, void **context,
			     enum MHD_RequestTerminationCode why)
{
	struct http *http = argument;
	struct http_request *request = *context;
	(void)connection, (void)why;
	if (!request)
		return;
	*(request->previous ? &request->previous->next : &http->requests) = request->next;
	if (request->next)
		request->next->previous = request->previous;
	if (request->stream) {
		request->stream->close(request->stream);
		http->streams--;
	}
	if (request->response)
		MHD_destroy_response(request->response);
	free(request);
	*context = NULL;
}

static void take_body(struct http_request *request, const char *bytes, size_t length)
{
	request->too_long |= length > sizeof request->body - request->length;
	if (request->too_long)
		return;
	memcpy(request->body + request->length, bytes, length);
	request->length += length;
}

/* Called with the request's headers, then with parts of its body, then without bytes; and, where it
 * was suspended, again. */
static enum MHD_Result take_request(void *argument, struct MHD_Connection *connection,
				    const char *path, const char *method, const char *version,
				    const char *bytes, size_t *length, void **context)
{
	struct http *http = argument;
	struct http_request *request = *context;
	(void)version;
	if (!request) {
		*context = request = new_request(http, connection, method, path);
		return request ? MHD_YES : MHD_NO;
	}
	if (*length) {
		take_body(request, bytes, *length);
		*length = 0;
		return MHD_YES;
	}
	if (http->closing)
		return MHD_NO;
	if (!request->handled && request->too_long)
		http_answer_text(request, 413, "the request is too long");
	else if (!request->handled)
		http->settings.handle(http->settings.context, request);
	if (!request->handled) {
		MHD_suspend_connection(connection);
		request->suspended = true;
		return MHD_YES;
	}
	struct MHD_Response *response = request->response;
	request->response = NULL;
	if (!response)
		return MHD_NO;
	enum MHD_Result result = MHD_queue_response(connection, request->status, response);
	MHD_destroy_response(response);
	return result;
}

/* --- the server --- */

/* Returns the contents, to be freed; NULL: the error is set. */
static char *load(const char *what, const char *name, struct error *error)
{
	char *bytes = memory_calloc(1, HTTP_FILE_MAX);
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t length = bytes && descriptor >= 0 ? read(descriptor, bytes, HTTP_FILE_MAX - 1) : -1;
	if (length == HTTP_FILE_MAX - 1) { /* there can be more */
		errno = EFBIG;
		length = -1;
	}
	if (length < 0) {
		error_set(error, "cannot load the %s '%.200s': %s", what, name, strerror(errno));
		free(bytes);
		bytes = NULL;
	}
	if (descriptor >= 0)
		(void)close(descriptor); /* only read */
	return bytes;
}

static struct MHD_Daemon *start(struct http *http, int listener)
{
	static const char tls[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, listener, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)complete_request, http},
		{MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT, NULL},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, http->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	if (http->certificate) {
		flags |= MHD_USE_TLS;
		options[5] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, http->certificate};
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, take_request, http, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}

static int open_daemon(struct http *http, int listener, struct error *error)
{
	const struct http_settings *settings = &http->settings;
	if (settings->certificate && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return error_set(error, "this system's libmicrohttpd has no HTTPS");
	if (settings->certificate &&
	    (!(http->certificate = load("certificate", settings->certificate, error)) ||
	     !(http->key = load("key", settings->key, error))))
		return -1;
	http->daemon = start(http, listener);
	if (!http->daemon)
		return error_set(error, "cannot serve HTTP%s",
				 settings->certificate ? "S with this certificate and key" : "");
	return 0;
}

struct http *http_open(const struct http_settings *settings, int listener, struct error *error)
{
	struct http *http = memory_calloc(1, sizeof *http);
	if (!http)
		return error_null(error, "cannot serve HTTP: %s", strerror(errno));
	http->settings = *settings;
	if (open_daemon(http, listener, error) == 0)
		return http;
	http_close(http);
	return NULL;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	http->closing = true;
	for (struct http_request *at = http->requests; at; at = at->next)
		resume(at);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	free(http->certificate);
	free(http->key);
	free(http);
}

/* Until when the library may wait for its descriptors. */
static int64_t next_deadline(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;
	if (http->resumed) /* not all versions of the library look for these */
		return 0;
	if (MHD_get_timeout(http->daemon, &milliseconds) != MHD_YES)
		return CLOCK_NEVER;
	return clock_after((int64_t)milliseconds * CLOCK_MILLISECOND);
}

/* Waits, and serves what there is. Returns whether `wake` is readable. */
static bool serve(struct http *http, int wake, int64_t deadline)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd ready[] = {{.fd = info->epoll_fd, .events = POLLIN},
				 {.fd = wake, .events = POLLIN}};
	(void)clock_poll(ready, 2, clock_earlier(deadline, next_deadline(http)));
	http->resumed = false;
	(void)MHD_run(http->daemon);
	return ready[1].revents;
}

void http_run(struct http *http, int wake, int64_t deadline)
{
	while (!serve(http, wake, deadline) && clock_now() < deadline) {
	}
}

static bool is_sending(const struct http *http)
{
	for (const struct http_request *at = http->requests; at; at = at->next)
		if (at->handled && !at->suspended)
			return true;
	return false;
}

void http_flush(struct http *http, int64_t deadline)
{
	while (is_sending(http) && clock_now() < deadline)
		(void)serve(http, -1, deadline);
}
