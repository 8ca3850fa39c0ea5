/* SPDX-License-Identifier: MIT */
#include "verify/chars.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "measure/chars_result.h"
#include "record/escape.h"
#include "record/log_reader.h"

enum { CHARS_RECORD_MOST = 4200 }; /* a message of 1000 characters, each as \xNN, and a NUL */

/* Messages are numbered from 0, as they stand in the log. */
struct chars_client {
	size_t number; /* from 1, as runall has it */
	struct chars_result account;
	bool connected;
	uint64_t after;		  /* the first message that was sent when it was connected */
	uint64_t first, last;	  /* those below were sent before its first, its last question */
	uint64_t asked, answered; /* in the log, and the sum of the counts in its answers */
	uint64_t counted;
	struct chars_sum sum; /* what was sent to it */
};

struct chars_proof {
	const struct verify_job *run;
	struct verdict *verdict;
	struct error *error;
	struct log_reader log;
	struct chars_client *clients; /* sorted by their names */
	uint64_t messages, characters;
	uint64_t stats, counted; /* of all that have asked, clients or not */
	bool told;		 /* the server's own account is there: */
	uint64_t generated, since;
};

/* It is not as it should be. Returns false. */
static bool fault(struct chars_proof *proof, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fault(struct chars_proof *proof, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	(void)vsnprintf(proof->verdict->message, sizeof proof->verdict->message, format, values);
	va_end(values);
	return false;
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(((const struct chars_client *)one)->account.name,
		      ((const struct chars_client *)other)->account.name);
}

/* False: a client has left no account. */
static bool read_accounts(struct chars_proof *proof)
{
	const struct verify_job *run = proof->run;
	for (size_t i = 0; i < run->clients; i++) {
		struct error why;
		struct chars_client *client = &proof->clients[i];
		client->number = i + 1;
		if (chars_result_read(&client->account, run->texts[i].bytes, run->texts[i].length,
				      &why) < 0)
			return fault(proof, "client %zu: %s", i + 1, why.message);
		if (!client->account.stats)
			return fault(proof, "client %zu: has no answer", i + 1);
	}
	qsort(proof->clients, run->clients, sizeof *proof->clients, compare_names);
	return true;
}

static bool is(const char *bytes, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(bytes, word, length);
}

static struct chars_client *find_client(struct chars_proof *proof, const struct record_view *record)
{
	struct chars_client key;
	if (record->subject_length >= sizeof key.account.name)
		return NULL;
	memcpy(key.account.name, record->subject, record->subject_length);
	key.account.name[record->subject_length] = '\0';
	return bsearch(&key, proof->clients, proof->run->clients, sizeof key, compare_names);
}

/* Copies the record's bytes, as they were before the log escaped them. Returns their length, 0
 * where they are too long to be of interest. */
static size_t copy_bytes(const struct record_view *record, char words[CHARS_RECORD_MOST])
{
	if (record->length >= CHARS_RECORD_MOST)
		return 0;
	memcpy(words, record->bytes, record->length);
	size_t length = record_unescape(words, record->length);
	words[length] = '\0';
	return length;
}

/* A message to everyone: sets the text and its length. False: it is something else. */
static bool is_message(const struct record_view *record, char words[CHARS_RECORD_MOST],
		       const char **text, size_t *length)
{
	static const char word[] = "chars ";
	size_t skip = sizeof word - 1;
	if (record->event != RECORD_SENT ||
	    !is(record->subject, record->subject_length, "everyone"))
		return false;
	size_t all = copy_bytes(record, words);
	if (all <= skip || memcmp(words, word, skip) != 0)
		return false;
	*text = words + skip;
	*length = all - skip;
	return true;
}

static void take_stat(struct chars_proof *proof, struct chars_client *client,
		      const struct record_view *record)
{
	char words[CHARS_RECORD_MOST];
	uint64_t count;
	if (!copy_bytes(record, words) || sscanf(words, "stat %" SCNu64, &count) != 1)
		return;
	proof->stats++;
	proof->counted += count;
	if (client) {
		client->answered++;
		client->counted += count;
	}
}

static void take_note(struct chars_proof *proof, struct chars_client *client,
		      const struct record_view *record)
{
	char words[CHARS_RECORD_MOST];
	if (client && !client->connected && is(record->bytes, record->length, "connected")) {
		client->connected = true;
		client->after = proof->messages;
	}
	if (is(record->subject, record->subject_length, RECORD_SERVER) &&
	    copy_bytes(record, words) &&
	    sscanf(words, "%" SCNu64 " characters generated, %" SCNu64 " since", &proof->generated,
		   &proof->since) == 2)
		proof->told = true;
}

static void take_record(struct chars_proof *proof, const struct record_view *record)
{
	char words[CHARS_RECORD_MOST];
	const char *text;
	size_t length;
	if (is_message(record, words, &text, &length)) {
		proof->messages++;
		proof->characters += length;
		return;
	}
	struct chars_client *client = find_client(proof, record);
	if (record->event == RECORD_SENT)
		take_stat(proof, client, record);
	else if (record->event == RECORD_NOTE)
		take_note(proof, client, record);
	else if (client && record->event == RECORD_RECEIVED) {
		client->last = proof->messages;
		if (!client->asked++)
			client->first = proof->messages;
	}
}

/* Reads the whole log. 0, or -1 with the failure set. */
static int for_records(struct chars_proof *proof,
		       void (*take)(struct chars_proof *, const struct record_view *))
{
	enum log_line kind;
	while ((kind = log_reader_next_record(&proof->log, proof->error)) == LOG_RECORD) {
		const struct record_view record = {.event = proof->log.event,
						   .subject = proof->log.subject.bytes,
						   .subject_length = proof->log.subject.length,
						   .bytes = proof->log.bytes.bytes,
						   .length = proof->log.bytes.length};
		take(proof, &record);
	}
	return kind == LOG_UNREADABLE ? -1 : 0;
}

/* Which messages a client must have got, by the log, and how many it says that it has. */
static bool check_client(struct chars_proof *proof, struct chars_client *client)
{
	const struct chars_result *account = &client->account;
	if (!client->connected)
		return fault(proof, "client %zu: its connection is not in the log", client->number);
	if (client->asked != account->stats || client->answered != account->stats ||
	    client->counted != account->counted)
		return fault(proof,
			     "client %zu: it got %" PRIu64 " answers that count %" PRIu64
			     ", but the log has %" PRIu64 " that count %" PRIu64,
			     client->number, account->stats, account->counted, client->answered,
			     client->counted);
	if (account->before > client->first || client->first - account->before > client->after)
		return fault(proof,
			     "client %zu: it got %" PRIu64 " messages before its first answer, of "
			     "the %" PRIu64 " that were sent since it was connected",
			     client->number, account->before, client->first - client->after);
	client->first -= account->before;
	if (client->last - client->first != account->got.messages)
		return fault(proof, "client %zu: it got %" PRIu64 " of %" PRIu64 " messages",
			     client->number, account->got.messages, client->last - client->first);
	chars_sum_start(&client->sum);
	return true;
}

static void sum_record(struct chars_proof *proof, const struct record_view *record)
{
	char words[CHARS_RECORD_MOST];
	const char *text;
	size_t length;
	if (!is_message(record, words, &text, &length))
		return;
	for (size_t i = 0; i < proof->run->clients; i++) {
		struct chars_client *client = &proof->clients[i];
		if (proof->messages >= client->first && proof->messages < client->last)
			chars_sum_add(&client->sum, text, length);
	}
	proof->messages++;
}

/* Compares what each client has got with what was sent, character by character. */
static bool check_sums(struct chars_proof *proof)
{
	for (size_t i = 0; i < proof->run->clients; i++) {
		const struct chars_client *client = &proof->clients[i];
		const struct chars_sum *got = &client->account.got, *sent = &client->sum;
		if (got->digest != sent->digest || got->characters != sent->characters)
			return fault(proof,
				     "client %zu: the %" PRIu64
				     " characters that it got are not those that were sent",
				     client->number, got->characters);
	}
	return true;
}

static bool check_counts(struct chars_proof *proof)
{
	if (!proof->told)
		return fault(proof, "the server has left no account in the log");
	if (proof->generated != proof->characters)
		return fault(proof,
			     "%" PRIu64 " characters were generated, %" PRIu64 " are in the log",
			     proof->generated, proof->characters);
	if (proof->counted + proof->since != proof->generated)
		return fault(proof,
			     "%" PRIu64 " stats count %" PRIu64 " characters, and %" PRIu64
			     " came after: not the %" PRIu64 " that were generated",
			     proof->stats, proof->counted, proof->since, proof->generated);
	if (!proof->generated)
		return fault(proof, "no characters were generated, which proves nothing");
	return true;
}

static bool check_clients(struct chars_proof *proof)
{
	for (size_t i = 0; i < proof->run->clients; i++)
		if (!check_client(proof, &proof->clients[i]))
			return false;
	return true;
}

/* 0 with the verdict, or -1 with the failure set. */
static int prove(struct chars_proof *proof)
{
	struct verdict *verdict = proof->verdict;
	if (!read_accounts(proof))
		return 0;
	if (for_records(proof, take_record) < 0)
		return -1;
	uint64_t messages = proof->messages;
	if (!check_counts(proof) || !check_clients(proof))
		return 0;
	proof->messages = 0;
	log_reader_rewind(&proof->log);
	if (for_records(proof, sum_record) < 0)
		return -1;
	if (!check_sums(proof))
		return 0;
	verdict->good = verdict->complete = true;
	(void)snprintf(verdict->message, sizeof verdict->message,
		       "%" PRIu64 " characters in %" PRIu64
		       " messages; each of %zu clients got all of them while it was connected; "
		       "%" PRIu64 " stats count %" PRIu64 ", and %" PRIu64 " came after",
		       proof->generated, messages, proof->run->clients, proof->stats,
		       proof->counted, proof->since);
	return 0;
}

int verify_chars(const struct verify_job *run, struct verdict *verdict, struct error *error)
{
	*verdict = (struct verdict){0};
	struct chars_proof proof = {.run = run, .verdict = verdict, .error = error};
	if (!(proof.clients = memory_calloc(run->clients, sizeof *proof.clients)))
		return error_set(error, "cannot verify: out of memory");
	int result = log_reader_open(&proof.log, run->log, run->offset, error);
	if (result == 0) {
		result = prove(&proof);
		log_reader_close(&proof.log);
	}
	free(proof.clients);
	return result;
}
