/* SPDX-License-Identifier: MIT */
#include "verify/relay_chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/plural.h"
#include "record/log_reader.h"

/* The comparison of the logs of two stages that follow each other. */
struct hop {
	const struct verify_chain *chain;
	size_t to;			 /* the later stage */
	int64_t lines;			 /* received by the earlier one */
	int64_t arrived;		 /* received by the later one, with those that came again */
	int64_t due;			 /* the number that comes next for the first time */
	bool pending;			 /* there is no fault but that lines are still to arrive */
	char fault[400];		 /* the first; empty: none */
	char remarks[2][LOG_TITLE_SIZE]; /* on what is not in the log of the earlier, and the later
					    one */
};

/* Takes YYYY-MM-DD HH:MM:SS.ffffff and the bar behind it. */
static bool skip_time(struct slice *line)
{
	enum { TIME = 26 };
	if (line->length < TIME)
		return false;
	slice_drop(line, TIME);
	return slice_skip(line, " | ");
}

/* Takes NUMBER | RECEIVED | DONE | off a forwarded line. Returns the number; 0: it has none. */
static int64_t take_number(struct slice *line)
{
	uint64_t number;
	if (!slice_number(line, &number) || number > INT64_MAX || !slice_skip(line, " | ") ||
	    !skip_time(line) || !skip_time(line))
		return 0;
	return (int64_t)number;
}

/* Goes on to the next line that was received. 1; 0: there is none; -1 with the error set. */
static int next_received(struct log_reader *log, struct error *error)
{
	enum log_line kind;
	do
		kind = log_reader_next_record(log, error);
	while (kind == LOG_RECORD && log->record.event != RECORD_RECEIVED);
	return kind == LOG_UNREADABLE ? -1 : kind == LOG_RECORD;
}

/* Keeps the first fault. */
static void set_fault(struct hop *hop, const struct log_reader *to, const char *what)
{
	const char *name;
	int64_t line = log_reader_line(to, to->number, &name);
	if (!*hop->fault)
		(void)snprintf(hop->fault, sizeof hop->fault,
			       "%.200s, line %" PRId64 ": %s line %" PRId64 " of %s", name, line,
			       what, hop->due, hop->chain->names[hop->to - 1]);
}

/* Takes a line that has arrived. `from` goes on with each that comes for the first time. -1: the
 * error is set. */
static int take_arrived(struct hop *hop, struct log_reader *from, const struct log_reader *to,
			struct error *error)
{
	struct slice line = to->record.bytes;
	int64_t number = take_number(&line);
	hop->arrived++;
	if (number && number < hop->due)
		return 0; /* it came again */
	if (number != hop->due) {
		set_fault(hop, to,
			  number ? "out of order or missing before it:" : "not a forwarded line:");
		return 0;
	}
	int found = next_received(from, error);
	if (found < 0)
		return -1;
	bool worked = hop->chain->worked && hop->to == 2;
	if (!found)
		set_fault(hop, to, "it was never received:");
	else if (!worked && !slice_same(from->record.bytes, line))
		set_fault(hop, to, "it is not as it was received:");
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
	hop->pending = !*hop->fault;
	while ((more = next_received(from, error)) > 0) {
		hop->lines++;
		if (!*hop->fault)
			(void)snprintf(hop->fault, sizeof hop->fault,
				       "line %" PRId64 " of %s is missing in %s", hop->lines,
				       hop->chain->names[hop->to - 1], to->title);
	}
	return more;
}

/* Compares the log of a stage with that of the stage before it. -1: the error is set. */
static int take_hop(struct hop *hop, struct error *error)
{
	const struct verify_chain *chain = hop->chain;
	struct log_reader from, to;
	if (log_reader_open_all(&from, chain->logs[hop->to - 1], NULL, false, error) < 0)
		return -1;
	int result = log_reader_open_all(&to, chain->logs[hop->to], NULL, false, error);
	if (result == 0) {
		result = compare(hop, &from, &to, error);
		(void)snprintf(hop->remarks[0], sizeof *hop->remarks, "%s", from.remark);
		(void)snprintf(hop->remarks[1], sizeof *hop->remarks, "%s", to.remark);
		log_reader_close(&to);
	}
	log_reader_close(&from);
	return result;
}

static void conclude(const struct verify_chain *chain, const struct hop *first,
		     const struct hop *second, struct verdict *verdict)
{
	int64_t received = first->lines;
	const char *fault = *first->fault ? first->fault : second->fault;
	if (*fault) {
		verdict->pending = first->pending && second->pending;
		verdict_add(verdict, "%s; %" PRId64 " line%s received, %" PRId64 " saved", fault,
			    received, PLURAL(received), second->arrived);
		return;
	}
	verdict->good = true;
	verdict->complete =
		received == chain->planned || (chain->appended && received > chain->planned);
	/* a line that the last stage has twice came again at one of the two hops */
	verdict_add(verdict,
		    "%" PRId64 " line%s received, %" PRId64
		    " saved in the order of their arrival, %" PRId64 " twice",
		    received, PLURAL(received), received, second->arrived - received);
	if (!verdict->complete)
		verdict_add(verdict, "; %" PRId64 " were planned", chain->planned);
}

int verify_chain(const struct verify_chain *chain, struct verdict *verdict, struct error *error)
{
	struct hop first = {.chain = chain, .to = 1, .due = 1},
		   second = {.chain = chain, .to = 2, .due = 1};
	*verdict = (struct verdict){0};
	if (take_hop(&first, error) < 0 || take_hop(&second, error) < 0)
		return -1;
	conclude(chain, &first, &second, verdict);
	verdict_add(verdict, "%s%s%s", first.remarks[0], first.remarks[1], second.remarks[1]);
	return 0;
}
