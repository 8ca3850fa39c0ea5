/* SPDX-License-Identifier: MIT */
#include "verify/ping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/workload/workload.h"
#include "verify/ping_logs.h"

struct proof {
	struct ping_server server;
	struct ping_client client; /* the one that is looked at */
	size_t number;		   /* of it, from 1 */
	struct buffer clients;	   /* uint64_t, those that were looked at, as the server counts */
	struct buffer unserved;	   /* uint64_t, requests that the server has no answer to */
	uint64_t requests, answered, late;
	uint64_t lost; /* what the server answered and no client got */
};

static enum ping_reading out_of_memory(struct error *error)
{
	error_set(error, "cannot verify: out of memory");
	return PING_UNREADABLE;
}

/* The server's record of a connection; NULL: there is none. */
static const struct ping_joined *joined_as(const struct proof *proof)
{
	const struct ping_client *client = &proof->client;
	const struct ping_joined *joined = PING_ENTRIES(proof->server.joined, struct ping_joined);
	for (size_t i = 0; i < PING_COUNT(proof->server.joined, struct ping_joined); i++)
		if (client->client ? joined[i].client == client->client
				   : !strcmp(joined[i].name, client->name))
			return &joined[i];
	return NULL;
}

/* The messages from the connecting on, up to the last one that came. A connection carries
 * everything in order, so that none between can be missing. */
static enum ping_reading check_keepalives(struct proof *proof, size_t before, struct error *error)
{
	const struct ping_client *client = &proof->client;
	const uint64_t *sent = PING_ENTRIES(proof->server.keepalives, uint64_t);
	const uint64_t *heard = PING_ENTRIES(client->heard, uint64_t);
	size_t count = PING_COUNT(proof->server.keepalives, uint64_t), at = 0;
	size_t heards = PING_COUNT(client->heard, uint64_t);
	for (size_t i = 0; i < count && sent[i] <= client->message; i++) {
		bool there = at < heards && heard[at] == sent[i];
		at += there;
		/* that the connection was made may be recorded behind the first one it got */
		if (there || (!at && i < before))
			continue;
		error_set(error, "client %zu did not get [%" PRIu64 "] keepalive", proof->number,
			  sent[i]);
		return PING_FAULT;
	}
	if (at == heards)
		return PING_READ;
	error_set(error, "client %zu got [%" PRIu64 "] keepalive, which the server never sent",
		  proof->number, heard[at]);
	return PING_FAULT;
}

static int compare_served(const void *left, const void *right)
{
	const struct ping_served *one = left, *other = right;
	if (one->client != other->client)
		return one->client < other->client ? -1 : 1;
	return one->request < other->request ? -1 : one->request > other->request;
}

static const struct ping_served *find_served(const struct proof *proof, uint64_t request)
{
	const struct ping_served wanted = {.client = proof->client.client, .request = request};
	size_t count = PING_COUNT(proof->server.served, struct ping_served);
	return count ? bsearch(&wanted, proof->server.served.bytes, count, sizeof wanted,
			       compare_served)
		     : NULL;
}

/* One request of the client, against what the server says of it. */
static enum ping_reading check_request(struct proof *proof, uint64_t request, struct error *error)
{
	const struct ping_outcome *outcome =
		&PING_ENTRIES(proof->client.outcomes, struct ping_outcome)[request];
	const struct ping_served *served = find_served(proof, request);
	if (outcome->kind == PING_MISSING) {
		error_set(error, "client %zu has no record of what became of [%" PRIu64 "] PING",
			  proof->number, request);
		return PING_FAULT;
	}
	proof->requests++;
	if (outcome->kind == PING_TIMED_OUT) {
		proof->lost += served != NULL;
		return served || buffer_append(&proof->unserved, &request, sizeof request)
			       ? PING_READ
			       : out_of_memory(error);
	}
	if (!served || served->message != outcome->message) {
		error_set(error,
			  "client %zu got message %" PRIu64 " for [%" PRIu64
			  "] PING, which the server did not send it",
			  proof->number, outcome->message, request);
		return PING_FAULT;
	}
	proof->answered++;
	proof->late += outcome->kind == PING_WAS_LATE;
	return PING_READ;
}

