/* SPDX-License-Identifier: MIT */
#include "verify/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void fault_set(struct proof *proof, const struct client *client, const char *format, ...)
{
	struct fault *fault = &proof->fault;
	if (fault->found)
		return;
	va_list values;
	va_start(values, format);
	/* a message that is too long is cut */
	(void)vsnprintf(fault->message, sizeof fault->message, format, values);
	va_end(values);
	fault->found = true;
	fault->client = client;
}

/* The number of a line in the whole file. */
static int64_t line_in_file(const struct proof *proof, int64_t number)
{
	return number + log_reader_lines_before(&proof->log);
}

void fault_here(struct proof *proof, const struct client *client, const char *before,
		const char *after)
{
	char text[EXCERPT_SIZE];
	if (proof->fault.found)
		return;
	fault_set(proof, client, "%s'%s' at line %" PRId64 " of %.200s%s", before,
		  log_excerpt(text, proof->log.bytes), line_in_file(proof, proof->log.number),
		  proof->log.name, after);
}

void fault_damaged(struct proof *proof, bool torn)
{
	char text[EXCERPT_SIZE];
	if (proof->fault.found)
		return;
	fault_set(proof, NULL, "line %" PRId64 " of %.200s is %s: '%s'",
		  line_in_file(proof, proof->log.number), proof->log.name,
		  torn ? "torn" : "no record", log_excerpt(text, proof->log.bytes));
}

void fault_foreign_ok(struct proof *proof)
{
	char text[EXCERPT_SIZE];
	fault_set(proof, NULL, "%s: the ok at line %" PRId64 " of %.200s answers no line",
		  log_excerpt(text, proof->log.subject), proof->log.number, proof->log.name);
}

void fault_order(struct proof *proof, const struct connection *connection,
		 const struct client_line *got, const struct client_line *due)
{
	if (proof->fault.found)
		return;
	proof->fault = (struct fault){.found = true,
				      .unexplained = true,
				      .client = connection->stream->client,
				      .line = proof->log.number,
				      .search_from = proof->expected ? connection->first_line : 0,
				      .got = got ? *got : (struct client_line){0},
				      .due = *due};
}

void fault_missing(struct proof *proof, const struct client *client, const struct client_line *line)
{
	char text[CLIENT_LINE_SIZE];
	client_line_write(line, text);
	fault_set(proof, client, "'%s' is missing in %.200s: it was %sacknowledged", text,
		  proof->log.name, client_was_acknowledged(client, line) ? "" : "sent, but not ");
}

/* Is the current record about a connection of the client at fault? */
static bool is_of_client(const struct proof *proof)
{
	const struct address *address = address_table_find(&proof->addresses, proof->log.subject);
	const struct connection *connection = address ? address->first : NULL;
	while (connection && connection->stream->client != proof->fault.client)
		connection = connection->other;
	return connection != NULL;
}

/* The numbers of the first records of the two lines of an order fault; 0: there is none. */
struct found {
	int64_t got, due;
};

static int search(struct proof *proof, struct found *found, struct error *error)
{
	struct log_reader *log = &proof->log;
	const struct fault *fault = &proof->fault;
	enum log_line kind;
	log_reader_rewind(log);
	while ((kind = log_reader_next_record(log, error)) == LOG_RECORD) {
		struct client_line line;
		if (log->event != RECORD_RECEIVED || log->number < fault->search_from ||
		    !client_line_read(log->bytes, &line) || !is_of_client(proof))
			continue;
		if (!found->got && client_line_same(&line, &fault->got))
			found->got = log->number;
		if (!found->due && client_line_same(&line, &fault->due))
			found->due = log->number;
	}
	return kind == LOG_UNREADABLE ? -1 : 0;
}

/* A line that came where it must not. */
static void explain_line(struct proof *proof, const struct fault *fault, const struct found *found)
{
	const struct client *client = fault->client;
	const char *log = proof->log.name;
	int64_t line = line_in_file(proof, fault->line);
	char got[CLIENT_LINE_SIZE], due[CLIENT_LINE_SIZE];
	client_line_write(&fault->got, got);
	client_line_write(&fault->due, due);
	if (!client_has_sent(client, &fault->got))
		fault_set(proof, client, "'%s' at line %" PRId64 " of %.200s was never sent", got,
			  line, log);
	else if (found->got && found->got < fault->line)
		fault_set(proof, client,
			  "'%s' is there twice (lines %" PRId64 " and %" PRId64 " of %.200s)", got,
			  line_in_file(proof, found->got), line, log);
	else if (found->due)
		fault_set(proof, client,
			  "'%s' is out of order at line %" PRId64 " of %.200s: '%s' was due", got,
			  line, log, due);
	else if (proof->expected)
		fault_set(proof, client,
			  "'%s' is missing in %.200s, line %" PRId64 " goes on with '%s'", due, log,
			  line, got);
	else if (client_has_sent(client, &fault->due))
		fault_missing(proof, client, &fault->due);
	else
		fault_set(proof, client,
			  "'%s' is out of order at line %" PRId64
			  " of %.200s: nothing was due there",
			  got, line, log);
}

/* An acknowledgement without a line before it. */
static void explain_answer(struct proof *proof, const struct fault *fault,
			   const struct found *found)
{
	const struct client *client = fault->client;
	const char *answer = proof->job->echoes ? "echo" : "ok", *log = proof->log.name;
	int64_t line = line_in_file(proof, fault->line);
	char due[CLIENT_LINE_SIZE];
	client_line_write(&fault->due, due);
	if (found->due > fault->line)
		fault_set(proof, client,
			  "the %s at line %" PRId64 " of %.200s came before its line '%s'", answer,
			  line, log, due);
	else if (proof->expected)
		fault_set(proof, client,
			  "the %s at line %" PRId64 " of %.200s answers no line: '%s' was due",
			  answer, line, log, due);
	else if (!found->due && client_has_sent(client, &fault->due))
		fault_missing(proof, client, &fault->due);
	else
		fault_set(proof, client, "the %s at line %" PRId64 " of %.200s answers no line",
			  answer, line, log);
}

int fault_explain(struct proof *proof, struct error *error)
{
	const struct fault fault = proof->fault;
	struct found found = {0};
	if (!fault.unexplained)
		return 0;
	if (search(proof, &found, error) < 0)
		return -1;
	proof->fault.found = false; /* to be set again, with a message */
	if (fault.got.iteration)
		explain_line(proof, &fault, &found);
	else
		explain_answer(proof, &fault, &found);
	return 0;
}
