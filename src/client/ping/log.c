/* SPDX-License-Identifier: MIT */
#include "client/ping/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/directory.h"

enum { PINGER_LOG_KEEP = 65536 }; /* bytes of memory kept for the next records */

void pinger_log_name(char name[PINGER_LOG_SIZE], int64_t number)
{
	(void)snprintf(name, PINGER_LOG_SIZE, "logs/client%" PRId64 ".log", number);
}

bool pinger_log_open(struct pinger_log *log, const struct client_options *options, int stop,
		     struct failure *failure)
{
	log->quiet = options->quiet;
	log->name = options->log;
	if (!log->name) {
		pinger_log_name(log->usual_name, options->number);
		log->name = log->usual_name;
		if (folder_make_for(log->name, failure) < 0)
			return false;
	}
	output_open(&log->output, STDOUT_FILENO, stop);
	log->sink = sink_open(log->name, false, failure);
	return log->sink != NULL;
}

void pinger_log_close(struct pinger_log *log)
{
	if (log->sink)
		log->sink->type->close(log->sink);
	output_free(&log->output);
	text_free(&log->records);
}

const struct stamp *pinger_log_time(struct pinger_log *log)
{
	stamp_update(&log->stamp);
	return &log->stamp;
}

static bool add(struct pinger_log *log, struct record record)
{
	record.subject = PINGER_SUBJECT;
	return record_append(&log->records, RECORD_PAIRS, pinger_log_time(log), &record);
}

bool pinger_log_note(struct pinger_log *log, enum record_level level, const char *words)
{
	return add(log, (struct record){.level = level,
					.event = RECORD_NOTE,
					.bytes = words,
					.length = strlen(words)});
}

static bool add_pair(struct pinger_log *log, uint64_t number, const struct pinged *pinged,
		     struct record record)
{
	char line[PING_LINE_SIZE];
	const struct ping_line asked = {.kind = PING_REQUEST, .request = number};
	const struct record_request request = {
		.stamp = pinged->stamp, .bytes = line, .length = ping_line_write(line, &asked)};
	record.request = &request;
	return add(log, record);
}

bool pinger_log_answer(struct pinger_log *log, uint64_t number, const struct pinged *pinged,
		       const char *answer, size_t length)
{
	return add_pair(
		log, number, pinged,
		(struct record){.event = RECORD_RECEIVED, .bytes = answer, .length = length});
}

bool pinger_log_timeout(struct pinger_log *log, uint64_t number, const struct pinged *pinged)
{
	return add_pair(log, number, pinged, (struct record){.event = RECORD_TIMEOUT});
}

bool pinger_log_message(struct pinger_log *log, const char *message, size_t length)
{
	/* in this layout what is received without having been asked for looks like what is sent so
	 */
	return add(log, (struct record){.event = RECORD_SENT, .bytes = message, .length = length});
}

bool pinger_log_write(struct pinger_log *log, struct failure *failure)
{
	const struct iovec part = {log->records.bytes, log->records.length};
	if (!part.iov_len)
		return true;
	int error = log->sink->type->commit(log->sink, &part, 1, false);
	if (error)
		failure_set(failure, "cannot write to %s: %s", log->name, strerror(error));
	bool written = !error;
	if (written && !log->quiet)
		written = output_line(&log->output, part.iov_base, part.iov_len, failure) &&
			  output_flush(&log->output, failure);
	text_clear(&log->records, PINGER_LOG_KEEP);
	return written;
}
