/* SPDX-License-Identifier: MIT */
#include "verify/run.h"

#include <string.h>

#include "verify/proof.h"
#include "net/answers.h"

/* A line of a thread above is not taken as the first of an inferred client. */
enum { THREADS_MAX = 1000000, FIRST_RUN = 1 };

static int out_of_memory(struct error *error)
{
	return error_set(error, "cannot verify: out of memory");
}

/* The connection of a client that a record of this address is about; NULL: a foreign one. */
static struct connection *connection_at(const struct proof *proof, const struct address *address)
{
	return address->current || proof->expected ? address->current : address->first;
}

/* Whether the current record is the line at a place of a stream. */
static bool is_at(const struct proof *proof, const struct stream *stream, int64_t place)
{
	struct client_line line;
	return client_line_read(proof->log.record.bytes, &line) &&
	       stream_place(stream, &line) == place;
}

/* Echo logs and returns what came when nothing more comes for some ms, so that a line can be in
 * several records. Whether the current one is a part of the line at a place, behind those that came
 * before; the last part becomes the whole line, and is none. */
static bool take_part(struct proof *proof, const struct stream *stream, int64_t place, size_t *part)
{
	const struct client_line line = stream_line(stream, place);
	struct slice *bytes = &proof->log.record.bytes;
	size_t before = *part;
	if (!bytes->length || (!before && is_at(proof, stream, place)))
		return false;
	client_line_write(&line, proof->joined);
	const struct slice whole = slice_of(proof->joined);
	*part = 0;
	if (bytes->length > whole.length - before ||
	    memcmp(bytes->bytes, whole.bytes + before, bytes->length) != 0)
		return false;
	if (before + bytes->length < whole.length)
		*part = before + bytes->length;
	else
		*bytes = whole;
	return *part > 0;
}

/* The same for what was received, or sent. */
static bool is_part(struct proof *proof, const struct address *address, bool sent)
{
	struct connection *at = address->current;
	if (!proof->job->echoes || !at || address->run != proof->runs)
		return false;
	return sent ? take_part(proof, at->stream, at->start + at->sent, &at->returned)
		    : take_part(proof, at->stream, at->next, &at->got);
}

/* --- lines received --- */

/* A line that is in the log for the first time. When it was sent, at most a window of the lines
 * before it were not answered, and those that were answered are in the log: so the same holds for
 * the log. */
static void count_first(struct proof *proof, const struct connection *connection,
			const struct client_line *line)
{
	struct stream *stream = connection->stream;
	struct client *client = stream->client;
	int64_t lines_before = (line->iteration - 1) * client->threads + line->thread;
	/* threads at their own pace come in any order, each in its own */
	if (!client->free && lines_before >= client->logged + client->window) {
		const struct stream *lowest = client->streams;
		for (size_t i = 0; i < client->stream_count; i++)
			if (client->streams[i].next < lowest->next)
				lowest = &client->streams[i];
		fault_order(proof, connection, stream_line(lowest, lowest->next));
	}
	stream->next++;
	client->logged++;
}

/* Checks that no more lines are in flight than the window: received, and not answered. */
static void check_in_flight(struct proof *proof, const struct connection *connection)
{
	struct client *client = connection->stream->client;
	int64_t here = connection->next - connection->start - connection->sent;
	if (connection->stream->current == connection)
		client->in_flight++;
	/* after a kill, records of answers on other connections may be missing; in free order each
	 * connection has a window of its own */
	bool alone = proof->job->cut || client->free;
	if (here <= client->window && (alone || client->in_flight <= client->window))
		return;
	fault_set(proof,
		  (struct fault){.client = client,
				 .values = {client->window},
				 .message = client->window == 1
						    ? "'$b' at line $n came before the $a of "
						      "the line before it"
						    : "'$b' at line $n came with $1 lines in "
						      "flight already"});
}

static void count_answer(struct connection *connection)
{
	connection->sent++;
	connection->stream->client->in_flight -= connection->stream->current == connection;
}

