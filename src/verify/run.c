/* SPDX-License-Identifier: MIT */
#include "verify/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verify/run_faults.h"

static int out_of_memory(struct error *error)
{
	return error_set(error, "cannot verify: %s", strerror(ENOMEM));
}

static size_t lanes_of(const struct client_result *account)
{
	return !account->complete ? 0 : account->each ? (size_t)account->threads : 1;
}

static void set_up_party(struct party *party, const struct client_result *account, size_t number,
			 struct lane *lanes)
{
	*party = (struct party){.account = account,
				.number = number,
				.lanes = lanes,
				.lane_count = lanes_of(account)};
	for (size_t i = 0; i < party->lane_count; i++)
		lanes[i].repeats_allowed = account->each ? account->per_thread[i].resent
							 : client_result_resent(account);
}

/* Links a connection behind the others of its address. */
static bool set_up_link(struct proof *proof, struct party *party,
			const struct client_result_connection *connection)
{
	int64_t number = address_table_number(&proof->addresses_seen, connection->name,
					      strlen(connection->name));
	if (number < 0)
		return false;
	struct link *link = &proof->links[proof->link_count++];
	link->party = party;
	link->lane = (size_t)connection->thread;
	link->begins = connection->answered;
	struct link **place = &proof->addresses[number].first;
	while (*place)
		place = &(*place)->other;
	*place = link;
	proof->address_count = proof->addresses_seen.count;
	return true;
}

/* At least one, so that no array is empty. */
static void *array_new(size_t count, size_t size)
{
	return memory_calloc(count ? count : 1, size);
}

static bool set_up(struct proof *proof)
{
	const struct verify_job *job = proof->job;
	size_t lanes = 0, links = 0;
	for (size_t i = 0; i < job->clients; i++) {
		lanes += lanes_of(&job->client_results[i]);
		links += job->client_results[i].connection_count;
	}
	proof->parties = array_new(job->clients, sizeof *proof->parties);
	proof->lanes = array_new(lanes, sizeof *proof->lanes);
	proof->links = array_new(links, sizeof *proof->links);
	proof->addresses = array_new(links, sizeof *proof->addresses);
	if (!proof->parties || !proof->lanes || !proof->links || !proof->addresses)
		return false;
	struct lane *lane = proof->lanes;
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *account = &job->client_results[i];
		set_up_party(&proof->parties[i], account, i + 1, lane);
		proof->parties[i].client = job->echoes ? (int64_t)i + 1 : 0;
		lane += proof->parties[i].lane_count;
		for (size_t j = 0; account->complete && j < account->connection_count; j++)
			if (!set_up_link(proof, &proof->parties[i], &account->connections[j]))
				return false;
	}
	return true;
}

static void tear_down(struct proof *proof)
{
	free(proof->parties);
	free(proof->lanes);
	free(proof->links);
	free(proof->addresses);
	address_table_free(&proof->addresses_seen);
}

/* May a connection begin at this place? It may repeat what was in flight when an earlier one of its
 * lane was lost, and must leave no gap. */
static bool may_begin(const struct link *link, int64_t place)
{
	const struct lane *lane = &link->party->lanes[link->lane];
	if (link->begins >= 0 && place != link->begins)
		return false;
	if (place == lane->next)
		return true;
	return lane->current && place >= 0 && place < lane->next &&
	       place >= lane->next - link->party->account->window;
}

static void begin_link(const struct proof *proof, struct address *address, struct link *link,
		       int64_t place)
{
	struct lane *lane = &link->party->lanes[link->lane];
	struct link *before = lane->current;
	if (before) /* what it left unanswered comes again here */
		link->party->outstanding -= before->next - before->start - before->sent;
	lane->current = address->current = link;
	address->starts = proof->starts;
	link->started = true;
	link->start = link->next = place;
}

/* The connection of this address that the line belongs to: the current one where the line is what
 * is due on it, else one that may begin with it; NULL where there is none. */
static struct link *find_link(const struct proof *proof, struct address *address,
			      const struct verify_turn *turn)
{
	struct link *link = address->current;
	if (link && address->starts == proof->starts &&
	    party_place(link->party, link->lane, turn) == link->next)
		return link;
	for (link = address->first; link; link = link->other) {
		int64_t place = party_place(link->party, link->lane, turn);
		if (!link->started && may_begin(link, place)) {
			begin_link(proof, address, link, place);
			return link;
		}
	}
	return NULL;
}

/* A line that is in the log for the first time. It was sent when at most a window of those before
 * it was not answered, and those that were answered are logged: the same holds for the log. */
