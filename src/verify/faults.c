/* SPDX-License-Identifier: MIT */
#include "verify/proof.h"
#include "base/plural.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_SIZE = 256 };

/* Of an order fault, until it is explained. */
static const char unexplained[] = "";

static bool same_line(const struct client_line *one, const struct client_line *other)
{
	return one->thread == other->thread && one->iteration == other->iteration &&
	       one->client == other->client && one->threaded == other->threaded;
}

/* Writes bytes of a log as record_excerpt(): what the log has escaped is not escaped again. */
static const char *log_excerpt(char excerpt[EXCERPT_SIZE], struct slice bytes)
{
	char plain[EXCERPT_SIZE]; /* enough: an escape of the log has four bytes */
	size_t length = bytes.length < sizeof plain ? bytes.length : sizeof plain;
	if (length)
		memcpy(plain, bytes.bytes, length);
	return record_excerpt(excerpt, plain, record_unescape(plain, length));
}

void fault_set(struct proof *proof, struct fault fault)
{
	if (proof->fault.message || !fault.message)
		return;
	proof->fault = fault;
	proof->fault.line = proof->log.number;
	if (proof->job->plain) /* as it stands there: it may not be what escaping makes of bytes */
		record_excerpt(proof->fault.here, proof->log.record.bytes.bytes,
			       proof->log.record.bytes.length);
	else
		log_excerpt(proof->fault.here, proof->log.record.bytes);
	log_excerpt(proof->fault.subject, proof->log.record.subject);
}

void fault_here(struct proof *proof, const struct client *client, const char *message)
{
	fault_set(proof, (struct fault){.message = message, .client = client});
}

void fault_order(struct proof *proof, const struct connection *connection, struct client_line due)
{
	struct fault fault = {.message = unexplained,
			      .client = connection->stream->client,
			      .due = due,
			      .search_from = connection->first_line};
	if (proof->log.record.event == RECORD_RECEIVED)
		(void)client_line_read(proof->log.record.bytes, &fault.got);
	fault_set(proof, fault);
}

static const char *missing(const struct client *client, const struct client_line *line)
{
	return client_was_acknowledged(client, line)
		       ? "'$d' is missing in $l: it was acknowledged"
		       : "'$d' is missing in $l: it was sent, but not acknowledged";
}

void fault_missing(struct proof *proof, const struct client *client, struct client_line line)
{
	fault_set(proof,
		  (struct fault){.message = missing(client, &line), .client = client, .due = line});
}

/* Is the current record about a connection of the client at fault? */
static bool is_of_client(const struct proof *proof)
{
	const struct address *address =
		address_table_find(&proof->addresses, proof->log.record.subject);
	const struct connection *connection = address ? address->first : NULL;
	while (connection && connection->stream->client != proof->fault.client)
		connection = connection->other;
	return connection != NULL;
}

/* Finds the first records of the line that came and of the one due. *due is a number, 0: none. */
static int search(struct proof *proof, int64_t *due, struct error *error)
{
	struct log_reader *log = &proof->log;
	struct fault *fault = &proof->fault;
	enum log_line kind;
	log_reader_rewind(log);
	while ((kind = log_reader_next_record(log, error)) == LOG_RECORD) {
		struct client_line line;
		if (log->record.event != RECORD_RECEIVED || log->number < fault->search_from ||
		    !client_line_read(log->record.bytes, &line) || !is_of_client(proof))
			continue;
		if (!fault->first && same_line(&line, &fault->got))
			fault->first = log->number;
		if (!*due && same_line(&line, &fault->due))
			*due = log->number;
	}
	return kind == LOG_UNREADABLE ? -1 : 0;
}

/* Of a line that came where it must not. */
static const char *explain_line(const struct proof *proof, int64_t due)
{
	const struct fault *fault = &proof->fault;
	if (!client_has_sent(fault->client, &fault->got))
		return "'$b' at line $n was never sent";
	if (fault->first && fault->first < fault->line)
		return "'$b' is there twice (lines $f and $n)";
	if (due)
		return "'$b' is out of order at line $n: '$d' was due";
	if (proof->expected)
		return "'$d' is missing before line $n, '$b'";
	if (client_has_sent(fault->client, &fault->due))
		return missing(fault->client, &fault->due);
	return "'$b' is out of order at line $n: nothing was due there";
}

/* Of an answer without a line before it. */
static const char *explain_answer(const struct proof *proof, int64_t due)
{
	const struct fault *fault = &proof->fault;
	if (due > fault->line)
		return "the $a at line $n came before its line '$d'";
	if (proof->expected)
		return "the $a at line $n answers no line: '$d' was due";
	if (!due && client_has_sent(fault->client, &fault->due))
		return missing(fault->client, &fault->due);
	return "the $a at line $n answers no line";
}

int fault_explain(struct proof *proof, struct error *error)
{
	struct fault *fault = &proof->fault;
	int64_t due = 0;
	if (fault->message != unexplained)
		return 0;
	if (search(proof, &due, error) < 0)
		return -1;
	fault->message =
		fault->got.iteration ? explain_line(proof, due) : explain_answer(proof, due);
	return 0;
}

/* Writes the number of a line, and its file unless that is known. */
static void write_place(const struct proof *proof, int64_t line, const char *known,
			char text[VALUE_SIZE])
{
	const char *name;
	int64_t number = log_reader_line(&proof->log, line, &name);
	bool other = !known || strcmp(name, known) != 0;
	(void)snprintf(text, VALUE_SIZE, "%" PRId64 "%s%.200s", number, other ? " of " : "",
		       other ? name : "");
}

/* Returns what a name in a template stands for. */
static const char *value_of(const struct proof *proof, char name, char text[VALUE_SIZE])
{
	const struct fault *fault = &proof->fault;
	const char *file;
	switch (name) {
	case 'b':
		return fault->here;
	case 'p':
		return fault->subject;
	case 'a':
		return proof->job->echoes ? "echo" : "ok";
	case 'd':
		client_line_write(&fault->due, text);
		return text;
	case 'l':
		return proof->log.title;
	case 's':
		return PLURAL(fault->values[0]);
	case 'n':
		write_place(proof, fault->line, NULL, text);
		return text;
	case 'f':
		(void)log_reader_line(&proof->log, fault->line, &file);
		write_place(proof, fault->first, file, text);
		return text;
	default:
		(void)snprintf(text, VALUE_SIZE, "%" PRId64, fault->values[name - '1']);
		return text;
	}
}

void fault_add(const struct proof *proof, struct verdict *verdict)
{
	const struct client *client = proof->fault.client;
	char excerpt[EXCERPT_SIZE], text[VALUE_SIZE];
	if (!proof->fault.message)
		return;
	if (client && client->address)
		verdict_add(verdict, "%s: ", log_excerpt(excerpt, client->address->name));
	else if (client)
		verdict_add(verdict, "client %td: ", client - proof->clients + 1);
	for (const char *at = proof->fault.message; *at; at++) {
		if (*at != '$')
			verdict_add(verdict, "%c", *at);
		else
			verdict_add(verdict, "%s", value_of(proof, *++at, text));
	}
	verdict_add(verdict, "; ");
}