static void take_line(struct proof *proof, struct connection *connection,
		      const struct client_line *line)
{
	struct stream *stream = connection->stream;
	if (connection->next++ >= stream->next)
		count_first(proof, connection, line);
	else if (++stream->repeated > stream->resent)
		fault_order(proof, connection, *line);
	check_in_flight(proof, connection);
	if (proof->received_only) {
		count_answer(connection);
		proof->unproved++;
	}
	if (!client_has_sent(stream->client, line))
		fault_here(proof, stream->client, "'$b' at line $n was never sent");
	else if (proof->bits)
		bits_set(proof, stream->client, line);
}

/* False: out of memory. */
static bool take_client_line(struct proof *proof, struct address *address,
			     const struct client_line *line)
{
	const struct connection *known = connection_at(proof, address);
	struct connection *connection = NULL;
	if (!proof->expected)
		connection = reported_connection(proof, address, line);
	else if (!standalone_connection(proof, address, line, &connection))
		return false;
	if (!connection) {
		fault_order(proof, known, connection_due(known));
		if (proof->bits)
			connection = reported_resume(address, line);
	}
	if (connection)
		take_line(proof, connection, line);
	return true;
}

/* A line on a connection of no client. */
static void take_foreign(struct proof *proof, struct address *address)
{
	if (address->run != proof->runs) {
		proof->foreign_connections++;
		address->run = proof->runs;
		address->received = address->sent = 0;
	}
	address->received++;
	proof->foreign_lines++;
}

/* The log has a line from an address of these clients. */
static void note_present(const struct address *address)
{
	for (struct connection *at = address->first; at; at = at->other)
		at->stream->client->present = true;
}

/* Of a log whose first file is missing: what clients have sent until the server begins anew may go
 * on from there, and so may the answers. */
static bool may_go_on(const struct proof *proof)
{
	return *proof->log.remark && proof->runs == FIRST_RUN;
}

/* False: out of memory. */
static bool take_received(struct proof *proof)
{
	struct client_line line;
	struct address *address = address_table_add(&proof->addresses, proof->log.record.subject);
	if (!address)
		return false;
	if (is_part(proof, address, false))
		return true;
	bool present = address->run == proof->runs,
	     ours = client_line_read(proof->log.record.bytes, &line);
	if (proof->expected) {
		ours &= !line.client && line.thread < THREADS_MAX;
		bool begins = ours && (line.iteration == 1 || !may_go_on(proof));
		if (present ? !address->current : !begins) {
			take_foreign(proof, address);
			return present || standalone_end(proof, address);
		}
	} else if (!address->first) {
		proof->disguised |= ours;
		take_foreign(proof, address);
		return true;
	}
	note_present(address);
	proof->lines++;
	if (ours)
		return take_client_line(proof, address, &line);
	fault_here(proof, connection_at(proof, address)->stream->client,
		   proof->expected ? "'$b' at line $n is not what a client sends"
				   : "'$b' at line $n was never sent");
	return true;
}

/* --- answers sent --- */

/* Is the current record the answer that a client needs? In echo that is the line due itself. */
static bool is_answer(const struct proof *proof, const struct connection *connection)
{
	const struct stream *stream = connection->stream;
	if (!stream->client->name)
		return slice_equals(proof->log.record.bytes, ANSWER_OK);
	return is_at(proof, stream,
		     connection->started ? connection->start + connection->sent : stream->next);
}

static void take_foreign_ok(struct proof *proof, struct address *address)
{
	if (!slice_equals(proof->log.record.bytes, ANSWER_OK))
		return;
	if (address && address->sent < address->received)
		address->sent++;
	else if (!may_go_on(proof))
		fault_here(proof, NULL, "$p: the $a at line $n answers no line");
}

