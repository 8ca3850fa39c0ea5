/* SPDX-License-Identifier: MIT */
#include "client/ping/request_table.h"

#include <inttypes.h>

#include "base/clock.h"
#include "measure/report_text.h"

enum { PINGS_UNUSED_MOST = 1024 }; /* entries in front of the oldest, before they are dropped */

enum { STATE_UNANSWERED, STATE_ANSWERED, STATE_TIMED_OUT, STATE_LATE };

void pings_free(struct pings *pings)
{
	text_free(&pings->states);
	text_free(&pings->pending);
}

uint64_t pings_sent(const struct pings *pings)
{
	return pings->states.length;
}

/* The memory of a text is aligned for anything, and entries are appended whole. */
static struct pinged *entries(const struct pings *pings)
{
	return (struct pinged *)(void *)pings->pending.bytes;
}

static size_t count(const struct pings *pings)
{
	return pings->pending.length / sizeof(struct pinged);
}

bool pings_add(struct pings *pings, int64_t now, const struct stamp *stamp)
{
	static const char state = STATE_UNANSWERED;
	const struct pinged request = {.sent = now, .stamp = *stamp};
	if (!text_reserve(&pings->states, 1) ||
	    !text_append(&pings->pending, &request, sizeof request))
		return false;
	return text_append(&pings->states, &state, 1); /* there is room */
}

/* Steps over those in front that need not be waited for. Called first: what was given out before
 * stays valid until then. */
static void drop_done(struct pings *pings)
{
	while (pings->first < count(pings) &&
	       pings->states.bytes[pings->oldest] != STATE_UNANSWERED) {
		pings->first++;
		pings->oldest++;
	}
	if (pings->first < count(pings) && pings->first < PINGS_UNUSED_MOST)
		return;
	text_drop(&pings->pending, pings->first * sizeof(struct pinged));
	pings->first = 0;
}

/* The client's number never changes, and the messages' only grows. */
static bool is_in_order(struct pings *pings, const struct ping_line *line, struct failure *failure)
{
	if (line->message <= pings->message) {
		failure_set(failure, "message %" PRIu64 " came after message %" PRIu64,
			    line->message, pings->message);
		return false;
	}
	pings->message = line->message;
	if (line->kind == PING_KEEPALIVE)
		return true;
	if (!line->client || (pings->client && line->client != pings->client)) {
		failure_set(failure, "message %" PRIu64 " is for client %" PRIu64 ", not %" PRIu64,
			    line->message, line->client, pings->client);
		return false;
	}
	pings->client = line->client;
	return true;
}

static enum pings_result take_answer(struct pings *pings, const struct ping_line *line, int64_t now,
				     const struct pinged **request, struct failure *failure)
{
	bool sent = line->request < pings_sent(pings);
	char *state = sent ? &pings->states.bytes[line->request] : NULL;
	if (!sent || *state == STATE_ANSWERED || *state == STATE_LATE) {
		failure_set(failure,
			    "message %" PRIu64 " answers request %" PRIu64 ", which was %s",
			    line->message, line->request, sent ? "answered before" : "never sent");
		return PINGS_WRONG;
	}
	if (*state == STATE_TIMED_OUT) {
		*state = STATE_LATE;
		pings->late++;
		return PINGS_LATE;
	}
	*state = STATE_ANSWERED;
	pings->answered++;
	*request = &entries(pings)[pings->first + (size_t)(line->request - pings->oldest)];
	latency_record(&pings->latency, now - (*request)->sent);
	return PINGS_ANSWERED;
}

enum pings_result pings_take(struct pings *pings, const struct ping_line *line, int64_t now,
			     const struct pinged **request, struct failure *failure)
{
	drop_done(pings);
	if (line->kind == PING_REQUEST) {
		failure_set(failure, "the server sent a request");
		return PINGS_WRONG;
	}
	if (!is_in_order(pings, line, failure))
		return PINGS_WRONG;
	if (line->kind == PING_ANSWER)
		return take_answer(pings, line, now, request, failure);
	pings->keepalives++;
	return PINGS_KEEPALIVE;
}

bool pings_expire(struct pings *pings, int64_t now, uint64_t *number, const struct pinged **request)
{
	drop_done(pings);
	if (pings_deadline(pings) > now)
		return false;
	*number = pings->oldest;
	*request = &entries(pings)[pings->first];
	pings->states.bytes[pings->oldest] = STATE_TIMED_OUT;
	pings->timed_out++;
	return true;
}

int64_t pings_deadline(const struct pings *pings)
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

bool pings_report(struct text *text, const char *name, const struct pings *pings, int64_t elapsed,
		  int64_t seed)
{
	return report_add(text,
			  "%s: %" PRIu64 " requests, %" PRIu64 " answered in time, %" PRIu64
			  " timed out, %" PRIu64 " of these answered late; %" PRIu64
			  " keepalives; %.3f s, seed %" PRId64 "\n",
			  name, pings_sent(pings), pings->answered, pings->timed_out, pings->late,
			  pings->keepalives, (double)elapsed / (double)CLOCK_SECOND, seed) &&
	       report_latency(text, name, &pings->latency, "");
}
