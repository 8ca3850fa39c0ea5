/* SPDX-License-Identifier: MIT */
/* What the two files that call libmicrohttpd share: http_microhttpd.c serves, http_request.c reads
 * what a request says. */
#pragma once

#include <microhttpd.h>

#include "net/http.h"

struct http {
	struct http_settings settings;
	struct MHD_Daemon *daemon;
	char *certificate, *key; /* the contents of the files, or NULL */
	struct http_request *requests;
	size_t streams;
	bool resumed; /* connections were, since the library ran last */
	bool closing;
};

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	struct http_request *next, *previous; /* all that are not completed */
	const char *method, *path;
	char body[HTTP_BODY_MAX];
	size_t length;		       /* of the body */
	bool too_long;		       /* the body is */
	bool handled;		       /* the handler was called */
	bool suspended;		       /* without an answer, or a stream without bytes */
	struct MHD_Response *response; /* the answer, until it is queued */
	unsigned status;
	struct http_stream *stream;
};
