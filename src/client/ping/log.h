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
#define PINGER_SUBJECT "client"
#define PINGER_CONNECTED "connected from "
#define PINGER_LATE "late: "

#define PINGER_LOG_SIZE 48

struct pinger_log {
	bool quiet;
	const char *name;
	char usual_name[PINGER_LOG_SIZE];
	struct sink *sink;
	struct output output;
	struct stamp stamp;
	struct text records; /* not yet written */
};

/* What the log of the client with that number is called, unless -log says otherwise. */
void pinger_log_name(char name[PINGER_LOG_SIZE], int64_t number);

/* Opens it, emptied, for this client alone. `stop` as in output_open(). False: the failure is set.
 * A zeroed one may be closed, too. */
bool pinger_log_open(struct pinger_log *log, const struct client_options *options, int stop,
		     struct failure *failure);
void pinger_log_close(struct pinger_log *log);

/* Now; valid until the next call of any of these. */
const struct stamp *pinger_log_time(struct pinger_log *log);

/* Each adds a record. False: out of memory. */
bool pinger_log_note(struct pinger_log *log, enum record_level level, const char *words);
bool pinger_log_answer(struct pinger_log *log, uint64_t number, const struct pinged *pinged,
		       const char *answer, size_t length);
bool pinger_log_timeout(struct pinger_log *log, uint64_t number, const struct pinged *pinged);
bool pinger_log_message(struct pinger_log *log, const char *message, size_t length);

/* Writes and shows what was added. False: the failure is set. */
bool pinger_log_write(struct pinger_log *log, struct failure *failure);

#endif