static enum ping_reading check_client(struct proof *proof, struct error *error)
{
	const struct ping_joined *joined = joined_as(proof);
	const uint64_t *others = PING_ENTRIES(proof->clients, uint64_t);
	if (!joined) {
		error_set(error, "the server has no record of client %zu", proof->number);
		return PING_FAULT;
	}
	proof->client.client = joined->client;
	for (size_t i = 0; i < PING_COUNT(proof->clients, uint64_t); i++)
		if (others[i] == joined->client) {
			error_set(error, "clients %zu and %zu are both the server's %" PRIu64,
				  i + 1, proof->number, joined->client);
			return PING_FAULT;
		}
	if (!buffer_append(&proof->clients, &joined->client, sizeof joined->client))
		return out_of_memory(error);
	enum ping_reading result = check_keepalives(proof, joined->keepalives, error);
	size_t count = PING_COUNT(proof->client.outcomes, struct ping_outcome);
	for (uint64_t request = 0; !result && request < count; request++)
		result = check_request(proof, request, error);
	return result;
}

static enum ping_reading check_clients(struct proof *proof, size_t count, struct error *error)
{
	enum ping_reading result = PING_READ;
	for (proof->number = 1; !result && proof->number <= count; proof->number++) {
		char name[WORKLOAD_LOG_NAME_SIZE];
		workload_log_name(name, (int64_t)proof->number);
		proof->client = (struct ping_client){0};
		result = ping_client_read(&proof->client, name, error);
		if (!result)
			result = check_client(proof, error);
		ping_client_free(&proof->client);
	}
	return result;
}

static int compare_numbers(const void *left, const void *right)
{
	uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;
	return one < other ? -1 : one > other;
}

/* The server's records say of a request that is ignored only its number: of each number as many
 * must have been ignored as were left without an answer. What is more never arrived. */
static enum ping_reading check_ignored(struct proof *proof, struct error *error)
{
	uint64_t *unserved = PING_ENTRIES(proof->unserved, uint64_t);
	const uint64_t *ignored = PING_ENTRIES(proof->server.ignored, uint64_t);
	size_t count = PING_COUNT(proof->unserved, uint64_t), at = 0;
	size_t ignoreds = PING_COUNT(proof->server.ignored, uint64_t);
	if (count)
		qsort(unserved, count, sizeof *unserved, compare_numbers);
	for (size_t i = 0; i < ignoreds; i++, at++) {
		while (at < count && unserved[at] < ignored[i])
			at++, proof->lost++;
		if (at < count && unserved[at] == ignored[i])
			continue;
		error_set(error, "[%" PRIu64 "] PING was ignored, and no client has its time-out",
			  ignored[i]);
		return PING_FAULT;
	}
	proof->lost += count - at;
	return PING_READ;
}

/* The server may have answered nothing that no client has sent. */
static enum ping_reading check_answered(const struct proof *proof, struct error *error)
{
	uint64_t lost_answers = PING_COUNT(proof->server.served, struct ping_served);
	uint64_t known = proof->requests - PING_COUNT(proof->unserved, uint64_t);
	if (lost_answers == known)
		return PING_READ;
	error_set(error,
		  "the server has answered %" PRIu64 " requests, of which clients know %" PRIu64,
		  lost_answers, known);
	return PING_FAULT;
}

static void conclude(const struct proof *proof, struct verdict *verdict)
{
	uint64_t ignored = PING_COUNT(proof->server.ignored, uint64_t);
	verdict->complete = true;
	verdict->good = proof->requests && !proof->lost;
	(void)snprintf(
		verdict->message, sizeof verdict->message,
		"%s%" PRIu64 " requests, %" PRIu64 " answered, %" PRIu64 " of them late; %" PRIu64
		" ignored on purpose, each with its time-out; %" PRIu64
		" really lost; %zu keepalives; M 1 to %" PRIu64 " without gaps over all logs",
		proof->lost	   ? "REQUESTS WERE LOST: "
		: !proof->requests ? "NOTHING WAS SENT: "
				   : "",
		proof->requests, proof->answered, proof->late, ignored, proof->lost,
		PING_COUNT(proof->server.keepalives, uint64_t), proof->server.messages);
}

int verify_ping(const struct verify_job *job, struct verdict *verdict, struct error *error)
{
	struct proof proof = {0};
	*verdict = (struct verdict){0};
	enum ping_reading result = ping_server_read(&proof.server, job->log, job->offset, error);
	if (!result)
		result = check_clients(&proof, job->clients, error);
	if (!result)
		result = check_answered(&proof, error);
	if (!result)
		result = check_ignored(&proof, error);
	if (!result)
		conclude(&proof, verdict);
	else if (result == PING_FAULT)
		(void)snprintf(verdict->message, sizeof verdict->message, "%s", error->message);
	ping_server_free(&proof.server);
	buffer_free(&proof.clients);
	buffer_free(&proof.unserved);
	return result == PING_UNREADABLE ? -1 : 0;
}
