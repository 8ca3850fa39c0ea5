/* SPDX-License-Identifier: MIT */
#include "verify/proof.h"
#include "base/plural.h"

#include <inttypes.h>
#include <string.h>

/* Sums over the clients whose results are complete. */
struct sums {
	int64_t planned, sent, acknowledged, resent;
	int64_t repeated; /* lines in the log again */
	int64_t missing;  /* in a crash test */
	bool disguised;	  /* nothing is known of a client's lines */
	bool complete;	  /* all results are */
	size_t absent;	  /* clients that were never started */
	bool free;	  /* threads sent at their own pace */
};

static struct sums sum_up(const struct proof *proof)
{
	struct sums sums = {.complete = true};
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client_result *result = &proof->job->client_results[i];
		sums.complete &= result->complete;
		sums.absent += result->absent;
		if (!result->complete)
			continue;
		sums.free |= result->free;
		sums.planned += result->planned;
		sums.sent += result->total.sent;
		sums.acknowledged += result->total.acknowledged;
		sums.resent += result->total.resent;
		const struct client *client = &proof->clients[i];
		for (size_t j = 0; j < client->stream_count; j++)
			sums.repeated += client->streams[j].repeated;
		sums.disguised |= client_is_disguised(proof, client);
		if (proof->bits && !client_is_disguised(proof, client))
			sums.missing += bits_missing(proof, client);
	}
	if (proof->job->plain) {
		sums.repeated = proof->doubled;
		sums.missing = proof->plain.missing;
	}
	return sums;
}

static void add_foreign(const struct proof *proof, struct verdict *verdict)
{
	if (proof->job->plain && proof->foreign_lines)
		verdict_add(verdict, " (and %" PRId64 " other line%s)", proof->foreign_lines,
			    PLURAL(proof->foreign_lines));
	else if (proof->foreign_connections)
		verdict_add(verdict,
			    " (and %" PRId64 " line%s from %" PRId64 " other connection%s)",
			    proof->foreign_lines, PLURAL(proof->foreign_lines),
			    proof->foreign_connections, PLURAL(proof->foreign_connections));
}

static void add_plain_order(const struct proof *proof, struct verdict *verdict)
{
	int64_t clients = proof->expected ? proof->inferred : (int64_t)proof->job->clients;
	if (proof->job->echoes) {
		verdict_add(verdict, ", every %s in its own order; plain: answers are not in it",
			    proof->plain.by_thread ? "thread" : "client");
		return;
	}
	verdict_add(verdict,
		    ", in an order that %" PRId64 " client%s can have sent%s; plain: answers, and "
		    "who sent a line, are not in it",
		    clients, PLURAL(clients), proof->plain.by_thread ? ", thread by thread" : "");
	if (proof->doubled && clients > 1)
		verdict_add(verdict,
			    "; a line that is there again may stand for another client's that is "
			    "missing");
}

/* --- of a log alone --- */

static void add_answers(const struct proof *proof, struct verdict *verdict)
{
	if (!proof->unproved)
		verdict_add(verdict, ", each acknowledged,");
	else if (proof->unproved == proof->lines)
		verdict_add(verdict, ", received only: answers are not in it;");
	else
		verdict_add(verdict, ", answers to %" PRId64 " of them are not in it;",
			    proof->unproved);
}

static void conclude_standalone(const struct proof *proof, struct verdict *verdict)
{
	verdict->complete = verdict->good;
	if (proof->lines || proof->fault.message)
		verdict_add(verdict, "%" PRId64 " line%s in %s", proof->lines, PLURAL(proof->lines),
			    proof->log.title);
	else
		verdict_add(verdict, "no line of a client in %s: nothing is proved",
			    proof->log.title);
	if (verdict->good && proof->job->plain) {
		add_plain_order(proof, verdict);
	} else if (verdict->good) {
		add_answers(proof, verdict);
		verdict_add(verdict, " %" PRId64 " client%s in strict order", proof->inferred,
			    PLURAL(proof->inferred));
	}
	add_foreign(proof, verdict);
}

/* --- of a run --- */

