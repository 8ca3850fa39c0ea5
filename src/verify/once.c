/* SPDX-License-Identifier: MIT */
/* The proof of numbered lines: those of each sender follow each other, from the first in the log to
 * the last, without gap and repetition, over all files. Blocks of notes `known` state the same. */
#include "verify/once.h"

#include <inttypes.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "once/fnv.h"
#include "once/words.h"
#include "verify/run.h"
#include "verify/tables.h"

static int compare(const void *left, const void *right)
{
	const struct slice one = ((const struct numbered *)left)->name;
	const struct slice other = ((const struct numbered *)right)->name;
	if (one.length != other.length)
		return one.length < other.length ? -1 : 1;
	return memcmp(one.bytes, other.bytes, one.length);
}

/* NULL: there is none of that name. */
static struct numbered *find_sender(const struct once_proof *proof, struct slice name)
{
	const struct numbered key = {.name = name};
	struct numbered *const *found = tfind(&key, &proof->tree, compare);
	return found ? *found : NULL;
}

/* Finds a sender, or adds it. NULL: out of memory. */
static struct numbered *get_sender(struct once_proof *proof, struct slice name)
{
	struct numbered *sender = find_sender(proof, name);
	if (sender)
		return sender;
	sender = memory_calloc(1, sizeof *sender + name.length);
	if (!sender)
		return NULL;
	sender->name = (struct slice){memcpy(sender + 1, name.bytes, name.length), name.length};
	if (!tsearch(sender, &proof->tree, compare)) {
		free(sender);
		return NULL;
	}
	*proof->end = sender;
	proof->end = &sender->next;
	return sender;
}

/* Keeps the first faults, with their place in the log. */
__attribute__((format(printf, 3, 4))) static void
add_fault(struct once_proof *proof, const struct numbered *sender, const char *format, ...)
{
	size_t length = strlen(proof->message), space = sizeof proof->message - length;
	if (proof->faults++ >= ONCE_FAULTS_MAX)
		return;
	if (sender)
		length += (size_t)snprintf(
			proof->message + length, space,
			"%.*s: ", (int)(sender->name.length > 100 ? 100 : sender->name.length),
			sender->name.bytes);
	space = length < sizeof proof->message ? sizeof proof->message - length : 0;
	va_list values;
	va_start(values, format);
	if (space)
		(void)vsnprintf(proof->message + length, space, format, values);
	va_end(values);
}

/* The same with the current line's place behind it. */
__attribute__((format(printf, 3, 4))) static void
add_fault_here(struct once_proof *proof, const struct numbered *sender, const char *format, ...)
{
	char what[128];
	const char *name;
	int64_t line = log_reader_line(&proof->log, proof->log.number, &name);
	va_list values;
	va_start(values, format);
	(void)vsnprintf(what, sizeof what, format, values);
	va_end(values);
	add_fault(proof, sender, "%s at line %" PRId64 " of %.120s; ", what, line, name);
}

/* --- lines --- */

/* Is it what the client sends as that number? */
static bool is_own(const struct numbered *sender, uint64_t number, struct slice bytes)
{
	struct client_line line;
	uint64_t threads = sender->thread < 0 ? (uint64_t)sender->result->threads : 1;
	int64_t thread = sender->thread < 0 ? (int64_t)((number - 1) % threads) : sender->thread;
	return client_line_read(bytes, &line) && !line.client && line.thread == thread &&
	       (uint64_t)line.iteration == (number - 1) / threads + 1;
}

static void check_number(struct once_proof *proof, struct numbered *sender, uint64_t number)
{
	if (!sender->last || sender->forgotten) {
		sender->first = sender->last = number;
		sender->forgotten = false;
		return;
	}
	if (!sender->lines)
		sender->first = number;
	if (number <= sender->last) {
		proof->repeated++;
		add_fault_here(proof, sender, "%" PRIu64 " is there again", number);
		return;
	}
	if (number > sender->last + 1) {
		proof->missing += number - sender->last - 1;
		add_fault_here(proof, sender, "%" PRIu64 " is missing, %" PRIu64 " comes",
			       sender->last + 1, number);
	}
	sender->last = number;
}

/* False: out of memory. */
static bool take_line(struct once_proof *proof)
{
	struct log_reader *log = &proof->log;
	uint64_t number = log->record.number;
	struct numbered *sender = get_sender(proof, log->record.sender);
	if (!sender)
		return false;
	check_number(proof, sender, number);
	sender->lines++;
	proof->lines++;
	if (sender->result && !is_own(sender, number, log->record.bytes))
		add_fault_here(proof, sender, "%" PRIu64 " is another line than was sent", number);
	struct slice line = log_reader_unescape(log);
	if (number == sender->last)
		sender->hash = fnv1a_64(line.bytes, line.length);
	return true;
}

/* --- blocks of notes --- */

/* The block is whole: what is not in it was forgotten. */
static void end_block(struct once_proof *proof)
{
	for (struct numbered *at = proof->first; at; at = at->next)
		at->forgotten |= at->last && at->block != proof->blocks;
}

/* False: out of memory. */
static bool take_known(struct once_proof *proof, struct slice name, uint64_t number, uint64_t hash)
{
	struct numbered *sender = get_sender(proof, name);
	if (!sender)
		return false;
	if (!sender->last || sender->forgotten) { /* its lines are in a file before */
		sender->last = number;
		sender->hash = hash;
		sender->forgotten = false;
	} else if (sender->last != number || sender->hash != hash)
		add_fault_here(proof, sender,
			       sender->last != number ? "%" PRIu64 " is noted as the last one"
						      : "%" PRIu64 " is noted with another hash",
			       number);
	sender->block = proof->blocks;
	if (!--proof->left)
		end_block(proof);
	return true;
}

