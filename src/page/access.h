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
	const char *host;	       /* that the server listens on; borrowed */
	bool exposed;		       /* other machines reach it */
	char token[ACCESS_TOKEN_SIZE]; /* empty: there is none */
};

/* Reads the first line of a file as the token. 0, or -1: the error is set. */
int access_read_token(struct access *access, const char *file, struct error *error);

/* Whether the Host is one of ours. */
bool access_host(const struct access *access, const char *host);
/* Whether the Origin is that of the Host; both as in the headers, or NULL. */
bool access_origin(const char *origin, const char *host);
/* Whether the Authorization has the token: "Bearer TOKEN", or "Basic" with any name and the token
 * as the password. Also if there is no token. */
bool access_token(const struct access *access, const char *authorization);
