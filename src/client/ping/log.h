/* SPDX-License-Identifier: MIT */
/* The log of a ping client, also written to stdout: records of record/exchange.h, gathered in
 * memory and written together. The file never ends in part of a record. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/append_file.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "client/options.h"
#include "client/ping/request_table.h"
#include "client/stdout_writer.h"
#include "client/workload/workload.h"
#include "record/format.h"

struct ping_client_log {
	bool quiet;	/* nothing is copied to stdout */
	bool to_stdout; /* the records are written there, and nothing else may be */
	const char *name;
	char default_name[WORKLOAD_LOG_NAME_SIZE];
	struct append_file file;
	struct stdout_writer output;
	struct stamp stamp;
	struct buffer records; /* not yet written */
	bool incomplete;       /* memory was out for one of these */
};

/* Opens the file of -log or the default one, and locks it against other clients. An old one is
 * renamed, or emptied with -overwrite. "-" is stdout. `stop` as for stdout_writer_open(). 0, or -1:
 * the error is set. */
int ping_client_log_open(struct ping_client_log *log, const struct client_options *options,
			 int stop, struct error *error);

/* Due in any case. Accepts one that is zeroed but for the descriptor, which is -1. */
void ping_client_log_close(struct ping_client_log *log);

/* The current time; valid until the next call of any of these. */
const struct stamp *ping_client_log_time(struct ping_client_log *log);

/* Each adds a record in memory. */
void ping_client_log_note(struct ping_client_log *log, enum record_level level, const char *format,
			  ...) __attribute__((format(printf, 3, 4)));
/* A request with its answer, or EXCHANGE_TIMEOUT. */
void ping_client_log_exchange(struct ping_client_log *log, uint64_t number,
			      const struct ping_request *sent, struct slice answer);
void ping_client_log_message(struct ping_client_log *log, struct slice message);

/* Writes what was added, all or nothing. Blocks while stdout takes no more. 0, or -1: the error is
 * set, also where memory was out for a record. */
int ping_client_log_write(struct ping_client_log *log, struct error *error);