/* False: out of memory. */
static bool take_note(struct once_proof *proof)
{
	struct slice note = proof->log.record.bytes, name;
	uint64_t number, hash;
	if (!slice_equals(proof->log.record.subject, RECORD_SERVER))
		return true;
	if (proof->left && known_sender_read(note, &name, &number, &hash))
		return take_known(proof, name, number, hash);
	proof->left = 0; /* it was torn */
	if (known_head_read(note, &number)) {
		proof->blocks++;
		proof->left = number;
		if (!number)
			end_block(proof);
	}
	bool reopened = slice_skip(&note, RECORD_REOPENED);
	proof->starts += !reopened && slice_begins(note, RECORD_LISTENING);
	return true;
}

/* --- files --- */

/* False: out of memory. */
static bool take(struct once_proof *proof, enum log_line kind)
{
	const struct record_view *record = &proof->log.record;
	if (kind != LOG_RECORD) {
		proof->damaged++;
		add_fault_here(proof, NULL, "%s", kind == LOG_TORN ? "a torn line" : "no record");
	} else if (record->event == RECORD_RECEIVED && record->sender.length)
		return take_line(proof);
	else if (record->event == RECORD_NOTE)
		return take_note(proof);
	return true;
}

/* Reads what was opened, and closes it. */
static int read_log(struct once_proof *proof, struct error *error)
{
	enum log_line kind;
	bool memory = true;
	while (memory && (kind = log_reader_next(&proof->log, error)) < LOG_END)
		memory = take(proof, kind);
	proof->closed += proof->log.closed;
	(void)snprintf(proof->title, sizeof proof->title, "%s", proof->log.title);
	(void)snprintf(proof->remark, sizeof proof->remark, "%s", proof->log.remark);
	log_reader_close(&proof->log);
	if (!memory)
		return error_set(error, "cannot verify: out of memory");
	return kind == LOG_UNREADABLE ? -1 : 0;
}

/* Opens one of the logs. Several are what is to be read; one is a log with its files. */
static int open_log(struct log_reader *log, const char *const *logs, size_t count, size_t i,
		    struct error *error)
{
	return count > 1 ? log_reader_open(log, logs[i], 0, error)
			 : log_reader_open_all(log, logs[i], NULL, false, error);
}

/* --- clients --- */

/* Notes what they have reported. False: out of memory. */
static bool add_clients(struct once_proof *proof)
{
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client_result *result = &proof->job->client_results[i];
		for (size_t j = 0; result->complete && j < result->sender_count; j++) {
			struct numbered *sender =
				get_sender(proof, slice_of(result->senders[j].name));
			if (!sender)
				return false;
			sender->result = result;
			sender->thread = result->free ? (int64_t)j : -1;
			sender->acknowledged = result->senders[j].last;
		}
	}
	return true;
}

/* What the clients know, and the log must have. */
static void check_clients(struct once_proof *proof)
{
	for (size_t i = 0; i < proof->job->clients; i++)
		if (!proof->job->client_results[i].complete &&
		    !proof->job->client_results[i].absent)
			add_fault(proof, NULL, "client %zu: no complete result; ", i + 1);
	for (struct numbered *at = proof->first; at; at = at->next) {
		/* they may be in a file that is missing */
		bool whole = !*proof->remark && at->result && at->last;
		uint64_t before = whole && at->first > 1 ? at->first - 1 : 0;
		if (before)
			add_fault(proof, at, "1 is missing, it begins with %" PRIu64 "; ",
				  at->first);
		if (at->acknowledged > at->last)
			add_fault(proof, at, "%" PRIu64 " is missing: it was acknowledged; ",
				  at->last + 1);
		proof->missing += before;
		if (at->acknowledged > at->last)
			proof->missing += at->acknowledged - at->last;
	}
}

static void free_all(struct once_proof *proof)
{
	tdestroy(proof->tree, free);
}

int verify_once_check(const char *const *logs, size_t count, struct verdict *verdict,
		      struct error *error)
{
	struct once_proof proof = {.end = &proof.first};
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = open_log(&proof.log, logs, count, i, error);
		if (result == 0)
			result = read_log(&proof, error);
	}
	if (result == 0)
		once_conclude_check(&proof, count, verdict);
	free_all(&proof);
	return result;
}

int verify_once(const struct verify_job *job, struct verdict *verdict, struct error *error)
{
	struct once_proof proof = {.job = job, .end = &proof.first};
	const struct log_place *from = log_is_shared(job->log) ? &job->from : NULL;
	int result = add_clients(&proof) ? 0 : error_set(error, "cannot verify: out of memory");
	if (result == 0)
		result = log_reader_open_all(&proof.log, job->log, from, false, error);
	if (result == 0)
		result = read_log(&proof, error);
	if (result == 0) {
		check_clients(&proof);
		once_conclude_run(&proof, verdict);
	}
	free_all(&proof);
	return result;
}

int verify_is_once(const char *const *logs, size_t count, bool *once, struct error *error)
{
	struct log_reader log;
	enum log_line kind;
	uint64_t senders;
	bool received = false;
	*once = false;
	if (open_log(&log, logs, count, 0, error) < 0)
		return -1;
	while (!*once && !received && (kind = log_reader_next_record(&log, error)) == LOG_RECORD) {
		received = log.record.event == RECORD_RECEIVED;
		*once = (received && log.record.sender.length) ||
			(log.record.event == RECORD_NOTE &&
			 known_head_read(log.record.bytes, &senders));
	}
	log_reader_close(&log);
	return 0;
}
