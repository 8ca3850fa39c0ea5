/* SPDX-License-Identifier: MIT */
#include "verify/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/plural.h"
#include "record/log_reader.h"

/* The log has messages in the order in which they were sent: between two questions of a client
 * stand exactly the messages that it received between the two answers. So the client's result gives
 * the range of messages that it must have received, and the counts in the answers must add up to
 * what was generated. Messages are numbered from 0, in the order of the log. */
struct chars_client {
	size_t number; /* from 1 */
	const struct chars_result *result;
	bool connected;
	uint64_t after;		  /* the first message behind the note that it is connected */
	uint64_t first, last;	  /* those below come before its first, its last question */
	uint64_t asked, answered; /* questions and answers in the log */
	uint64_t counted;	  /* sum of the counts in these answers */
	struct chars_sum sum;	  /* what was sent to it */
};

struct chars_proof {
	const struct verify_job *job;
	struct verdict *verdict; /* has the fault when a check returns false */
	struct log_reader log;
	struct chars_client *clients; /* sorted by their names */
	uint64_t messages, characters;
	uint64_t stats, counted; /* answers to all that have asked, and the sum of their counts */
	bool foreign;		 /* others than the clients were connected */
	bool reported;		 /* the server's note on what it has generated is there: */
	uint64_t generated, since;
};

static int compare_names(const void *one, const void *other)
{
	return strcmp(((const struct chars_client *)one)->result->name,
		      ((const struct chars_client *)other)->result->name);
}

static bool take_results(struct chars_proof *proof)
{
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client_result *result = &proof->job->client_results[i];
		proof->clients[i] =
			(struct chars_client){.number = i + 1, .result = &result->chars};
		if (!result->complete)
			return verdict_add(proof->verdict, "client %zu: no complete result", i + 1);
		if (!result->chars.stats)
			return verdict_add(proof->verdict, "client %zu: it received no answer",
					   i + 1);
	}
	qsort(proof->clients, proof->job->clients, sizeof *proof->clients, compare_names);
	return true;
}

/* The client that the current record is about; NULL: it is about none. */
static struct chars_client *find_client(struct chars_proof *proof)
{
	struct slice name = proof->log.record.subject;
	struct chars_result result;
	const struct chars_client key = {.result = &result};
	if (name.length >= sizeof result.name)
		return NULL;
	memcpy(result.name, name.bytes, name.length);
	result.name[name.length] = '\0';
	return bsearch(&key, proof->clients, proof->job->clients, sizeof key, compare_names);
}

/* Is the current record a message to all connections? Then sets its text. */
static bool read_message(struct chars_proof *proof, struct slice *text)
{
	if (proof->log.record.event != RECORD_SENT ||
	    !slice_equals(proof->log.record.subject, "everyone"))
		return false;
	*text = log_reader_unescape(&proof->log);
	return slice_skip(text, "chars ") && text->length;
}

static void take_answer(struct chars_proof *proof, struct chars_client *client)
{
	struct slice answer = proof->log.record.bytes;
	uint64_t count;
	if (!slice_skip(&answer, "stat ") || !slice_number(&answer, &count))
		return;
	proof->stats++;
	proof->counted += count;
	if (client) {
		client->answered++;
		client->counted += count;
	}
}

static void take_note(struct chars_proof *proof, struct chars_client *client)
{
	struct slice note = proof->log.record.bytes;
	proof->foreign |= !client && slice_equals(note, "connected");
	if (client && !client->connected && slice_equals(note, "connected")) {
		client->connected = true;
		client->after = proof->messages;
	}
	proof->reported |= slice_equals(proof->log.record.subject, RECORD_SERVER) &&
			   slice_number(&note, &proof->generated) &&
			   slice_skip(&note, " characters generated, ") &&
			   slice_number(&note, &proof->since) && slice_skip(&note, " since");
}

static void take_record(struct chars_proof *proof)
{
	struct slice text;
	if (read_message(proof, &text)) {
		proof->messages++;
		proof->characters += text.length;
		return;
	}
	struct chars_client *client = find_client(proof);
	if (proof->log.record.event == RECORD_SENT) {
		take_answer(proof, client);
	} else if (proof->log.record.event == RECORD_NOTE) {
		take_note(proof, client);
	} else if (client && proof->log.record.event == RECORD_RECEIVED) {
		client->last = proof->messages;
		if (!client->asked++)
			client->first = proof->messages;
	}
}

/* Reads the whole log. 0, or -1 with the error set. */
static int for_records(struct chars_proof *proof, void (*take)(struct chars_proof *),
		       struct error *error)
{
	enum log_line kind;
	log_reader_rewind(&proof->log);
	while ((kind = log_reader_next_record(&proof->log, error)) == LOG_RECORD)
		take(proof);
	return kind == LOG_UNREADABLE ? -1 : 0;
}

