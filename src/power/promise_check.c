/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "once/fnv.h"
#include "power/promise.h"
#include "record/escape.h"
#include "record/log_reader.h"

struct slice promise_probe_line(uint64_t number, char line[PROBE_SIZE])
{
	int length = snprintf(line, PROBE_SIZE, "after the power cut, line %" PRIu64, number);
	return (struct slice){line, (size_t)length};
}

static uint64_t probe_hash(uint64_t number)
{
	char bytes[PROBE_SIZE];
	struct slice line = promise_probe_line(number, bytes);
	return fnv1a_64(line.bytes, line.length);
}

/* What was found in the log. */
struct found {
	struct line_set lines;
	uint64_t *last; /* of each sender */
	bool no_memory;
};

/* --- numbered lines --- */

static int take_numbered(const struct promise *promise, const struct promise_probe *probe,
			 struct found *found, struct log_reader *log, struct error *error)
{
	size_t i = 0;
	uint64_t number = log->record.number;
	while (i < promise->sender_count &&
	       !slice_equals(log->record.sender, promise->senders[i].name))
		i++;
	if (i == promise->sender_count)
		return promise_broken(error, "line %" PRId64 " is of a sender that there is not",
				      log->number);
	const struct promised_sender *sender = &promise->senders[i];
	if (number != found->last[i] + 1)
		return promise_broken(error,
				      "line %" PRId64 ": number %" PRIu64 " of %s follows %" PRIu64,
				      log->number, number, sender->name, found->last[i]);
	found->last[i] = number;
	struct slice line = log_reader_unescape(log);
	uint64_t expected =
		number > probe->last[i] ? probe_hash(number) : promised_hash(sender, number);
	if (fnv1a_64(line.bytes, line.length) == expected)
		return 0;
	return promise_broken(
		error, "line %" PRId64 ": number %" PRIu64 " of %s is not as it was sent: '%.*s'",
		log->number, number, sender->name, line.length < 80 ? (int)line.length : 80,
		line.bytes);
}

static int compare_senders(const struct promise *promise, const struct promise_probe *probe,
			   const struct found *found, struct error *error)
{
	for (size_t i = 0; i < promise->sender_count; i++) {
		const struct promised_sender *sender = &promise->senders[i];
		if (probe->last[i] < sender->last)
			return promise_broken(error,
					      "line %" PRIu64
					      " of %s is lost: it was acknowledged, and the "
					      "server has %" PRIu64,
					      sender->last, sender->name, probe->last[i]);
		if (found->last[i] != probe->last[i] + PROBES)
			return promise_broken(error,
					      "the log has %" PRIu64
					      " lines of %s: the server said %" PRIu64
					      ", and %d were added",
					      found->last[i], sender->name, probe->last[i], PROBES);
	}
	return 0;
}

/* --- lines without numbers --- */

static int by_value(const void *one, const void *other)
{
	uint64_t left = *(const uint64_t *)one, right = *(const uint64_t *)other;
	return left < right ? -1 : left > right;
}

static void sort(struct line_set *set)
{
	if (!set->sorted && set->count)
		qsort(set->hashes, set->count, sizeof *set->hashes, by_value);
	set->sorted = true;
}

/* How many lines of one set the other has not. Both are sorted. */
static size_t missing_in(const struct line_set *set, const struct line_set *other)
{
	size_t missing = 0, at = 0;
	for (size_t i = 0; i < set->count; i++) {
		while (at < other->count && other->hashes[at] < set->hashes[i])
			at++;
		bool there = at < other->count && other->hashes[at] == set->hashes[i];
		missing += !there;
		at += there;
	}
	return missing;
}

static int compare_lines(struct promise *promise, struct found *found, struct error *error)
{
	uint64_t probe = probe_hash(0);
	size_t probes = 0, kept = 0;
	for (size_t i = 0; i < found->lines.count; i++) {
		bool is_probe = found->lines.hashes[i] == probe;
		probes += is_probe;
		if (!is_probe)
			found->lines.hashes[kept++] = found->lines.hashes[i];
	}
	found->lines.count = kept;
	sort(&found->lines);
	sort(&promise->sent);
	sort(&promise->acknowledged);
	size_t lost = missing_in(&promise->acknowledged, &found->lines);
	size_t strange = missing_in(&found->lines, &promise->sent);
	if (lost)
		return promise_broken(error, "%zu acknowledged line%s lost", lost,
				      lost == 1 ? " is" : "s are");
	if (strange)
		return promise_broken(error, "the log has %zu line%s that no client has sent",
				      strange, strange == 1 ? "" : "s");
	return probes == 1
		       ? 0
		       : promise_broken(error,
					"the line that was sent after the cut is there %zu times",
					probes);
}

/* --- the log --- */

static int take_record(const struct promise *promise, const struct promise_probe *probe,
		       struct found *found, struct log_reader *log, struct error *error)
{
	if (log->record.event != RECORD_RECEIVED)
		return 0;
	if (promise->kind == PROMISE_NUMBERS)
		return take_numbered(promise, probe, found, log, error);
	struct slice line = log_reader_unescape(log);
	line_set_add(&found->lines, fnv1a_64(line.bytes, line.length), &found->no_memory);
	return 0;
}

/* A line that is no record. */
static int refuse_line(struct log_reader *log, bool torn, struct error *error)
{
	const char *name;
	const struct slice bytes = log->record.bytes;
	int64_t line = log_reader_line(log, log->number, &name);
	return promise_broken(error, "line %" PRId64 " of %.100s is %s: '%.*s'", line, name,
			      torn ? "torn" : "no record",
			      bytes.length < 80 ? (int)bytes.length : 80, bytes.bytes);
}

static int read_log(const struct promise *promise, const struct promise_probe *probe,
		    struct found *found, struct log_reader *log, struct error *error)
{
	int result = 0;
	enum log_line kind;
	while (!result && (kind = log_reader_next(log, error)) != LOG_END) {
		if (kind == LOG_UNREADABLE)
			return -1;
		result = kind == LOG_RECORD ? take_record(promise, probe, found, log, error)
					    : refuse_line(log, kind == LOG_TORN, error);
	}
	return result;
}

int promise_check(struct promise *promise, const struct promise_probe *probe, const char *log,
		  bool plain, struct error *error)
{
	struct log_reader reader;
	struct found found = {.last = memory_calloc(promise->sender_count + 1, sizeof *found.last)};
	if (!found.last)
		return error_set(error, "out of memory");
	if (log_reader_open_all(&reader, log, NULL, plain, error) < 0) {
		free(found.last);
		return 1;
	}
	reader.plain = plain;
	int result = read_log(promise, probe, &found, &reader, error);
	log_reader_close(&reader);
	if (result == 0 && found.no_memory)
		result = error_set(error, "out of memory");
	if (result == 0)
		result = promise->kind == PROMISE_NUMBERS
				 ? compare_senders(promise, probe, &found, error)
				 : compare_lines(promise, &found, error);
	free(found.last);
	free(found.lines.hashes);
	return result;
}
