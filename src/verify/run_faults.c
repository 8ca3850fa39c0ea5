/* SPDX-License-Identifier: MIT */
#include "verify/run_faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int64_t party_place(const struct party *party, size_t lane, const struct verify_turn *turn)
{
	const struct client_result *account = party->account;
	if (turn->client != party->client || turn->thread >= account->threads ||
	    turn->iteration > account->iterations)
		return -1;
	if (account->each)
		return turn->thread == (int64_t)lane ? turn->iteration - 1 : -1;
	return (turn->iteration - 1) * account->threads + turn->thread;
}

struct verify_turn party_turn(const struct party *party, size_t lane, int64_t place)
{
	const struct client_result *account = party->account;
	if (account->each)
		return (struct verify_turn){(int64_t)lane, place + 1, party->client};
	return (struct verify_turn){place % account->threads, place / account->threads + 1,
				    party->client};
}

struct verify_turn party_lowest_due(const struct party *party)
{
	size_t lowest = 0;
	for (size_t i = 1; i < party->lane_count; i++)
		if (party->lanes[i].next < party->lanes[lowest].next)
			lowest = i;
	return party_turn(party, lowest, party->lanes[lowest].next);
}

bool party_acknowledged(const struct party *party, const struct verify_turn *turn)
{
	return turn->thread < party->account->threads &&
	       turn->iteration <= party->account->per_thread[turn->thread].acknowledged;
}

bool party_sent(const struct party *party, const struct verify_turn *turn)
{
	return turn->client == party->client && turn->thread < party->account->threads &&
	       turn->iteration <= party->account->per_thread[turn->thread].sent;
}

const char *proof_answer_name(const struct proof *proof)
{
	return proof->job->echoes ? "echo" : "ok";
}

int64_t proof_line(const struct proof *proof, int64_t number)
{
	return number + log_reader_lines_before(&proof->log);
}

void proof_fault(struct proof *proof, struct party *party, const char *format, ...)
{
	if (proof->faulty)
		return;
	va_list values;
	va_start(values, format);
	/* a fault that is too long is cut, which is all that can be done with it */
	(void)vsnprintf(proof->fault.message, sizeof proof->fault.message, format, values);
	va_end(values);
	proof->faulty = true;
	proof->culprit = party;
}

void proof_fault_order(struct proof *proof, struct party *party, const struct verify_turn *got,
		       const struct verify_turn *due)
{
	if (proof->faulty)
		return;
	proof->faulty = proof->unexplained = true;
	proof->culprit = party;
	proof->fault_line = proof->log.number;
	proof->got = got ? *got : (struct verify_turn){0};
	proof->due = *due;
}

void proof_fault_missing(struct proof *proof, struct party *party, const struct verify_turn *turn)
{
	char words[VERIFY_TURN_SIZE];
	verify_turn_write(turn, words);
	proof_fault(proof, party, "'%s' is missing in %.200s: it was %sacknowledged", words,
		    proof->job->log, party_acknowledged(party, turn) ? "" : "sent, but not ");
}

/* Is that record about a connection of the culprit? */
static bool of_culprit(const void *context, const struct record_view *record)
{
	const struct proof *proof = context;
	int64_t number =
		address_table_find(&proof->addresses_seen, record->subject, record->subject_length);
	if (number < 0 || (size_t)number >= proof->address_count)
		return false;
	const struct link *link = proof->addresses[number].first;
	while (link && link->party != proof->culprit)
		link = link->other;
	return link != NULL;
}

/* Words for a line that came where it must not. */
static void explain_turn(struct proof *proof, int64_t got_line, int64_t due_line)
{
	struct party *party = proof->culprit;
	const char *log = proof->job->log;
	int64_t line = proof->fault_line;
	char got[VERIFY_TURN_SIZE], due[VERIFY_TURN_SIZE];
	verify_turn_write(&proof->got, got);
	verify_turn_write(&proof->due, due);
	if (!party_sent(party, &proof->got))
		proof_fault(proof, party, "'%s' at line %" PRId64 " of %.200s was never sent", got,
			    proof_line(proof, line), log);
	else if (got_line && got_line < line)
		proof_fault(proof, party,
			    "'%s' is there twice (lines %" PRId64 " and %" PRId64 " of %.200s)",
			    got, proof_line(proof, got_line), proof_line(proof, line), log);
	else if (due_line)
		proof_fault(proof, party,
			    "'%s' is out of order at line %" PRId64 " of %.200s: '%s' was due", got,
			    proof_line(proof, line), log, due);
	else if (party_sent(party, &proof->due))
		proof_fault_missing(proof, party, &proof->due);
	else
		proof_fault(proof, party,
			    "'%s' is out of order at line %" PRId64
			    " of %.200s: nothing was due there",
			    got, proof_line(proof, line), log);
}

