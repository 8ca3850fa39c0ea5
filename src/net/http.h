/* SPDX-License-Identifier: MIT */
/* An HTTP/1.1 server for few, small requests, by libmicrohttpd where the build has it (configure
 * --with-libmicrohttpd); elsewhere http_open() fails and says so.
 *
 * One thread runs it: http_run() waits, and calls the handler and the streams. No other thread may
 * call these functions; one that has news makes a descriptor readable, which http_run() waits for,
 * too. Connections and the memory of each are limited, whatever clients do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/socket.h"

struct http;
struct http_request;

/* Does this build have HTTP? Else http_open() fails with these words. */
extern const bool http_is_built;
#define HTTP_MISSING                                                                               \
	"this build has no HTTP: build it with ./configure --with-libmicrohttpd, or ./bootstrap "  \
	"run --with-libmicrohttpd"

enum {
	HTTP_CONNECTIONS_MAX = 640, /* at once; further ones wait */
	HTTP_STREAMS_MAX = 576,	    /* of these */
	HTTP_BODY_MAX = 1024,	    /* bytes of a request's body */
};

struct http_settings {
	const char *certificate, *key; /* PEM files, for HTTPS; NULL: HTTP */
	/* Handles a request: calls one of the http_answer functions, or http_stream(), now; or
	 * http_answer() later. */
	void (*handle)(void *context, struct http_request *request);
	void *context;
};

/* Returned by a stream's `next`: it ends here. */
#define HTTP_STREAM_END SIZE_MAX

/* A response whose bytes come as they are made. `next` writes at most `size` bytes and returns how
 * many; 0: none now, and it is called again after http_wake(). `close` is called once, when it has
 * ended, the client is gone or the server closes. */
struct http_stream {
	size_t (*next)(struct http_stream *stream, char *space, size_t size);
	void (*close)(struct http_stream *stream);
};

/* Serves a listening socket, which it takes over if it succeeds. Loads the files, and does not
 * start a thread. NULL: the error is set. */
struct http *http_open(const struct http_settings *settings, int listener, struct error *error);

/* Ends all connections: streams are closed, requests without an answer dropped. Accepts NULL. */
void http_close(struct http *http);

/* Serves requests until the deadline (ns), or until the descriptor `wake` is readable. */
void http_run(struct http *http, int wake, int64_t deadline);

/* The same until each answer that was given has left, and each stream that has something. */
void http_flush(struct http *http, int64_t deadline);

/* Streams that had nothing are asked again, at the next http_run(). */
void http_wake(struct http *http);

/* --- of a request; strings are valid until it is answered, NULL where there is none --- */

const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
const char *http_header(const struct http_request *request, const char *name);
/* Calls `each` for all arguments behind the '?' of the address, decoded and in their order, until
 * it returns false. No NUL stands behind the value; its bytes are NULL where there was no '='. */
void http_each_argument(const struct http_request *request,
			bool (*each)(void *context, const char *name, struct slice value),
			void *context);
struct slice http_body(const struct http_request *request);
/* The address of the client, as socket_name() writes it. */
void http_peer(const struct http_request *request, char name[SOCKET_NAME_SIZE]);

/* --- each ends a request --- */

struct http_answer {
	unsigned status;
	const char *type; /* of the content; NULL: text/plain */
	const char *bytes;
	size_t length;
	/* headers besides those that each answer has, pairs of name and value; NULL: none */
	const char *const *headers;
};

/* The bytes are copied. */
void http_answer(struct http_request *request, const struct http_answer *answer);
/* The same with a line of text. */
void http_answer_text(struct http_request *request, unsigned status, const char *text);
/* A stream of server-sent events; where there are too many the answer is 503, and it is closed. */
void http_stream(struct http_request *request, struct http_stream *stream);

/* --- without the library --- */

/* Checks the values of -http and -http-token together, NULL where they are not given, before
 * anything is opened. 0, or -1: the error names the option, or says that the build has no HTTP. */
int http_check_options(const char *address, const char *token, struct error *error);

/* The value of a name in a form, "NAME=VALUE&...", decoded. False: it is not there, it is not
 * encoded as it has to be, has a NUL or does not fit. */
bool http_form_value(struct slice form, const char *name, char *value, size_t size);
