/* SPDX-License-Identifier: MIT */
#include "verify/relay_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "record/log_reader.h"

/* A forwarded line taken apart: ID | RECEIVED | DONE | LINE. */
struct forwarded {
	int64_t number;
	const char *line;
	size_t length;
};

/* What comparing the logs of two stages that follow each other has shown. */
struct hop {
	const struct verify_chain *chain;
	size_t to;	 /* the later stage */
	int64_t lines;	 /* received by the earlier one */
	int64_t arrived; /* received by the later one, those that came again as well */
	int64_t due;	 /* the number that comes next for the first time */
	bool good;
	char fault[400]; /* where it is not */
};

static bool skip_field(const char **at, const char *end, size_t length)
{
	static const char bar[] = " | ";
	if ((size_t)(end - *at) < length + 3 || memcmp(*at + length, bar, 3) != 0)
		return false;
	*at += length + 3;
	return true;
}

/* False: it is no forwarded line. */
static bool read_forwarded(const struct record_view *record, struct forwarded *forwarded)
{
	enum { TIME = 26 }; /* YYYY-MM-DD HH:MM:SS.ffffff */
	const char *at = record->bytes, *end = at + record->length;
	const char *blank = memchr(at, ' ', record->length);
	char digits[24];
	if (!blank || (size_t)(blank - at) >= sizeof digits)
		return false;
	memcpy(digits, at, (size_t)(blank - at));
	digits[blank - at] = '\0';
	if (number_parse(digits, 1, INT64_MAX, &forwarded->number) < 0 ||
	    !skip_field(&at, end, (size_t)(blank - at)) || !skip_field(&at, end, TIME) ||
	    !skip_field(&at, end, TIME))
		return false;
	forwarded->line = at;
	forwarded->length = (size_t)(end - at);
	return true;
}

/* Goes on to the next line that was received. 1; 0: there is none; -1 with the failure set. */
static int next_received(struct log_reader *log, struct error *error)
{
	enum verify_line kind;
	while ((kind = log_reader_next(log, error)) != VERIFY_END) {
		if (kind == VERIFY_BROKEN)
			return -1;
		if (kind == VERIFY_RECORD && log->record.event == RECORD_RECEIVED)
			return 1;
	}
	return 0;
}

static void find_fault(struct hop *hop, const struct log_reader *log, const char *what,
		       int64_t number)
{
	if (!hop->good)
		return; /* the first one is told */
	hop->good = false;
	(void)snprintf(hop->fault, sizeof hop->fault,
		       "%.200s, line %" PRId64 ": %s line %" PRId64 " of %s", log->name,
		       log->number, what, number, hop->chain->names[hop->to - 1]);
}

static bool same_line(const struct log_reader *from, const struct forwarded *forwarded)
{
	return from->record.length == forwarded->length &&
	       !memcmp(from->record.bytes, forwarded->line, forwarded->length);
}

/* Takes one line that has arrived; `from` goes on with each that comes for the first time. -1: the
 * failure is set. */
static int take_arrived(struct hop *hop, struct log_reader *from, const struct log_reader *to,
			struct error *error)
{
	struct forwarded forwarded;
	hop->arrived++;
	if (!read_forwarded(&to->record, &forwarded)) {
		find_fault(hop, to, "not a forwarded line, where there should be", hop->due);
		return 0;
	}
	if (forwarded.number < hop->due)
		return 0; /* once more */
	if (forwarded.number > hop->due) {
		find_fault(hop, to, "out of order or missing before it:", hop->due);
		return 0;
	}
	int found = next_received(from, error);
	if (found < 0)
		return -1;
	bool worked = hop->chain->worked && hop->to == 2;
	if (!found)
		find_fault(hop, to, "it was never received:", hop->due);
	else if (!worked && !same_line(from, &forwarded))
		find_fault(hop, to, "it is not as it was received:", hop->due);
	hop->lines += found;
	hop->due++;
	return 0;
}

static int compare(struct hop *hop, struct log_reader *from, struct log_reader *to,
		   struct error *error)
{
	int more;
	while ((more = next_received(to, error)) > 0)
		if (take_arrived(hop, from, to, error) < 0)
			return -1;
	if (more < 0)
		return -1;
	while ((more = next_received(from, error)) > 0) {
		hop->lines++;
		if (!hop->good)
			continue;
		hop->good = false;
		(void)snprintf(hop->fault, sizeof hop->fault,
			       "line %" PRId64 " of %s is missing in %.200s", hop->lines,
			       hop->chain->names[hop->to - 1], to->name);
	}
	return more;
}

/* Compares the logs of the stages before `to` and `to`. -1: the failure is set. */
static int take_hop(struct hop *hop, struct error *error)
{
	const struct verify_chain *chain = hop->chain;
	struct log_reader from, to;
	hop->good = true;
	hop->due = 1;
	if (log_reader_open(&from, chain->logs[hop->to - 1], 0, error) < 0)
		return -1;
	int result = log_reader_open(&to, chain->logs[hop->to], 0, error);
	if (result == 0) {
		result = compare(hop, &from, &to, error);
		log_reader_close(&to);
	}
	log_reader_close(&from);
	return result;
}

int verify_chain(const struct verify_chain *chain, struct verdict *verdict, struct error *error)
{
	struct hop hops[] = {{.chain = chain, .to = 1}, {.chain = chain, .to = 2}};
	*verdict = (struct verdict){0};
	for (size_t i = 0; i < 2; i++)
		if (take_hop(&hops[i], error) < 0)
			return -1;
	int64_t received = hops[0].lines;
	const struct hop *bad = !hops[0].good ? &hops[0] : !hops[1].good ? &hops[1] : NULL;
	if (bad) {
		(void)snprintf(verdict->words, sizeof verdict->words,
			       "FAILED: %s; %" PRId64 " lines received, %" PRId64 " saved",
			       bad->fault, received, hops[1].arrived);
		return 0;
	}
	verdict->good = true;
	verdict->complete =
		received == chain->planned || (chain->appended && received > chain->planned);
	/* what the last stage has twice came again on one of the two ways */
	int64_t twice = hops[1].arrived - received;
	(void)snprintf(verdict->words, sizeof verdict->words,
		       "%" PRId64 " lines received, %" PRId64
		       " saved in the order of their arrival, %" PRId64 " twice",
		       received, received, twice);
	if (!verdict->complete) {
		size_t length = strlen(verdict->words);
		(void)snprintf(verdict->words + length, sizeof verdict->words - length,
			       "; %" PRId64 " were to be sent", chain->planned);
	}
	return 0;
}