static bool check_counts(const struct chars_proof *proof)
{
	struct verdict *verdict = proof->verdict;
	if (!proof->reported)
		return verdict_add(verdict, "the log has no note on the characters generated");
	if (proof->generated != proof->characters)
		return verdict_add(verdict,
				   "%" PRIu64 " characters were generated, %" PRIu64
				   " are in the log",
				   proof->generated, proof->characters);
	if (proof->counted + proof->since != proof->generated)
		return verdict_add(
			verdict,
			"%" PRIu64 " stat answer%s add%s up to %" PRIu64
			" character%s, and %" PRIu64 " came later, but %" PRIu64 " were generated",
			proof->stats, PLURAL(proof->stats), PLURAL_VERB(proof->stats),
			proof->counted, PLURAL(proof->counted), proof->since, proof->generated);
	return proof->generated ||
	       verdict_add(verdict, "no characters were generated, which proves nothing");
}

/* Checks how many messages a client reports, by the log; sets which ones these must be. */
static bool check_client(struct chars_proof *proof, struct chars_client *client)
{
	const struct chars_result *result = client->result;
	struct verdict *verdict = proof->verdict;
	if (!client->connected)
		return verdict_add(verdict,
				   proof->foreign ? "client %zu: " VERDICT_NO_ADDRESS
						  : "client %zu: its connection is not in the log",
				   client->number);
	if (client->asked != result->stats || client->answered != result->stats ||
	    client->counted != result->counted)
		return verdict_add(verdict,
				   "client %zu: it got %" PRIu64 " answer%s that count%s %" PRIu64
				   ", but the log has %" PRIu64 " that count%s %" PRIu64,
				   client->number, result->stats, PLURAL(result->stats),
				   PLURAL_VERB(result->stats), result->counted, client->answered,
				   PLURAL_VERB(client->answered), client->counted);
	if (result->before > client->first || client->first - result->before > client->after)
		return verdict_add(verdict,
				   "client %zu: it got %" PRIu64
				   " message%s before its first answer, of the %" PRIu64
				   " that were sent since it was connected",
				   client->number, result->before, PLURAL(result->before),
				   client->first - client->after);
	client->first -= result->before;
	return client->last - client->first == result->got.messages ||
	       verdict_add(verdict, "client %zu: it got %" PRIu64 " of %" PRIu64 " message%s",
			   client->number, result->got.messages, client->last - client->first,
			   PLURAL(client->last - client->first));
}

static void sum_record(struct chars_proof *proof)
{
	struct slice text;
	if (!read_message(proof, &text))
		return;
	for (size_t i = 0; i < proof->job->clients; i++) {
		struct chars_client *client = &proof->clients[i];
		if (proof->messages >= client->first && proof->messages < client->last)
			chars_sum_add(&client->sum, text);
	}
	proof->messages++;
}

/* Compares what a client has received with what was sent, character by character. */
static bool check_sum(struct chars_proof *proof, struct chars_client *client)
{
	const struct chars_sum *got = &client->result->got, *sent = &client->sum;
	return (got->digest == sent->digest && got->characters == sent->characters) ||
	       verdict_add(proof->verdict,
			   "client %zu: the %" PRIu64
			   " characters that it got are not those that were sent",
			   client->number, got->characters);
}

static bool check_clients(struct chars_proof *proof,
			  bool (*check)(struct chars_proof *, struct chars_client *))
{
	for (size_t i = 0; i < proof->job->clients; i++)
		if (!check(proof, &proof->clients[i]))
			return false;
	return true;
}

/* 0 with the verdict, or -1 with the error set. */
static int prove(struct chars_proof *proof, struct error *error)
{
	if (!take_results(proof))
		return 0;
	if (for_records(proof, take_record, error) < 0)
		return -1;
	uint64_t messages = proof->messages;
	proof->messages = 0;
	if (!check_counts(proof) || !check_clients(proof, check_client))
		return 0;
	if (for_records(proof, sum_record, error) < 0)
		return -1;
	if (!check_clients(proof, check_sum))
		return 0;
	proof->verdict->good = proof->verdict->complete = true;
	verdict_add(proof->verdict,
		    "%" PRIu64 " character%s in %" PRIu64
		    " message%s; each of %zu client%s received all of them while it was connected; "
		    "%" PRIu64 " stat answer%s add%s up to %" PRIu64 ", and %" PRIu64 " came later",
		    proof->generated, PLURAL(proof->generated), messages, PLURAL(messages),
		    proof->job->clients, PLURAL(proof->job->clients), proof->stats,
		    PLURAL(proof->stats), PLURAL_VERB(proof->stats), proof->counted, proof->since);
	return 0;
}

int verify_chars(const struct verify_job *job, struct verdict *verdict, struct error *error)
{
	struct chars_proof proof = {.job = job, .verdict = verdict};
	*verdict = (struct verdict){0};
	if (!(proof.clients = memory_calloc(job->clients, sizeof *proof.clients)))
		return error_set(error, "cannot verify: out of memory");
	int result = log_reader_open_all(&proof.log, job->log, &job->from, false, error);
	if (result == 0) {
		result = prove(&proof, error);
		verdict_add(verdict, "%s", proof.log.remark);
		log_reader_close(&proof.log);
	}
	free(proof.clients);
	return result;
}