static void count_first(struct proof *proof, struct party *party, struct lane *lane,
			const struct verify_turn *turn)
{
	const struct client_result *account = party->account;
	int64_t turns_before = (turn->iteration - 1) * account->threads + turn->thread;
	/* threads at their own pace come in any order, each in its own */
	if (!account->free && turns_before >= party->logged + account->window) {
		struct verify_turn due = party_lowest_due(party);
		proof_fault_order(proof, party, turn, &due);
	}
	lane->next++;
	party->logged++;
}

static void count_repeated(struct proof *proof, struct party *party, struct lane *lane,
			   const struct verify_turn *turn)
{
	if (++lane->repeated > lane->repeats_allowed)
		proof_fault_order(proof, party, turn, turn);
}

/* No more lines in flight than the window: what was received and not answered. */
static void check_flight(struct proof *proof, struct link *link, const struct verify_turn *turn)
{
	struct party *party = link->party;
	int64_t window = party->account->window, here = link->next - link->start - link->sent;
	if (party->lanes[link->lane].current == link)
		party->outstanding++;
	/* where the server was killed, records of answers on other connections may be missing;
	 * in free order each has a window of its own */
	bool any = proof->job->cut || party->account->free;
	if (here <= window && (any || party->outstanding <= window))
		return;
	char words[VERIFY_TURN_SIZE];
	verify_turn_write(turn, words);
	int64_t line = proof_line(proof, proof->log.number);
	if (window == 1)
		proof_fault(proof, party,
			    "'%s' at line %" PRId64 " of %.200s came before the %s of "
			    "the line before it",
			    words, line, proof->job->log, proof_answer_name(proof));
	else
		proof_fault(proof, party,
			    "'%s' at line %" PRId64 " of %.200s came with %" PRId64
			    " lines in flight already",
			    words, line, proof->job->log, window);
}

static void take_turn(struct proof *proof, struct address *address, const struct verify_turn *turn)
{
	struct link *known = address->current ? address->current : address->first;
	struct link *link = find_link(proof, address, turn);
	if (!link) {
		int64_t place =
			known->started ? known->next : known->party->lanes[known->lane].next;
		struct verify_turn due = party_turn(known->party, known->lane, place);
		proof_fault_order(proof, known->party, turn, &due);
		return;
	}
	struct lane *lane = &link->party->lanes[link->lane];
	int64_t place = link->next++;
	if (place < lane->next)
		count_repeated(proof, link->party, lane, turn);
	else
		count_first(proof, link->party, lane, turn);
	check_flight(proof, link, turn);
	if (!party_sent(link->party, turn)) {
		char words[VERIFY_TURN_SIZE];
		verify_turn_write(turn, words);
		proof_fault(proof, link->party, "'%s' at line %" PRId64 " of %.200s was never sent",
			    words, proof_line(proof, proof->log.number), proof->job->log);
	}
}

static void take_received(struct proof *proof, struct address *address)
{
	const struct record_view *record = &proof->log.record;
	struct verify_turn turn;
	proof->records++;
	if (proof->faulty)
		return;
	if (verify_turn_read(record->bytes, record->length, &turn)) {
		take_turn(proof, address, &turn);
		return;
	}
	char words[VERIFY_EXCERPT_SIZE];
	verify_excerpt(record->bytes, record->length, words);
	proof_fault(proof, address->first->party,
		    "'%s' at line %" PRId64 " of %.200s was never sent", words,
		    proof_line(proof, proof->log.number), proof->job->log);
}

/* An ok that answers no line: the one that is due on the connection should have come before it. */
static void fault_early_ok(struct proof *proof, struct address *address)
{
	const struct link *link = address->current ? address->current : address->first;
	const struct lane *lane = &link->party->lanes[link->lane];
	struct verify_turn due =
		party_turn(link->party, link->lane, link->started ? link->next : lane->next);
	proof_fault_order(proof, link->party, NULL, &due);
}

/* Is it the answer that a line needs? To a client of echo it is the line that is due itself. */
static bool answers(const struct link *link, const struct record_view *record)
{
	struct verify_turn turn;
	if (!link->party->client)
		return verify_acknowledges(record);
	int64_t due =
		link->started ? link->start + link->sent : link->party->lanes[link->lane].next;
	return verify_turn_read(record->bytes, record->length, &turn) &&
	       party_place(link->party, link->lane, &turn) == due;
}

static void take_sent(struct proof *proof, struct address *address)
{
	const struct record_view *record = &proof->log.record;
	struct link *link = address->current;
	if (proof->faulty)
		return;
	if (!answers(link ? link : address->first, record)) {
		char words[VERIFY_EXCERPT_SIZE];
		verify_excerpt(record->bytes, record->length, words);
		proof_fault(proof, (link ? link : address->first)->party,
			    "it was answered '%s' at line %" PRId64 " of %.200s", words,
			    proof_line(proof, proof->log.number), proof->job->log);
	} else if (!link || link->sent == link->next - link->start) {
		fault_early_ok(proof, address);
	} else {
		link->sent++;
		if (link->party->lanes[link->lane].current == link)
			link->party->outstanding--;
	}
}

