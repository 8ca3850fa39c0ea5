/* SPDX-License-Identifier: MIT */
/* Who may do what over HTTP.
 *
 * A page of another site that a browser shows can send requests here, and its name can be made to
 * resolve to this machine (DNS rebinding). So the Host of a request has to be an address,
 * localhost, or the name that the server listens on, unless other machines reach it anyway; and one
 * that changes something has to come from our own page. A token keeps other people away. */
#pragma once

#include <stdbool.h>

#include "net/http.h"

enum { ACCESS_TOKEN_MIN = 16, ACCESS_TOKEN_SIZE = 257 };

struct access {
	char host[SOCKET_NAME_SIZE];   /* that the server listens on */
	bool exposed;		       /* other machines reach it */
	char token[ACCESS_TOKEN_SIZE]; /* empty: there is none */
};

/* Listens on HOST:PORT, with the first line of a file as the token (NULL: none). The options were
 * checked by http_check_options(). A name is looked up until the descriptor `wake` is readable.
 * Returns the socket, or -1: the error is set. */
int access_open(struct access *access, const char *address, const char *token_file, int wake,
		struct error *error);

/* Whether the Host is one of ours. */
bool access_host(const struct access *access, const char *host);
/* Whether the Origin is that of the Host; both as in the headers, or NULL. */
bool access_origin(const char *origin, const char *host);
/* Whether a browser sends the request for a page of another site: it says so by Origin or
 * Sec-Fetch-Site, old ones by Referer. Headers, or NULL; programs send none of these. */
bool access_is_foreign(const char *origin, const char *site, const char *referer, const char *host);
/* Whether the Authorization has the token: "Bearer TOKEN", or "Basic" with any name and the token
 * as the password. Also if there is no token. */
bool access_token(const struct access *access, const char *authorization);
/* Answers a request that has none; a browser then asks its user for it. */
void access_ask_for_token(struct http_request *request);
