/* SPDX-License-Identifier: MIT */
#include "verify/crash_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "log.h"
#include "record/log_reader.h"
#include "verify/address_table.h"

enum { BYTE_BITS = 8 };

/* One connection of a client. */
struct drilled_link {
	size_t client;
	int64_t thread;	      /* whose it was; -1: everybody's */
	int64_t begins, next; /* places of its first line, -1: not told, and of the one due */
	bool started;
	struct drilled_link *other; /* the next of the same address */
};

/* A client's own address, which more than one connection may have had in turn. */
struct drilled_address {
	struct drilled_link *first, *current;
};

struct drill_count {
	const struct verify_job *job;
	struct log_reader log;
	struct address_table addresses_seen;
	struct drilled_link *links;
	struct drilled_address *addresses; /* by number in peers */
	size_t address_count;
	/* Each line that was sent has a bit, which is set when it is in the log. */
	unsigned char *bits;
	size_t **first_bits; /* of each client's threads */
	bool unknown;	     /* a client has left no account */
	int64_t acknowledged, resent, missing, repeated, torn, starts;
};

static int out_of_memory(struct error *error)
{
	return error_set(error, "cannot count: %s", strerror(ENOMEM));
}

/* At least one byte, so that no array is empty. */
static void *array_new(size_t count, size_t size)
{
	return memory_calloc(count ? count : 1, size);
}

/* Gives bits to the threads of a client. Returns the bit behind its last one; *enough turns false
 * where memory is out. */
static size_t set_up_bits(struct drill_count *count, size_t client, size_t bit, bool *enough)
{
	const struct client_result *account = &count->job->client_results[client];
	size_t *first = array_new((size_t)account->threads, sizeof *first);
	count->first_bits[client] = first;
	*enough &= first != NULL;
	for (int64_t i = 0; first && i < account->threads; i++) {
		first[i] = bit;
		bit += (size_t)account->per_thread[i].sent;
	}
	return bit;
}

/* Links a connection behind the others of its address. */
static bool set_up_link(struct drill_count *count, struct drilled_link *link, size_t client,
			const struct client_result_connection *connection)
{
	int64_t number = address_table_number(&count->addresses_seen, connection->name,
					      strlen(connection->name));
	if (number < 0)
		return false;
	*link = (struct drilled_link){
		.client = client,
		.thread = count->job->client_results[client].each ? connection->thread : -1,
		.begins = connection->answered,
		.next = connection->answered};
	struct drilled_link **place = &count->addresses[number].first;
	while (*place)
		place = &(*place)->other;
	*place = link;
	count->address_count = count->addresses_seen.count;
	return true;
}

static bool set_up(struct drill_count *count)
{
	const struct verify_job *job = count->job;
	size_t connections = 0, bit = 0;
	bool enough = true;
	for (size_t i = 0; i < job->clients; i++)
		connections += job->client_results[i].connection_count;
	count->links = array_new(connections, sizeof *count->links);
	count->addresses = array_new(connections, sizeof *count->addresses);
	count->first_bits = array_new(job->clients, sizeof *count->first_bits);
	if (!count->links || !count->addresses || !count->first_bits)
		return false;
	struct drilled_link *link = count->links;
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *account = &job->client_results[i];
		count->unknown |= !account->complete;
		if (!account->complete)
			continue;
		count->acknowledged += client_result_acknowledged(account);
		count->resent += client_result_resent(account);
		bit = set_up_bits(count, i, bit, &enough);
		for (size_t j = 0; j < account->connection_count; j++)
			enough &= set_up_link(count, link++, i, &account->connections[j]);
	}
	count->bits = array_new(bit / BYTE_BITS + 1, 1);
	return enough && count->bits;
}

static void tear_down(struct drill_count *count)
{
	for (size_t i = 0; count->first_bits && i < count->job->clients; i++)
		free(count->first_bits[i]);
	free(count->first_bits);
	free(count->addresses);
	free(count->links);
	free(count->bits);
	address_table_free(&count->addresses_seen);
}

/* The place of a line among those that come over a connection, from 0; -1 where it is none of them.
 */
static int64_t place_on(const struct drill_count *count, const struct drilled_link *link,
			const struct verify_turn *turn)
{
	const struct client_result *account = &count->job->client_results[link->client];
	int64_t named = count->job->echoes ? (int64_t)link->client + 1 : 0;
	if (turn->client != named || turn->thread >= account->threads ||
	    (link->thread >= 0 && link->thread != turn->thread) ||
	    turn->iteration > account->per_thread[turn->thread].sent)
		return -1;
	return link->thread >= 0 ? turn->iteration - 1
				 : (turn->iteration - 1) * account->threads + turn->thread;
}

/* Where nothing fits, since the log does not hold what it should: the nearest, best the current
 * one.
 */
static struct drilled_link *find_nearest(const struct drill_count *count,
					 const struct drilled_address *address,
					 const struct verify_turn *turn)
{
	struct drilled_link *nearest = NULL;
	int64_t least = INT64_MAX;
	for (struct drilled_link *link = address->first; link; link = link->other) {
		int64_t place = place_on(count, link, turn), distance = llabs(place - link->next);
		if (place < 0 || distance > least ||
		    (distance == least && link != address->current))
			continue;
		nearest = link;
		least = distance;
	}
	return nearest;
}

/* The connection that a line came over: the current one of its address where the line is what is
 * due on it, else the one that begins with it. NULL: nobody has sent it. */