static bool take_record(struct proof *proof)
{
	const struct record_view *record = &proof->log.record;
	if (record->event == RECORD_NOTE) {
		proof->starts += verify_is_start(record);
		return true;
	}
	bool received = record->event == RECORD_RECEIVED;
	int64_t number = received ? address_table_number(&proof->addresses_seen, record->subject,
							 record->subject_length)
				  : address_table_find(&proof->addresses_seen, record->subject,
						       record->subject_length);
	bool ours = number >= 0 && (size_t)number < proof->address_count;
	if (ours && received)
		take_received(proof, &proof->addresses[number]);
	else if (ours)
		take_sent(proof, &proof->addresses[number]);
	else
		proof->foreign += received;
	return number >= 0 || !received;
}

static int stream(struct proof *proof, struct error *error)
{
	for (;;) {
		char words[VERIFY_EXCERPT_SIZE];
		enum verify_line kind = log_reader_next(&proof->log, error);
		switch (kind) {
		case VERIFY_RECORD:
			if (!take_record(proof))
				return out_of_memory(error);
			break;
		case VERIFY_GARBAGE:
		case VERIFY_TORN:
			verify_excerpt(proof->log.bytes, proof->log.length, words);
			proof_fault(proof, NULL, "line %" PRId64 " of %.200s is %s: '%s'",
				    proof->faulty ? 0 : proof_line(proof, proof->log.number),
				    proof->job->log, kind == VERIFY_TORN ? "torn" : "no record",
				    words);
			break;
		case VERIFY_END:
			return 0;
		case VERIFY_BROKEN:
			return -1;
		}
	}
}

/* The place behind the last line of a lane that was acknowledged. */
static int64_t acknowledged_end(const struct party *party, size_t lane)
{
	const struct client_result *account = party->account;
	if (account->each)
		return account->per_thread[lane].acknowledged;
	int64_t end = 0;
	for (int64_t i = 0; i < account->threads; i++) {
		int64_t count = account->per_thread[i].acknowledged;
		int64_t behind = count ? (count - 1) * account->threads + i + 1 : 0;
		end = behind > end ? behind : end;
	}
	return end;
}

static void check_lane(struct proof *proof, struct party *party, size_t number)
{
	const struct lane *lane = &party->lanes[number];
	int64_t end = acknowledged_end(party, number);
	if (lane->next < end) {
		struct verify_turn turn = party_turn(party, number, lane->next);
		proof_fault_missing(proof, party, &turn);
	} else if (lane->answered < end && !proof->job->cut) {
		struct verify_turn turn = party_turn(party, number, lane->answered);
		char words[VERIFY_TURN_SIZE];
		verify_turn_write(&turn, words);
		proof_fault(proof, party, "'%s' was acknowledged, but has no 'sent: %s' in %.200s",
			    words, proof->job->echoes ? words : "ok", proof->job->log);
	}
}

/* What can only be said at the end: is all there that was acknowledged? */
static void check_end(struct proof *proof)
{
	for (size_t i = 0; i < proof->link_count; i++) {
		const struct link *link = &proof->links[i];
		struct lane *lane = &link->party->lanes[link->lane];
		if (link->started && link->start <= lane->answered &&
		    link->start + link->sent > lane->answered)
			lane->answered = link->start + link->sent;
	}
	for (size_t i = 0; i < proof->job->clients; i++) {
		struct party *party = &proof->parties[i];
		if (!party->account->complete && !party->account->absent)
			proof_fault(proof, party,
				    "it left no account: what was acknowledged to it is "
				    "unknown");
		for (size_t lane = 0; lane < party->lane_count; lane++)
			check_lane(proof, party, lane);
	}
}

static int prove(struct proof *proof, struct error *error)
{
	if (!set_up(proof))
		return out_of_memory(error);
	if (stream(proof, error) < 0)
		return -1;
	if (proof->unexplained)
		return proof_explain(proof, error);
	check_end(proof);
	return 0;
}

int verify_run(const struct verify_job *job, struct verdict *verdict, struct error *error)
{
	struct proof proof = {.job = job};
	*verdict = (struct verdict){0};
	if (log_reader_open(&proof.log, job->log, job->offset, error) < 0)
		return -1;
	int result = prove(&proof, error);
	if (result == 0)
		proof_conclude(&proof, verdict);
	log_reader_close(&proof.log);
	tear_down(&proof);
	return result;
}