static void take_sent(struct proof *proof)
{
	struct address *address = address_table_find(&proof->addresses, proof->log.record.subject);
	struct connection *connection = address ? connection_at(proof, address) : NULL;
	if (!connection) {
		if (proof->expected)
			take_foreign_ok(proof, address);
		return;
	}
	if (is_part(proof, address, true))
		return;
	struct stream *stream = connection->stream;
	if (!is_answer(proof, connection)) {
		fault_here(proof, stream->client, "it was answered '$b' at line $n");
	} else if (connection->sent == connection->next - connection->start) {
		fault_order(proof, connection, connection_due(connection));
	} else {
		count_answer(connection);
	}
}

/* --- the whole log --- */

static void take_note(struct proof *proof)
{
	struct slice note = proof->log.record.bytes;
	if (!slice_equals(proof->log.record.subject, RECORD_SERVER))
		return;
	bool reopened = slice_skip(&note, RECORD_REOPENED);
	if (!slice_begins(note, RECORD_LISTENING))
		return;
	proof->runs += !reopened; /* connections go on */
	proof->received_only = slice_ends(note, RECORD_WITHOUT_SENT);
}

/* Takes a line of the log. False: out of memory. */
static bool take(struct proof *proof, enum log_line kind)
{
	const struct log_reader *log = &proof->log;
	if (kind != LOG_RECORD) {
		proof->damaged++;
		fault_here(proof, NULL,
			   kind == LOG_TORN ? "line $n is torn: '$b'"
					    : "line $n is not a record: '$b'");
	} else if (log->record.event == RECORD_RECEIVED) {
		return take_received(proof);
	} else if (log->record.event == RECORD_SENT) {
		take_sent(proof);
	} else if (log->record.event == RECORD_NOTE) {
		take_note(proof);
	}
	return true;
}

static int prove(struct proof *proof, struct verdict *verdict, struct error *error)
{
	enum log_line kind;
	bool plain = proof->job->plain;
	if (!reported_init(proof) || (plain && !plain_init(proof)) ||
	    (!plain && proof->job->crash_test && !bits_init(proof)))
		return out_of_memory(error);
	while ((kind = log_reader_next(&proof->log, error)) < LOG_END)
		if (!(plain ? plain_take : take)(proof, kind))
			return out_of_memory(error);
	if (kind == LOG_UNREADABLE)
		return -1;
	if (!proof->expected)
		reported_check_end(proof);
	if ((plain && !plain_check_end(proof)) || (proof->expected && !standalone_check_end(proof)))
		return out_of_memory(error);
	if (fault_explain(proof, error) < 0)
		return -1;
	proof_conclude(proof, verdict);
	return 0;
}

static int run(const struct verify_job *job, const struct verify_expectation *expected,
	       struct verdict *verdict, struct error *error)
{
	/* a zeroed address belongs to none */
	struct proof proof = {.job = job,
			      .expected = expected,
			      .runs = FIRST_RUN,
			      .received_only = expected && expected->received_only};
	*verdict = (struct verdict){0};
	if (log_reader_open_all(&proof.log, job->log, &job->from, job->plain, error) < 0)
		return -1;
	int result = prove(&proof, verdict, error);
	log_reader_close(&proof.log);
	plain_free(&proof);
	tables_free(&proof);
	return result;
}

int verify_check(const char *log, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error)
{
	const struct verify_job job = {.log = log, .plain = expected->plain};
	return run(&job, expected, verdict, error);
}

/* Workloads with a proof of their own. */
static const struct {
	const char *workload;
	int (*prove)(const struct verify_job *job, struct verdict *verdict, struct error *error);
} proofs[] = {
	{"chars", verify_chars},
	{"once", verify_once},
	{"ping", verify_ping},
};

int verify_workload(const char *workload, const struct verify_job *job, struct verdict *verdict,
		    struct error *error)
{
	for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++)
		if (!strcmp(proofs[i].workload, workload))
			return proofs[i].prove(job, verdict, error);
	return run(job, NULL, verdict, error);
}