/* Words for an ok without a line before it. */
static void explain_ok(struct proof *proof, int64_t due_line)
{
	struct party *party = proof->culprit;
	char due[VERIFY_TURN_SIZE];
	verify_turn_write(&proof->due, due);
	int64_t line = proof_line(proof, proof->fault_line);
	if (due_line > proof->fault_line)
		proof_fault(proof, party,
			    "the %s at line %" PRId64 " of %.200s came before its line '%s'",
			    proof_answer_name(proof), line, proof->job->log, due);
	else if (!due_line && party_sent(party, &proof->due))
		proof_fault_missing(proof, party, &proof->due);
	else
		proof_fault(proof, party, "the %s at line %" PRId64 " of %.200s answers no line",
			    proof_answer_name(proof), line, proof->job->log);
}

int proof_explain(struct proof *proof, struct error *error)
{
	struct verify_search search = {
		.got = proof->got, .due = proof->due, .belongs = of_culprit, .context = proof};
	if (log_reader_search(&proof->log, &search, error) < 0)
		return -1;
	proof->faulty = false; /* to be noted anew, in words */
	if (proof->got.iteration)
		explain_turn(proof, search.got_line, search.due_line);
	else
		explain_ok(proof, search.due_line);
	return 0;
}

/* The sums of all accounts, and what the log holds. */
struct sums {
	int64_t planned, sent, acknowledged, repeated;
	bool unknown;  /* an account is not complete */
	size_t absent; /* clients that were never started */
	bool free;     /* threads went at their own pace */
};

static struct sums sum_up(const struct proof *proof)
{
	struct sums sums = {0};
	size_t lanes = 0;
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client_result *account = &proof->job->client_results[i];
		sums.unknown |= !account->complete;
		sums.absent += account->absent;
		if (!account->complete)
			continue;
		sums.free |= account->free;
		sums.planned += client_result_planned(account);
		sums.sent += client_result_sent(account);
		sums.acknowledged += client_result_acknowledged(account);
		lanes += proof->parties[i].lane_count;
	}
	for (size_t i = 0; i < lanes; i++)
		sums.repeated += proof->lanes[i].repeated;
	return sums;
}

static void add_numbers(const struct proof *proof, const struct sums *sums, struct verdict *verdict)
{
	int64_t repeated = proof->faulty ? 0 : sums->repeated;
	if (sums->sent == sums->planned)
		verdict_add(verdict, "%" PRId64 " line%s sent, ", sums->sent,
			    verdict_plural(sums->sent));
	else
		verdict_add(verdict, "%" PRId64 " of %" PRId64 " line%s sent, ", sums->sent,
			    sums->planned, verdict_plural(sums->planned));
	verdict_add(verdict, "%" PRId64 " %s, %" PRId64 " in %.200s", sums->acknowledged,
		    proof->job->echoes ? "echoed" : "acknowledged", proof->records - repeated,
		    proof->job->log);
	if (repeated)
		verdict_add(verdict,
			    ", %" PRId64 " of them twice, sent again after a lost connection",
			    repeated);
}

void proof_conclude(const struct proof *proof, struct verdict *verdict)
{
	struct sums sums = sum_up(proof);
	size_t others = proof->addresses_seen.count - proof->address_count;
	verdict->complete = !sums.unknown && sums.acknowledged == sums.planned;
	verdict->good = !proof->faulty && proof->records > 0;
	if (proof->faulty && proof->culprit)
		verdict_add(verdict, "client %zu: ", proof->culprit->number);
	if (proof->faulty) {
		verdict_add(verdict, "%s", proof->fault.message);
		memcpy(verdict->fault, verdict->words, sizeof verdict->fault);
		verdict_add(verdict, "; ");
	}
	add_numbers(proof, &sums, verdict);
	if (verdict->good)
		verdict_add(verdict, ", %s",
			    proof->job->echoes ? "each echo as it was sent"
			    : sums.free	       ? "every thread in its own order"
					       : "every client in strict order");
	else if (!proof->faulty)
		verdict_add(verdict, ": nothing is proved");
	if (sums.absent)
		verdict_add(verdict, " (%zu client%s not started)", sums.absent,
			    sums.absent == 1 ? " was" : "s were");
	if (others)
		verdict_add(verdict, " (and %" PRId64 " line%s from %zu other connection%s)",
			    proof->foreign, verdict_plural(proof->foreign), others,
			    others == 1 ? "" : "s");
}
