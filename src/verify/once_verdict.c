/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/plural.h"
#include "verify/once.h"

enum { NAMED_MAX = 8 }; /* senders */

/* The first senders, each with its numbers. */
static void add_senders(const struct once_proof *proof, struct verdict *verdict)
{
	const char *comma = ": ";
	size_t named = 0;
	for (const struct numbered *at = proof->first; at && named < NAMED_MAX; at = at->next)
		if (at->lines) {
			verdict_add(verdict, "%s%.*s: %" PRIu64 " to %" PRIu64, comma,
				    (int)(at->name.length > 40 ? 40 : at->name.length),
				    at->name.bytes, at->first, at->last);
			comma = ", ";
			named++;
		}
	if (proof->senders > named)
		verdict_add(verdict, ", and %" PRIu64 " more sender%s", proof->senders - named,
			    PLURAL(proof->senders - named));
	verdict_add(verdict, proof->faults ? "" : ", each once");
}

static void begin_verdict(struct once_proof *proof, struct verdict *verdict)
{
	for (const struct numbered *at = proof->first; at; at = at->next)
		proof->senders += at->lines > 0;
	*verdict = (struct verdict){.good = !proof->faults && proof->lines};
	verdict_add(verdict, "%s", proof->message);
	if (proof->faults > ONCE_FAULTS_MAX)
		verdict_add(verdict, "and %zu more; ", proof->faults - ONCE_FAULTS_MAX);
}

void once_conclude_check(struct once_proof *proof, size_t count, struct verdict *verdict)
{
	begin_verdict(proof, verdict);
	verdict->complete = verdict->good;
	verdict_add(verdict, "%" PRIu64 " line%s of %" PRIu64 " sender%s in ", proof->lines,
		    PLURAL(proof->lines), proof->senders, PLURAL(proof->senders));
	if (count == 1)
		verdict_add(verdict, "%s", proof->title);
	else
		verdict_add(verdict, "%zu files", count);
	if (proof->lines)
		add_senders(proof, verdict);
	else
		verdict_add(verdict, ": nothing is proved");
	verdict_add(verdict, "%s", proof->remark);
}

void once_conclude_run(struct once_proof *proof, struct verdict *verdict)
{
	const struct verify_job *job = proof->job;
	const struct crash_test_facts *facts = job->crash_test;
	uint64_t sent = 0, acknowledged = 0, planned = 0;
	begin_verdict(proof, verdict);
	verdict->complete = true;
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *result = &job->client_results[i];
		verdict->complete &= result->complete;
		sent += (uint64_t)result->total.sent;
		planned += result->open ? 0 : (uint64_t)result->planned;
		for (size_t j = 0; j < result->sender_count; j++)
			acknowledged += result->senders[j].last;
	}
	if (facts && !*proof->remark && proof->starts < facts->starts) {
		verdict->good = false;
		verdict_add(verdict, "the server has noted %" PRId64 " of its %" PRId64 " starts; ",
			    proof->starts, facts->starts);
	}
	if (facts)
		verdict_add(verdict,
			    "drill: %" PRId64 " kill%s, and %" PRId64 " of clients, %" PRIu64
			    " line%s acknowledged",
			    facts->kills, PLURAL(facts->kills), facts->client_kills, acknowledged,
			    PLURAL(acknowledged));
	else
		verdict_add(verdict, "%" PRIu64 " line%s sent, %" PRIu64 " acknowledged", sent,
			    PLURAL(sent), acknowledged);
	verdict->complete &= facts || acknowledged >= planned;
	verdict_add(verdict,
		    ", %" PRIu64 " of %" PRIu64 " sender%s in %s, %" PRIu64 " missing, %" PRIu64
		    " logged again",
		    proof->lines, proof->senders, PLURAL(proof->senders), proof->title,
		    proof->missing, proof->repeated);
	if (facts)
		verdict_add(verdict, "; %" PRIu64 " torn, %" PRId64 " torn end%s closed; sync %s",
			    proof->damaged, proof->closed, PLURAL(proof->closed), facts->sync);
	if (verdict->good)
		verdict_add(verdict, ", every sender in its own order, each line once");
	if (facts)
		verdict_add(verdict, " (seed %" PRId64 ")", facts->seed);
	verdict_add(verdict, "%s", proof->remark);
}
