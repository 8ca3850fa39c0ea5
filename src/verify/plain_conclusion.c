/* SPDX-License-Identifier: MIT */
#include "verify/plain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"

/* --- clients that are reported --- */

/* The place behind the last line of a client in a group, of those that it has sent, or that were
 * acknowledged to it. */
static int64_t end_of(const struct plain_proof *proof, const struct client_result *result,
		      size_t index, bool sent)
{
	int64_t end = 0;
	for (int64_t i = 0; i < result->threads; i++) {
		int64_t count =
			sent ? result->per_thread[i].sent : result->per_thread[i].acknowledged;
		if (proof->by_thread && (size_t)i != index)
			continue;
		int64_t place = !count ? 0
				: proof->by_thread || proof->job->echoes
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
static int64_t compare_ends(const struct plain_proof *proof, size_t index, bool sent, int64_t *ends)
{
	const struct verify_job *job = proof->job;
	size_t count, clients = 0;
	const int64_t *places = group_places(&proof->groups[index], &count);
	int64_t sum = 0;
	for (size_t i = 0; i < job->clients; i++)
		if (job->client_results[i].complete && (!job->echoes || i == index))
			ends[clients++] = end_of(proof, &job->client_results[i], index, sent);
	qsort(ends, clients, sizeof *ends, compare_descending);
	for (size_t i = 0; i < count; i++) {
		int64_t end = i < clients ? ends[i] : 0;
		int64_t more = sent ? places[i] - end : end - places[i];
		sum += more > 0 ? more : 0;
	}
	return sum;
}

bool plain_check_reported(struct plain_proof *proof)
{
	const struct verify_job *job = proof->job;
	int64_t resent = 0, unsent = 0, *ends = memory_calloc(job->clients + 1, sizeof *ends);
	if (!ends)
		return false;
	for (size_t i = 0; i < proof->group_count; i++) {
		proof->missing += compare_ends(proof, i, false, ends);
		unsent += compare_ends(proof, i, true, ends);
	}
	free(ends);
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *result = &job->client_results[i];
		resent += result->complete ? result->total.resent : 0;
		if (!result->complete && !result->absent && !plain_has_fault(proof))
			verdict_add(&proof->fault,
				    "client %zu: no complete result: what was acknowledged "
				    "is unknown",
				    i + 1);
	}
	if (!plain_has_fault(proof) && proof->missing)
		verdict_add(&proof->fault, "acknowledged lines are missing in %.200s: %" PRId64,
			    proof->log.name, proof->missing);
	if (!plain_has_fault(proof) && unsent)
		verdict_add(&proof->fault, "%" PRId64 " line%s in %.200s %s never sent", unsent,
			    verdict_plural(unsent), proof->log.name, unsent == 1 ? "was" : "were");
	if (!plain_has_fault(proof) && proof->repeated > resent)
		verdict_add(&proof->fault, "more lines are there twice than were sent again");
	return true;
}

/* --- clients that are inferred --- */

void plain_check_inferred(struct plain_proof *proof)
{
	const struct verify_expectation *expected = proof->expected;
	size_t count;
	const int64_t *places = group_places(&proof->groups[0], &count);
	int64_t threads = proof->threads ? proof->threads : count ? places[0] : 0;
	for (size_t i = 0; i < count && !plain_has_fault(proof); i++) {
		int64_t all = expected->iterations * threads;
		if (all ? places[i] != all : places[i] % threads)
			verdict_add(&proof->fault,
				    "a client has %" PRId64 " line%s in %.200s, with %" PRId64
				    " thread%s",
				    places[i], verdict_plural(places[i]), proof->log.name, threads,
				    verdict_plural(threads));
	}
	if (!plain_has_fault(proof) && expected->clients && (int64_t)count != expected->clients)
		verdict_add(&proof->fault, "%zu client%s instead of %" PRId64, count,
			    verdict_plural((int64_t)count), expected->clients);
}

/* --- conclusions --- */

static void add_order(const struct plain_proof *proof, size_t clients, struct verdict *verdict)
{
	if (proof->job->echoes)
		verdict_add(verdict, "every client in its own order; plain: answers are not in it");
	else
		verdict_add(verdict,
			    "in an order that %zu client%s can have sent%s; plain: answers, and "
			    "who sent a line, are not in it",
			    clients, verdict_plural((int64_t)clients),
			    proof->by_thread ? ", thread by thread" : "");
	if (proof->repeated && !proof->job->echoes && clients > 1)
		verdict_add(verdict,
			    "; a line that is there again may stand for another client's that is "
			    "missing");
}

static void add_crash_test(const struct plain_proof *proof, int64_t acknowledged, int64_t resent,
			   struct verdict *verdict)
{
	const struct crash_test_facts *facts = proof->job->crash_test;
	verdict_add(verdict,
		    "drill: %" PRId64 " kill%s, %" PRId64 " line%s acknowledged, %" PRId64
		    " missing in %.200s; %" PRId64 " sent again after a lost connection, %" PRId64
		    " of them logged again; %" PRId64 " torn end%s closed; sync %s",
		    facts->kills, verdict_plural(facts->kills), acknowledged,
		    verdict_plural(acknowledged), proof->missing, proof->log.name, resent,
		    proof->repeated, proof->log.closed, verdict_plural(proof->log.closed),
		    facts->sync);
}

static void conclude_run(const struct plain_proof *proof, struct verdict *verdict)
{
	const struct verify_job *job = proof->job;
	int64_t planned = 0, sent = 0, acknowledged = 0, resent = 0;
	verdict->complete = true;
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *result = &job->client_results[i];
		verdict->complete &= result->complete;
		planned += result->complete ? result->planned : 0;
		sent += result->complete ? result->total.sent : 0;
		acknowledged += result->complete ? result->total.acknowledged : 0;
		resent += result->complete ? result->total.resent : 0;
	}
	verdict->complete &= job->crash_test || acknowledged == planned;
	if (job->crash_test) {
		add_crash_test(proof, acknowledged, resent, verdict);
	} else {
		verdict_add(verdict, "%" PRId64, sent);
		if (sent != planned)
			verdict_add(verdict, " of %" PRId64, planned);
		verdict_add(verdict, " line%s sent, %" PRId64 " %s, %" PRId64 " in %.200s",
			    verdict_plural(planned), acknowledged,
			    job->echoes ? "echoed" : "acknowledged", proof->lines - proof->repeated,
			    proof->log.name);
	}
	if (proof->repeated && !job->crash_test)
		verdict_add(verdict,
			    ", %" PRId64 " of them twice, sent again after a lost connection",
			    proof->repeated);
	if (verdict->good) {
		verdict_add(verdict, ", ");
		add_order(proof, job->clients, verdict);
	} else if (!plain_has_fault(proof)) {
		verdict_add(verdict, ": nothing is proved");
	}
	if (job->crash_test)
		verdict_add(verdict, " (seed %" PRId64 ")", job->crash_test->seed);
}

static void conclude_check(const struct plain_proof *proof, struct verdict *verdict)
{
	size_t clients;
	(void)group_places(&proof->groups[0], &clients);
	verdict->complete = verdict->good;
	if (!proof->lines && !plain_has_fault(proof)) {
		verdict_add(verdict, "no line of a client in %.200s: nothing is proved",
			    proof->log.name);
		return;
	}
	verdict_add(verdict, "%" PRId64 " line%s in %.200s", proof->lines,
		    verdict_plural(proof->lines), proof->log.name);
	if (verdict->good) {
		verdict_add(verdict, ", ");
		add_order(proof, clients, verdict);
	}
}

void plain_conclude(const struct plain_proof *proof, struct verdict *verdict)
{
	verdict->good = !plain_has_fault(proof) && proof->lines;
	if (plain_has_fault(proof))
		verdict_add(verdict, "%s; ", proof->fault.message);
	if (proof->expected)
		conclude_check(proof, verdict);
	else
		conclude_run(proof, verdict);
	if (proof->others)
		verdict_add(verdict, " (and %" PRId64 " other line%s)", proof->others,
			    verdict_plural(proof->others));
}
