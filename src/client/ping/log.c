/* SPDX-License-Identifier: MIT */
#include "client/ping/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/directory.h"

enum { PING_CLIENT_LOG_KEEP = 65536 }; /* bytes of memory kept for the next records */

void ping_client_log_name(char name[PING_CLIENT_LOG_SIZE], int64_t number)
{
	(void)snprintf(name, PING_CLIENT_LOG_SIZE, "logs/client%" PRId64 ".log", number);
}

bool ping_client_log_open(struct ping_client_log *log, const struct client_options *options,
			  int stop, struct error *error)
{
	log->quiet = options->quiet;
	log->name = options->log;
	if (!log->name) {
		ping_client_log_name(log->usual_name, options->number);
		log->name = log->usual_name;
		if (directory_make_for(log->name, error) < 0)
			return false;
	}
	stdout_writer_open(&log->output, STDOUT_FILENO, stop);
	log->sink = sink_open(log->name, false, error);
	return log->sink != NULL;
}

void ping_client_log_close(struct ping_client_log *log)
{
	if (log->sink)
		log->sink->type->close(log->sink);
	stdout_writer_free(&log->output);
	buffer_free(&log->records);
}

const struct stamp *ping_client_log_time(struct ping_client_log *log)
{
	stamp_update(&log->stamp);
	return &log->stamp;
}

static bool add(struct ping_client_log *log, struct record record)
{
	record.subject = PING_CLIENT_SUBJECT;
	return record_append(&log->records, RECORD_PAIRS, ping_client_log_time(log), &record);
}

bool ping_client_log_note(struct ping_client_log *log, enum record_level level, const char *words)
{
	return add(log, (struct record){.level = level,
					.event = RECORD_NOTE,
					.bytes = words,
					.length = strlen(words)});
}

static bool add_pair(struct ping_client_log *log, uint64_t number, const struct ping_request *sent,
		     struct record record)
{
	char line[PING_MESSAGE_SIZE];
	const struct ping_message asked = {.kind = PING_REQUEST, .request = number};
	const struct record_request request = {
		.stamp = sent->stamp, .bytes = line, .length = ping_message_write(line, &asked)};
	record.request = &request;
	return add(log, record);
}

bool ping_client_log_answer(struct ping_client_log *log, uint64_t number,
			    const struct ping_request *sent, const char *answer, size_t length)
{
	return add_pair(
		log, number, sent,
		(struct record){.event = RECORD_RECEIVED, .bytes = answer, .length = length});
}

bool ping_client_log_timeout(struct ping_client_log *log, uint64_t number,
			     const struct ping_request *sent)
{
	return add_pair(log, number, sent, (struct record){.event = RECORD_TIMEOUT});
}

bool ping_client_log_message(struct ping_client_log *log, const char *message, size_t length)
{
	/* in this layout what is received without having been asked for looks like what is sent so
	 */
	return add(log, (struct record){.event = RECORD_SENT, .bytes = message, .length = length});
}

bool ping_client_log_write(struct ping_client_log *log, struct error *error)
{
	const struct iovec part = {log->records.bytes, log->records.length};
	if (!part.iov_len)
		return true;
	int errnum = log->sink->type->commit(log->sink, &part, 1, false);
	if (errnum)
		error_set(error, "cannot write to %s: %s", log->name, strerror(errnum));
	bool written = !errnum;
	if (written && !log->quiet)
		written = stdout_writer_line(&log->output, part.iov_base, part.iov_len, error) &&
			  stdout_writer_flush(&log->output, error);
	buffer_clear(&log->records, PING_CLIENT_LOG_KEEP);
	return written;
}
