/* SPDX-License-Identifier: MIT */
/* The log of a client of ping, also shown on stdout: records in RECORD_PAIRS, gathered in memory
 * and written together, whole lines only. */
#ifndef ACKLINE_CLIENT_PING_LOG_H
#define ACKLINE_CLIENT_PING_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/stdout_writer.h"
#include "base/error.h"
#include "client/options.h"
#include "client/ping/request_table.h"
#include "record/format.h"
#include "log/sink.h"
#include "base/buffer.h"

/* What notes are about, and how those begin that a proof has to know. */
#define PING_CLIENT_SUBJECT "client"
#define PING_CLIENT_CONNECTED "connected from "
#define PING_CLIENT_LATE "late: "

#define PING_CLIENT_LOG_SIZE 48

struct ping_client_log {
	bool quiet;
	const char *name;
	char usual_name[PING_CLIENT_LOG_SIZE];
	struct sink *sink;
	struct stdout_writer output;
	struct stamp stamp;
	struct buffer records; /* not yet written */
};

/* What the log of the client with that number is called, unless -log says otherwise. */
void ping_client_log_name(char name[PING_CLIENT_LOG_SIZE], int64_t number);

/* Opens it, emptied, for this client alone. `stop` as in stdout_writer_open(). False: the failure
 * is set. A zeroed one may be closed, too. */
bool ping_client_log_open(struct ping_client_log *log, const struct client_options *options,
			  int stop, struct error *error);
void ping_client_log_close(struct ping_client_log *log);

/* Now; valid until the next call of any of these. */
const struct stamp *ping_client_log_time(struct ping_client_log *log);

/* Each adds a record. False: out of memory. */
bool ping_client_log_note(struct ping_client_log *log, enum record_level level, const char *words);
bool ping_client_log_answer(struct ping_client_log *log, uint64_t number,
			    const struct ping_request *sent, const char *answer, size_t length);
bool ping_client_log_timeout(struct ping_client_log *log, uint64_t number,
			     const struct ping_request *sent);
bool ping_client_log_message(struct ping_client_log *log, const char *message, size_t length);

/* Writes and shows what was added. False: the failure is set. */
bool ping_client_log_write(struct ping_client_log *log, struct error *error);

#endif
