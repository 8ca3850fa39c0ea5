/* SPDX-License-Identifier: MIT */
#include "client/ping/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/directory.h"
#include "record/exchange.h"
#include "record/ping_message.h"

enum { PING_CLIENT_LOG_KEEP = 65536 }; /* bytes of memory kept for the next records */

int ping_client_log_open(struct ping_client_log *log, const struct client_options *options,
			 int stop, struct error *error)
{
	log->quiet = options->quiet;
	log->name = options->log;
	if (!log->name) {
		workload_log_name(log->default_name, options->number);
		log->name = log->default_name;
		if (directory_make(log->name, false, error) < 0)
			return -1;
	}
	stdout_writer_open(&log->output, stop);
	if (!strcmp(log->name, "-")) {
		log->quiet = log->to_stdout = true;
		return append_file_stdout(&log->file, error);
	}
	enum old_content old = options->overwrite ? OLD_OVERWRITE : OLD_KEEP;
	if (append_file_open(&log->file, log->name, old, error) < 0)
		return -1;
	if (*log->file.kept)
		ping_client_log_note(log, RECORD_INFO, "the old log is kept as %s", log->file.kept);
	return 0;
}

void ping_client_log_close(struct ping_client_log *log)
{
	append_file_close(&log->file);
	stdout_writer_free(&log->output);
	buffer_free(&log->records);
}

const struct stamp *ping_client_log_time(struct ping_client_log *log)
{
	stamp_update(&log->stamp);
	return &log->stamp;
}

static void add(struct ping_client_log *log, struct record record)
{
	record.subject = PING_NOTE_SUBJECT;
	log->incomplete |=
		!record_append(&record_exchange, &log->records, ping_client_log_time(log), &record);
}

void ping_client_log_note(struct ping_client_log *log, enum record_level level, const char *format,
			  ...)
{
	struct error note; /* long enough for any */
	va_list values;
	va_start(values, format);
	(void)vsnprintf(note.message, sizeof note.message, format, values);
	va_end(values);
	add(log, (struct record){.level = level,
				 .event = RECORD_NOTE,
				 .bytes = note.message,
				 .length = strlen(note.message)});
}

void ping_client_log_exchange(struct ping_client_log *log, uint64_t number,
			      const struct ping_request *sent, struct slice answer)
{
	char line[PING_MESSAGE_SIZE];
	const struct ping_message asked = {.kind = PING_REQUEST, .request = number};
	struct exchange_request request;
	exchange_request_init(&request, &sent->stamp, line, ping_message_write(line, &asked));
	add(log, (struct record){.event = RECORD_RECEIVED,
				 .bytes = answer.bytes,
				 .length = answer.length,
				 .fields = request.fields});
}

void ping_client_log_message(struct ping_client_log *log, struct slice message)
{
	/* a message without a request has one form in this format, received or sent */
	add(log, (struct record){
			 .event = RECORD_SENT, .bytes = message.bytes, .length = message.length});
}

int ping_client_log_write(struct ping_client_log *log, struct error *error)
{
	struct buffer *records = &log->records;
	if (log->incomplete)
		return error_set(error, "out of memory");
	if (!records->length)
		return 0;
	int result = 0;
	struct iovec part = {records->bytes, records->length};
	if (append_file_write(&log->file, &part, 1, false) < 0)
		result = error_set(error, "cannot write to %s: %s", log->name, strerror(errno));
	else if (!log->quiet &&
		 (!stdout_writer_line(&log->output, records->bytes, records->length, error) ||
		  !stdout_writer_flush(&log->output, error)))
		result = -1;
	buffer_clear(records, PING_CLIENT_LOG_KEEP);
	return result;
}
