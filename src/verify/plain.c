/* SPDX-License-Identifier: MIT */
#include "verify/plain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "record/escape.h"
#include "verify/run.h"
#include "verify/tables.h"

/* Keeps the first fault, about the current line. */
static void set_fault(struct plain_proof *proof, const char *what)
{
	char excerpt[EXCERPT_SIZE];
	struct slice bytes = proof->log.record.bytes;
	if (plain_has_fault(proof))
		return;
	record_excerpt(excerpt, bytes.bytes, bytes.length);
	verdict_add(&proof->fault, "'%s' at line %" PRId64 " of %.200s %s", excerpt,
		    log_reader_lines_before(&proof->log) + proof->log.number, proof->log.name,
		    what);
}

/* Is that what escaping makes of some bytes? A log of another format is none. False: no, or memory
 * is out. */
static bool is_plain(struct plain_proof *proof, struct slice line)
{
	struct buffer *bytes = &proof->bytes;
	bytes->length = 0;
	if (!line.length)
		return true;
	if (!buffer_append(bytes, line.bytes, line.length))
		return false;
	bytes->length = record_unescape(bytes->bytes, line.length);
	size_t length = bytes->length;
	if (!buffer_reserve(bytes, 4 * length) || !record_escape(bytes, bytes->bytes, length))
		return false;
	return slice_same(line, (struct slice){bytes->bytes + length, bytes->length - length});
}

/* The place of a line in its group, which is set; -1: in none. */
static int64_t place_of(struct plain_proof *proof, const struct client_line *line,
			struct group **group)
{
	int64_t place = line->iteration - 1;
	size_t index = line->client	  ? (size_t)line->client - 1
		       : proof->by_thread ? (size_t)line->thread
					  : 0;
	if (index >= proof->group_count || !line->client != !proof->job->echoes ||
	    (proof->threads && line->thread >= proof->threads))
		return -1;
	*group = &proof->groups[index];
	if (line->client || proof->by_thread)
		return place;
	if (!proof->threads && line->iteration == 2 && line->thread == 0) {
		size_t count;
		const int64_t *places = group_places(*group, &count);
		proof->threads = count ? places[0] : 0; /* the first client has sent all of one */
	}
	if (!proof->threads)
		return place ? -1 : line->thread;
	if (__builtin_mul_overflow(place, proof->threads, &place) ||
	    __builtin_add_overflow(place, line->thread, &place))
		return -1;
	return place;
}

/* The first of those at a place: it may go on, and they stay in order. `count`: none is there. */
static size_t find_place(const int64_t *places, size_t count, int64_t place)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (places[middle] > place)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && places[low] == place ? low : count;
}

/* False: out of memory. */
static bool take_client_line(struct plain_proof *proof, const struct client_line *line)
{
	static const int64_t begun = 1;
	struct group *group;
	size_t count;
	int64_t place = place_of(proof, line, &group);
	proof->lines++;
	if (place < 0) {
		set_fault(proof, "is not a line of a client");
		return true;
	}
	int64_t *places = group_places(group, &count);
	size_t at = find_place(places, count, place);
	if (at < count)
		places[at]++;
	else if (proof->expected && !place)
		return buffer_append(&group->places, &begun, sizeof begun);
	else if (count && places[0] > place)
		proof->repeated++;
	else
		set_fault(proof, "is out of order: no client has sent all lines before it");
	if (proof->expected && proof->repeated)
		set_fault(proof, "is there once more than the line before it");
	return true;
}

/* False: out of memory. */
static bool take(struct plain_proof *proof, enum log_line kind)
{
	struct client_line line;
	struct slice bytes = proof->log.record.bytes;
	if (kind == LOG_TORN)
		set_fault(proof, "is torn");
	else if (client_line_read(bytes, &line) && !line.client == !proof->job->echoes)
		return take_client_line(proof, &line);
	else if (!is_plain(proof, bytes))
		set_fault(proof, "is not a plain line");
	else
		proof->others++;
	return true;
}

/* Makes the groups. False: out of memory. */
static bool init(struct plain_proof *proof)
{
	static const int64_t first;
	const struct verify_job *job = proof->job;
	const struct client_result *some = NULL;
	proof->threads = proof->expected ? proof->expected->threads : 0;
	for (size_t i = 0; i < job->clients; i++)
		if (job->client_results[i].complete)
			some = &job->client_results[i];
	if (some) {
		proof->threads = some->threads;
		/* lines on several connections at once come in the order of each */
		proof->by_thread = !job->echoes && (some->free || (some->each && some->window > 1));
	}
	proof->group_count = job->echoes	? job->clients
			     : proof->by_thread ? (size_t)proof->threads
						: 1;
	proof->groups = memory_calloc(proof->group_count, sizeof *proof->groups);
	for (size_t i = 0; proof->groups && i < proof->group_count; i++)
		for (size_t j = 0; j < (job->echoes ? 1 : job->clients); j++)
			if (!buffer_append(&proof->groups[i].places, &first, sizeof first))
				return false;
	return proof->groups;
}

/* 1: done; 0: out of memory; -1: the error is set. */
static int read_all(struct plain_proof *proof, struct error *error)
{
	enum log_line kind;
	if (!init(proof))
		return 0;
	while ((kind = log_reader_next(&proof->log, error)) < LOG_END)
		if (!take(proof, kind))
			return 0;
	if (kind == LOG_UNREADABLE)
		return -1;
	if (proof->expected)
		plain_check_inferred(proof);
	return proof->expected || plain_check_reported(proof);
}

int verify_plain(const struct verify_job *job, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error)
{
	struct plain_proof proof = {.job = job, .expected = expected};
	*verdict = (struct verdict){0};
	if (log_reader_open(&proof.log, job->log, job->offset, error) < 0)
		return -1;
	proof.log.plain = true;
	int result = read_all(&proof, error);
	if (result > 0)
		plain_conclude(&proof, verdict);
	else if (result == 0)
		error_set(error, "cannot verify: out of memory");
	log_reader_close(&proof.log);
	for (size_t i = 0; proof.groups && i < proof.group_count; i++)
		buffer_free(&proof.groups[i].places);
	free(proof.groups);
	buffer_free(&proof.bytes);
	return result > 0 ? 0 : -1;
}
