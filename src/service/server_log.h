/* SPDX-License-Identifier: MIT */
/* The server's log as its options have it, and the copies of its records on stdout and stderr. */
#pragma once

#include "log.h"
#include "log/keeper.h"
#include "service/server_options.h"

/* Zeroed, it is closed. */
struct server_log {
	struct record_format format;
	struct keeper keeper;		   /* of closed files */
	struct stdout_tee *tee, *warnings; /* on stdout and stderr; NULL: none */
};

/* Opens the log, which counts in the metrics unless they are NULL. `warn` is the log's. Returns it,
 * or NULL with the error set; the copies are to be closed in both cases. */
struct log *server_log_open(struct server_log *server_log, const struct server_options *options,
			    struct log_metrics *metrics, void (*warn)(const char *message),
			    struct error *error);

/* Prints the schema of the log's database, or makes its tables, as -init says. Returns an exit
 * status, with the error set if that is not 0; -1: nothing was asked for. */
int server_log_init(const struct server_options *options, struct error *error);

/* Ends the copies. False: stdout or stderr is stuck, and with it a thread. */
bool server_log_close(struct server_log *server_log);
