/* SPDX-License-Identifier: MIT */
/* TLS of the server: for its clients, and for the server that a relay connects to. */
#pragma once

#include "log.h"
#include "service/server_options.h"

/* Zeroed: both are plain TCP. */
struct server_tls {
	struct tls *own, *next;
};

/* Loads what the options name. 0, or -1 with the error set; to be closed in both cases. */
int server_tls_open(struct server_tls *tls, const struct server_options *options,
		    struct error *error);
void server_tls_close(struct server_tls *tls);

/* The type of streams with it; NULL: plain TCP. */
const struct stream_type *server_tls_type(const struct tls *tls);

/* Warns, and notes in the log, what has expired. */
void server_tls_tell(const struct server_tls *tls, struct log *log,
		     void (*warn)(const char *message));

/* Loads the files anew, for connections from now on, and logs it. What is broken changes nothing,
 * and is told. */
void server_tls_reload(struct server_tls *tls, struct log *log, void (*warn)(const char *message));