static void add_numbers(const struct proof *proof, const struct sums *sums, struct verdict *verdict)
{
	int64_t repeated = proof->fault.message ? 0 : sums->repeated;
	if (sums->sent == sums->planned)
		verdict_add(verdict, "%" PRId64 " line%s sent, ", sums->sent, PLURAL(sums->sent));
	else
		verdict_add(verdict, "%" PRId64 " of %" PRId64 " line%s sent, ", sums->sent,
			    sums->planned, PLURAL(sums->planned));
	verdict_add(verdict, "%" PRId64 " %s, ", sums->acknowledged,
		    proof->job->echoes ? "echoed" : "acknowledged");
	verdict_add(verdict,
		    sums->disguised ? "%" PRId64 " from their addresses in %s"
				    : "%" PRId64 " in %s",
		    proof->lines - repeated, proof->log.title);
	if (repeated)
		verdict_add(verdict,
			    ", %" PRId64 " of them twice, sent again after a lost connection",
			    repeated);
}

static void add_order(const struct proof *proof, const struct sums *sums, struct verdict *verdict)
{
	if (proof->job->plain) {
		add_plain_order(proof, verdict);
		return;
	}
	verdict_add(verdict, "%s",
		    proof->job->echoes ? ", each echo as it was sent"
		    : sums->free       ? ", every thread in its own order"
				       : ", every client in strict order");
	if (proof->unproved)
		verdict_add(verdict, "; the answers are not in it");
}

static void conclude_run(const struct proof *proof, const struct sums *sums,
			 struct verdict *verdict)
{
	verdict->complete = sums->complete && sums->acknowledged == sums->planned;
	add_numbers(proof, sums, verdict);
	if (verdict->good)
		add_order(proof, sums, verdict);
	else if (!proof->fault.message)
		verdict_add(verdict, ": nothing is proved");
	if (sums->absent)
		verdict_add(verdict, " (%zu client%s not started)", sums->absent,
			    sums->absent == 1 ? " was" : "s were");
	add_foreign(proof, verdict);
}

/* --- of a crash test --- */

/* Has the server noted fewer starts than there were? A plain log has no notes. */
static bool lacks_starts(const struct proof *proof)
{
	return !proof->job->plain && proof->runs - 1 < proof->job->crash_test->starts;
}

/* A fault that only counting shows. */
static void add_crash_fault(const struct proof *proof, const struct sums *sums,
			    struct verdict *verdict)
{
	if (lacks_starts(proof))
		verdict_add(verdict, "the server has noted %" PRId64 " of its %" PRId64 " starts; ",
			    proof->runs - 1, proof->job->crash_test->starts);
	else if (sums->missing)
		verdict_add(verdict, "acknowledged lines are missing; ");
	else if (proof->doubled > sums->resent)
		verdict_add(verdict, "more lines are there twice than were sent again; ");
	else
		verdict_add(verdict, "nothing is proved; ");
}

static void conclude_crash_test(const struct proof *proof, const struct sums *sums,
				struct verdict *verdict)
{
	const struct crash_test_facts *facts = proof->job->crash_test;
	verdict->good &= !sums->missing && !proof->damaged && proof->doubled <= sums->resent &&
			 !lacks_starts(proof);
	verdict->complete = sums->complete;
	if (!verdict->good && !proof->fault.message)
		add_crash_fault(proof, sums, verdict);
	verdict_add(verdict, "drill: %" PRId64 " kill%s, %" PRId64 " line%s acknowledged, ",
		    facts->kills, PLURAL(facts->kills), sums->acknowledged,
		    PLURAL(sums->acknowledged));
	if (sums->disguised)
		verdict_add(verdict, "it is not known how many are missing");
	else
		verdict_add(verdict, "%" PRId64 " missing", sums->missing);
	verdict_add(verdict,
		    " in %s; %" PRId64 " sent again after a lost connection, %" PRId64
		    " of them logged again; %" PRId64 " torn, %" PRId64 " torn end%s closed; ",
		    proof->log.title, sums->resent, proof->doubled, proof->damaged,
		    proof->log.closed, PLURAL(proof->log.closed));
	verdict_add(verdict, "sync %s", facts->sync);
	if (!strcmp(facts->sync, "none"))
		verdict_add(verdict, sums->missing ? ", which promises no more"
						   : ", which does not promise so much");
	if (verdict->good)
		add_order(proof, sums, verdict);
	verdict_add(verdict, " (seed %" PRId64 ")", facts->seed);
}

void proof_conclude(const struct proof *proof, struct verdict *verdict)
{
	const struct sums sums = sum_up(proof);
	verdict->good = !proof->fault.message && proof->lines > 0;
	fault_add(proof, verdict);
	if (proof->expected)
		conclude_standalone(proof, verdict);
	else if (proof->job->crash_test)
		conclude_crash_test(proof, &sums, verdict);
	else
		conclude_run(proof, &sums, verdict);
	verdict_add(verdict, "%s", proof->log.remark);
}
