/* SPDX-License-Identifier: MIT */
/* No line of a plain log says which client has sent it, so clients are told apart by what they
 * send, in echo, or not at all: then it is shown that the lines can be dealt out to as many
 * clients, each of whose lines are in order.
 *
 * Clients with the same lines are a group. For each client that has sent all lines before a place,
 * the group has that place. A line is due at its place if a client is there, which goes on to the
 * next. Which one it is makes no difference: it is enough to know how many are at each place. */
#include <stdlib.h>

#include "base/memory.h"
#include "verify/proof.h"

/* The places of a group, the highest first. */
static int64_t *places_of(const struct buffer *group, size_t *count)
{
	*count = group->length / sizeof(int64_t);
	return (void *)group->bytes;
}

/* Is that what escaping makes of some bytes? A log of another format is none. False: no, or memory
 * is out. */
static bool is_plain(struct proof *proof, struct slice line)
{
	struct buffer *bytes = &proof->plain.bytes;
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
static int64_t place_of(struct proof *proof, const struct client_line *line, struct buffer **group)
{
	int64_t place = line->iteration - 1;
	if (!line->client != !proof->job->echoes ||
	    (line->client && line->threaded != (proof->plain.threads > 1)) ||
	    (proof->plain.threads && line->thread >= proof->plain.threads) ||
	    line->client > (int64_t)proof->job->clients)
		return -1;
	size_t index = line->client ? (size_t)line->client - 1 : 0;
	if (proof->plain.by_thread)
		index = index * (size_t)proof->plain.threads + (size_t)line->thread;
	*group = &proof->plain.groups[index];
	if (proof->plain.by_thread)
		return place;
	if (!proof->plain.threads && line->iteration == 2 && line->thread == 0) {
		size_t count;
		const int64_t *places = places_of(*group, &count);
		proof->plain.threads =
			count ? places[0] : 0; /* the first client has sent all of one */
	}
	if (!proof->plain.threads)
		return place ? -1 : line->thread;
	if (__builtin_mul_overflow(place, proof->plain.threads, &place) ||
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
static bool take_client_line(struct proof *proof, const struct client_line *line)
{
	static const int64_t begun = 1;
	struct buffer *group;
	size_t count;
	int64_t place = place_of(proof, line, &group);
	proof->lines++;
	if (place < 0) {
		fault_here(proof, NULL, "'$b' at line $n is not a line of a client");
		return true;
	}
	int64_t *places = places_of(group, &count);
	size_t at = find_place(places, count, place);
	if (at < count)
		places[at]++;
	else if (proof->expected && !place)
		return buffer_append(group, &begun, sizeof begun);
	else if (count && places[0] > place)
		proof->doubled++;
	else
		fault_here(proof, NULL,
			   "'$b' at line $n is out of order: no client has sent all lines "
			   "before it");
	if (proof->expected && proof->doubled)
		fault_here(proof, NULL,
			   "'$b' at line $n is there once more than the line before it");
	return true;
}

bool plain_take(struct proof *proof, enum log_line kind)
{
	struct client_line line;
	struct slice bytes = proof->log.record.bytes;
	if (kind == LOG_TORN)
		fault_here(proof, NULL, "'$b' at line $n is torn");
	else if (client_line_read(bytes, &line) && !line.client == !proof->job->echoes)
		return take_client_line(proof, &line);
	else if (!is_plain(proof, bytes))
		fault_here(proof, NULL, "'$b' at line $n is not a plain line");
	else
		proof->foreign_lines++;
	return true;
}

bool plain_init(struct proof *proof)
{
	static const int64_t first;
	const struct verify_job *job = proof->job;
	const struct client_result *some = NULL;
	proof->plain.threads = proof->expected ? proof->expected->threads : 0;
	for (size_t i = 0; i < job->clients; i++)
		if (job->client_results[i].complete)
			some = &job->client_results[i];
	if (some) {
		proof->plain.threads = some->threads;
		/* lines on several connections at once come in the order of each */
		proof->plain.by_thread = some->free || (some->each && some->window > 1);
	}
	proof->plain.group_count = job->echoes ? job->clients : 1;
	if (proof->plain.by_thread)
		proof->plain.group_count *= (size_t)proof->plain.threads;
	proof->plain.groups = memory_calloc(proof->plain.group_count, sizeof *proof->plain.groups);
	for (size_t i = 0; proof->plain.groups && i < proof->plain.group_count; i++)
		for (size_t j = 0; j < (job->echoes ? 1 : job->clients); j++)
			if (!buffer_append(&proof->plain.groups[i], &first, sizeof first))
				return false;
	return proof->plain.groups;
}

/* --- clients that are reported --- */

/* The place behind the last line of a client in a group, of those that it has sent, or that were
 * acknowledged to it. */
static int64_t end_of(const struct proof *proof, const struct client_result *result, size_t index,
		      bool sent)
{
	int64_t end = 0;
	for (int64_t i = 0; i < result->threads; i++) {
		int64_t count =
			sent ? result->per_thread[i].sent : result->per_thread[i].acknowledged;
		if (proof->plain.by_thread && (size_t)i != index % (size_t)result->threads)
			continue;
		int64_t place = !count || proof->plain.by_thread
					? count
					: (count - 1) * result->threads + i + 1;
		end = place > end ? place : end;
	}
	return end;
}

static int compare_descending(const void *one, const void *other)
{
	int64_t left = *(const int64_t *)one, right = *(const int64_t *)other;
	return left < right ? 1 : left > right ? -1 : 0;
}

/* How many lines the clients of a group should have which are not there, or the other way. `ends`
 * has space for all clients. */
static int64_t compare_ends(const struct proof *proof, size_t index, bool sent, int64_t *ends)
{
	const struct verify_job *job = proof->job;
	size_t count, clients = 0;
	size_t client = proof->plain.by_thread ? index / (size_t)proof->plain.threads : index;
	const int64_t *places = places_of(&proof->plain.groups[index], &count);
	int64_t sum = 0;
	for (size_t i = 0; i < job->clients; i++)
		if (job->client_results[i].complete && (!job->echoes || i == client))
			ends[clients++] = end_of(proof, &job->client_results[i], index, sent);
	qsort(ends, clients, sizeof *ends, compare_descending);
	for (size_t i = 0; i < count; i++) {
		int64_t end = i < clients ? ends[i] : 0;
		int64_t more = sent ? places[i] - end : end - places[i];
		sum += more > 0 ? more : 0;
	}
	return sum;
}

/* False: out of memory. */
static bool check_reported(struct proof *proof)
{
	const struct verify_job *job = proof->job;
	int64_t resent = 0, unsent = 0, *ends = memory_calloc(job->clients + 1, sizeof *ends);
	if (!ends)
		return false;
	for (size_t i = 0; i < proof->plain.group_count; i++) {
		proof->plain.missing += compare_ends(proof, i, false, ends);
		unsent += compare_ends(proof, i, true, ends);
	}
	free(ends);
	for (size_t i = 0; i < job->clients; i++)
		if (job->client_results[i].complete)
			resent += job->client_results[i].total.resent;
	if (proof->plain.missing)
		fault_set(proof,
			  (struct fault){.message = "acknowledged lines are missing in $l: $1",
					 .values = {proof->plain.missing}});
	if (unsent)
		fault_set(proof,
			  (struct fault){.message = unsent == 1 ? "$1 line in $l was never sent"
								: "$1 lines in $l were never sent",
					 .values = {unsent}});
	if (proof->doubled > resent)
		fault_here(proof, NULL, "more lines are there twice than were sent again");
	return true;
}

/* --- clients that are inferred --- */

static void check_inferred(struct proof *proof)
{
	size_t count;
	const int64_t *places = places_of(&proof->plain.groups[0], &count);
	int64_t threads = proof->plain.threads ? proof->plain.threads : count ? places[0] : 0;
	int64_t all = proof->expected->iterations * threads;
	for (size_t i = 0; i < count; i++)
		if (all ? places[i] != all : places[i] % threads)
			fault_set(proof,
				  (struct fault){
					  .message = threads == 1 ? "a client has $1 line$s in $l, "
								    "with 1 thread"
								  : "a client has $1 line$s in $l, "
								    "with $2 threads",
					  .values = {places[i], threads}});
	proof->inferred = (int64_t)count;
}

bool plain_check_end(struct proof *proof)
{
	if (!proof->expected)
		return check_reported(proof);
	check_inferred(proof);
	return true;
}

void plain_free(struct proof *proof)
{
	for (size_t i = 0; proof->plain.groups && i < proof->plain.group_count; i++)
		buffer_free(&proof->plain.groups[i]);
	free(proof->plain.groups);
	buffer_free(&proof->plain.bytes);
}