static struct drilled_link *find_link(const struct drill_count *count,
				      const struct drilled_address *address,
				      const struct verify_turn *turn)
{
	struct drilled_link *link = address->current;
	if (link && place_on(count, link, turn) == link->next)
		return link;
	for (link = address->first; link; link = link->other) {
		int64_t place = place_on(count, link, turn);
		if (!link->started && place >= 0 && (link->begins < 0 || link->begins == place))
			return link;
	}
	return find_nearest(count, address, turn);
}

/* Where the bit of a line is: its byte, and a mask. */
static unsigned char *bit_of(const struct drill_count *count, size_t client, int64_t thread,
			     int64_t iteration, unsigned char *mask)
{
	size_t bit = count->first_bits[client][thread] + (size_t)iteration - 1;
	*mask = (unsigned char)(1U << bit % BYTE_BITS);
	return &count->bits[bit / BYTE_BITS];
}

static void take_received(struct drill_count *count, const struct record_view *record)
{
	struct verify_turn turn;
	unsigned char mask;
	int64_t number =
		address_table_find(&count->addresses_seen, record->subject, record->subject_length);
	if (number < 0 || !verify_turn_read(record->bytes, record->length, &turn))
		return;
	struct drilled_address *address = &count->addresses[number];
	struct drilled_link *link = find_link(count, address, &turn);
	if (!link)
		return; /* the proof says so, too */
	address->current = link;
	link->started = true;
	link->next = place_on(count, link, &turn) + 1;
	unsigned char *byte = bit_of(count, link->client, turn.thread, turn.iteration, &mask);
	count->repeated += (*byte & mask) != 0;
	*byte |= mask;
}

/* The server has started: no connection goes on. */
static void take_start(struct drill_count *count)
{
	count->starts++;
	for (size_t i = 0; i < count->address_count; i++)
		count->addresses[i].current = NULL;
}

/* Reads the log from where the drill began to its end. */
static int count_log(struct drill_count *count, struct error *error)
{
	enum verify_line kind;
	while ((kind = log_reader_next(&count->log, error)) != VERIFY_END) {
		const struct record_view *record = &count->log.record;
		if (kind == VERIFY_BROKEN)
			return -1;
		if (kind != VERIFY_RECORD)
			count->torn++;
		else if (record->event == RECORD_RECEIVED)
			take_received(count, record);
		else if (verify_is_start(record))
			take_start(count);
	}
	return 0;
}

/* Only at the end is it known what has not come again. */
static void count_missing(struct drill_count *count)
{
	for (size_t i = 0; i < count->job->clients; i++) {
		const struct client_result *account = &count->job->client_results[i];
		for (int64_t k = 0; account->complete && k < account->threads; k++)
			for (int64_t j = 1; j <= account->per_thread[k].acknowledged; j++) {
				unsigned char mask;
				count->missing += !(*bit_of(count, i, k, j, &mask) & mask);
			}
	}
}

/* The fault that the words begin with: the one of the proof, else what only counting shows. */
static void add_fault(const struct drill_count *count, const struct drill_facts *facts,
		      struct verdict *verdict)
{
	if (*verdict->fault)
		verdict_add(verdict, "%s; ", verdict->fault);
	else if (count->starts < facts->starts)
		verdict_add(verdict, "the server has noted %" PRId64 " of its %" PRId64 " starts; ",
			    count->starts, facts->starts);
	else if (count->missing)
		verdict_add(verdict, "acknowledged lines are missing; ");
	else if (count->repeated > count->resent)
		verdict_add(verdict, "more lines are there twice than were sent again; ");
	else
		verdict_add(verdict, "nothing is proved; ");
}

static void add_sync(const struct drill_count *count, const struct drill_facts *facts,
		     struct verdict *verdict)
{
	verdict_add(verdict, "sync %s", log_sync_names[facts->sync]);
	if (facts->sync == LOG_SYNC_NONE)
		verdict_add(verdict, count->missing ? ", which promises no more"
						    : ", which does not promise so much");
}

static void conclude(const struct drill_count *count, const struct drill_facts *facts,
		     struct verdict *verdict)
{
	verdict->good &= !count->missing && !count->torn && count->repeated <= count->resent &&
			 count->starts >= facts->starts;
	verdict->complete = !count->unknown;
	*verdict->words = '\0';
	if (!verdict->good)
		add_fault(count, facts, verdict);
	verdict_add(verdict,
		    "drill: %" PRId64 " kill%s, %" PRId64 " line%s acknowledged, %" PRId64
		    " missing in %.200s; ",
		    facts->kills, verdict_plural(facts->kills), count->acknowledged,
		    verdict_plural(count->acknowledged), count->missing, count->job->log);
	verdict_add(verdict,
		    "%" PRId64 " sent again after a lost connection, %" PRId64
		    " of them logged again; ",
		    count->resent, count->repeated);
	verdict_add(verdict, "%" PRId64 " torn, %" PRId64 " torn end%s closed; ", count->torn,
		    count->log.closed, verdict_plural(count->log.closed));
	add_sync(count, facts, verdict);
	if (verdict->good)
		verdict_add(verdict, count->job->echoes ? ", each echo as it was sent"
							: ", every client in strict order");
	verdict_add(verdict, " (seed %" PRId64 ")", facts->seed);
}

int verify_drill(const struct verify_job *job, const struct drill_facts *facts,
		 struct verdict *verdict, struct error *error)
{
	struct drill_count count = {.job = job};
	if (verify_run(job, verdict, error) < 0 ||
	    log_reader_open(&count.log, job->log, job->offset, error) < 0)
		return -1;
	int result = set_up(&count) ? count_log(&count, error) : out_of_memory(error);
	if (result == 0) {
		count_missing(&count);
		conclude(&count, facts, verdict);
	}
	log_reader_close(&count.log);
	tear_down(&count);
	return result;
}
