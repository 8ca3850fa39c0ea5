/* SPDX-License-Identifier: MIT */
#include "verify/run.h"

#include <inttypes.h>
#include <string.h>

#include "base/plural.h"
#include "client/workload/workload.h"
#include "verify/ping_logs.h"

/* The checks return false if there is a fault, which the verdict has, or without one if memory is
 * out. */
struct ping_proof {
	struct verdict *verdict;
	struct ping_server server;
	struct ping_client client; /* the current one */
	size_t number;		   /* of it, from 1 */
	struct buffer unserved;	   /* numbers of requests that the server did not answer */
	uint64_t requests, answered, late;
	uint64_t lost; /* requests and answers */
};

/* The server's note on the connection of the current client; NULL: there is none. */
static struct ping_joined *find_joined(const struct ping_proof *proof)
{
	const struct ping_client *client = &proof->client;
	struct ping_joined *joined = (void *)proof->server.joined.bytes;
	for (size_t i = 0; i < proof->server.joined.length / sizeof *joined; i++)
		if (client->client ? joined[i].client == client->client
				   : !strcmp(joined[i].name, client->name))
			return &joined[i];
	return NULL;
}

/* Checks the keepalives from the connection on up to the last message that came. A connection
 * carries everything in order: none between can be missing. `before` were sent before the note on
 * the connection, which may stand behind the first one that came. */
static bool check_keepalives(const struct ping_proof *proof, size_t before)
{
	struct numbers sent = numbers_of(&proof->server.keepalives);
	struct numbers got = numbers_of(&proof->client.keepalives);
	size_t next = 0;
	for (size_t i = 0; i < sent.count && sent.at[i] <= proof->client.message; i++) {
		if (next < got.count && got.at[next] == sent.at[i])
			next++;
		else if (next || i >= before)
			return verdict_add(proof->verdict,
					   "client %zu did not get [%" PRIu64 "] keepalive",
					   proof->number, sent.at[i]);
	}
	return next == got.count ||
	       verdict_add(proof->verdict,
			   "client %zu got [%" PRIu64 "] keepalive, which the server never sent",
			   proof->number, got.at[next]);
}

/* Compares the outcome of a request with the server's log. */
static bool check_request(struct ping_proof *proof, uint64_t request,
			  const struct ping_outcome *outcome)
{
	const struct ping_served *served =
		ping_server_find(&proof->server, proof->client.client, request);
	if (outcome->kind == PING_MISSING)
		return verdict_add(proof->verdict,
				   "client %zu has no result for [%" PRIu64 "] PING", proof->number,
				   request);
	proof->requests++;
	if (outcome->kind == PING_TIMED_OUT) {
		proof->lost += served != NULL;
		return served || numbers_add(&proof->unserved, request);
	}
	if (!served || served->message != outcome->message)
		return verdict_add(proof->verdict,
				   "client %zu got message %" PRIu64 " for [%" PRIu64
				   "] PING, which the server did not send it",
				   proof->number, outcome->message, request);
	proof->answered++;
	proof->late += outcome->kind == PING_WAS_LATE;
	return true;
}

static bool check_client(struct ping_proof *proof)
{
	struct ping_joined *joined = find_joined(proof);
	const struct ping_outcome *outcomes = (const void *)proof->client.outcomes.bytes;
	if (!joined)
		return verdict_add(
			proof->verdict,
			proof->server.joined.length
				? "client %zu: " VERDICT_NO_ADDRESS
				: "client %zu: its connection is not in the server's log",
			proof->number);
	proof->client.client = joined->client;
	if (joined->number)
		return verdict_add(proof->verdict,
				   "clients %zu and %zu are both the server's %" PRIu64,
				   joined->number, proof->number, joined->client);
	joined->number = proof->number;
	if (!check_keepalives(proof, joined->keepalives))
		return false;
	for (size_t i = 0; i < proof->client.outcomes.length / sizeof *outcomes; i++)
		if (!check_request(proof, i, &outcomes[i]))
			return false;
	return true;
}

static bool check_clients(struct ping_proof *proof, size_t count, struct error *error)
{
	bool good = true;
	for (proof->number = 1; good && proof->number <= count; proof->number++) {
		char name[WORKLOAD_LOG_NAME_SIZE];
		workload_log_name(name, (int64_t)proof->number);
		proof->client = (struct ping_client){0};
		good = ping_client_read(&proof->client, name, proof->verdict, error) &&
		       check_client(proof);
		ping_client_free(&proof->client);
	}
	return good;
}

/* The server may not have answered what no client has sent. */
static bool check_answered(const struct ping_proof *proof)
{
	uint64_t served = proof->server.served.length / sizeof(struct ping_served);
	uint64_t known = proof->requests - numbers_of(&proof->unserved).count;
	return served == known || verdict_add(proof->verdict,
					      "the server has answered %" PRIu64
					      " request%s, of which clients know %" PRIu64,
					      served, PLURAL(served), known);
}

/* The server's record of an ignored request has only its number: of each number as many must have
 * been ignored as got no answer. The requests beyond never arrived. */
static bool check_ignored(struct ping_proof *proof)
{
	struct numbers unserved = numbers_of(&proof->unserved);
	struct numbers ignored = numbers_of(&proof->server.ignored);
	size_t next = 0;
	numbers_sort(&proof->unserved);
	for (size_t i = 0; i < ignored.count; i++, next++) {
		while (next < unserved.count && unserved.at[next] < ignored.at[i])
			next++;
		if (next == unserved.count || unserved.at[next] != ignored.at[i])
			return verdict_add(proof->verdict,
					   "[%" PRIu64
					   "] PING was ignored, and no client has its time-out",
					   ignored.at[i]);
	}
	proof->lost += unserved.count - ignored.count;
	return true;
}

static void conclude(const struct ping_proof *proof)
{
	struct verdict *verdict = proof->verdict;
	verdict->complete = true;
	verdict->good = proof->requests && !proof->lost;
	if (proof->lost)
		verdict_add(verdict, "requests were lost: ");
	else if (!proof->requests)
		verdict_add(verdict, "no request was sent: ");
	verdict_add(verdict,
		    "%" PRIu64 " request%s, %" PRIu64 " answered, %" PRIu64
		    " of them late; %zu ignored on purpose, each with its time-out; %" PRIu64
		    " really lost; %zu keepalive%s; M 1 to %" PRIu64 " without gaps over all logs",
		    proof->requests, PLURAL(proof->requests), proof->answered, proof->late,
		    numbers_of(&proof->server.ignored).count, proof->lost,
		    numbers_of(&proof->server.keepalives).count,
		    PLURAL(numbers_of(&proof->server.keepalives).count), proof->server.messages);
}

int verify_ping(const struct verify_job *job, struct verdict *verdict, struct error *error)
{
	struct ping_proof proof = {.verdict = verdict};
	*verdict = (struct verdict){0};
	error_set(error, "cannot verify: out of memory"); /* unless a log cannot be read */
	bool good = ping_server_read(&proof.server, job->log, &job->from, verdict, error) &&
		    check_clients(&proof, job->clients, error) && check_answered(&proof) &&
		    check_ignored(&proof);
	if (good)
		conclude(&proof);
	if (*verdict->message)
		verdict_add(verdict, "%s", proof.server.remark);
	ping_server_free(&proof.server);
	buffer_free(&proof.unserved);
	return *verdict->message ? 0 : -1;
}
