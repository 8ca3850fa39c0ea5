/* SPDX-License-Identifier: MIT */
#include "client/ping/request_table.h"

#include <inttypes.h>

#include "base/clock.h"
#include "measure/report_text.h"

enum { REQUEST_UNUSED_MOST = 1024 }; /* entries in front of the oldest, before they are dropped */

enum { STATE_UNANSWERED, STATE_ANSWERED, STATE_TIMED_OUT, STATE_LATE };

void request_table_free(struct request_table *pings)
{
	buffer_free(&pings->states);
	buffer_free(&pings->pending);
}

uint64_t request_table_sent(const struct request_table *pings)
{
	return pings->states.length;
}

/* The memory of a text is aligned for anything, and entries are appended whole. */
static struct ping_request *entries(const struct request_table *pings)
{
	return (struct ping_request *)(void *)pings->pending.bytes;
}

static size_t count(const struct request_table *pings)
{
	return pings->pending.length / sizeof(struct ping_request);
}

bool request_table_add(struct request_table *pings, int64_t now, const struct stamp *stamp)
{
	static const char state = STATE_UNANSWERED;
	const struct ping_request request = {.sent = now, .stamp = *stamp};
	if (!buffer_reserve(&pings->states, 1) ||
	    !buffer_append(&pings->pending, &request, sizeof request))
		return false;
	return buffer_append(&pings->states, &state, 1); /* there is room */
}

/* Steps over those in front that need not be waited for. Called first: what was given out before
 * stays valid until then. */
static void drop_done(struct request_table *pings)
{
	while (pings->first < count(pings) &&
	       pings->states.bytes[pings->oldest] != STATE_UNANSWERED) {
		pings->first++;
		pings->oldest++;
	}
	if (pings->first < count(pings) && pings->first < REQUEST_UNUSED_MOST)
		return;
	buffer_drop(&pings->pending, pings->first * sizeof(struct ping_request));
	pings->first = 0;
}

/* The client's number never changes, and the messages' only grows. */
static bool is_in_order(struct request_table *pings, const struct ping_message *line,
			struct error *error)
{
	if (line->message <= pings->message) {
		error_set(error, "message %" PRIu64 " came after message %" PRIu64, line->message,
			  pings->message);
		return false;
	}
	pings->message = line->message;
	if (line->kind == PING_KEEPALIVE)
		return true;
	if (!line->client || (pings->client && line->client != pings->client)) {
		error_set(error, "message %" PRIu64 " is for client %" PRIu64 ", not %" PRIu64,
			  line->message, line->client, pings->client);
		return false;
	}
	pings->client = line->client;
	return true;
}

static enum request_result take_answer(struct request_table *pings, const struct ping_message *line,
				       int64_t now, const struct ping_request **request,
				       struct error *error)
{
	bool sent = line->request < request_table_sent(pings);
	char *state = sent ? &pings->states.bytes[line->request] : NULL;
	if (!sent || *state == STATE_ANSWERED || *state == STATE_LATE) {
		error_set(error, "message %" PRIu64 " answers request %" PRIu64 ", which was %s",
			  line->message, line->request, sent ? "answered before" : "never sent");
		return REQUEST_WRONG;
	}
	if (*state == STATE_TIMED_OUT) {
		*state = STATE_LATE;
		pings->late++;
		return REQUEST_LATE;
	}
	*state = STATE_ANSWERED;
	pings->answered++;
	*request = &entries(pings)[pings->first + (size_t)(line->request - pings->oldest)];
	histogram_record(&pings->latency, now - (*request)->sent);
	return REQUEST_ANSWERED;
}

enum request_result request_table_take(struct request_table *pings, const struct ping_message *line,
				       int64_t now, const struct ping_request **request,
				       struct error *error)
{
	drop_done(pings);
	if (line->kind == PING_REQUEST) {
		error_set(error, "the server sent a request");
		return REQUEST_WRONG;
	}
	if (!is_in_order(pings, line, error))
		return REQUEST_WRONG;
	if (line->kind == PING_ANSWER)
		return take_answer(pings, line, now, request, error);
	pings->keepalives++;
	return REQUEST_KEEPALIVE;
}

bool request_table_expire(struct request_table *pings, int64_t now, uint64_t *number,
			  const struct ping_request **request)
{
	drop_done(pings);
	if (request_table_deadline(pings) > now)
		return false;
	*number = pings->oldest;
	*request = &entries(pings)[pings->first];
	pings->states.bytes[pings->oldest] = STATE_TIMED_OUT;
	pings->timed_out++;
	return true;
}

int64_t request_table_deadline(const struct request_table *pings)
{
	uint64_t oldest = pings->oldest;
	size_t at = pings->first;
	/* those that were answered or given up since are still there */
	while (at < count(pings) && pings->states.bytes[oldest] != STATE_UNANSWERED) {
		at++;
		oldest++;
	}
	return at < count(pings) ? entries(pings)[at].sent + pings->timeout : CLOCK_NEVER;
}

bool request_table_report(struct buffer *text, const char *name, const struct request_table *pings,
			  int64_t elapsed, int64_t seed)
{
	return buffer_printf(text,
			     "%s: %" PRIu64 " requests, %" PRIu64 " answered in time, %" PRIu64
			     " timed out, %" PRIu64 " of these answered late; %" PRIu64
			     " keepalives; %.3f s, seed %" PRId64 "\n",
			     name, request_table_sent(pings), pings->answered, pings->timed_out,
			     pings->late, pings->keepalives, (double)elapsed / (double)CLOCK_SECOND,
			     seed) &&
	       report_latency(text, name, &pings->latency, "");
}
