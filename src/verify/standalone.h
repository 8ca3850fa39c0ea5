/* SPDX-License-Identifier: MIT */
/* What verify_check.c knows while it reads a log; verify_check_words.c finds the words for it. */
#ifndef ACKLINE_VERIFY_STANDALONE_H
#define ACKLINE_VERIFY_STANDALONE_H

#include "verify/run.h"
#include "record/log_reader.h"
#include "verify/address_table.h"

/* What an address has sent so far: lines of a client, those of all of its threads in turn or those
 * of a lone one, or anything else. */
struct visitor {
	int64_t life;	    /* of the server, in which it came */
	int64_t first_line; /* of the log */
	bool client, lone;
	int64_t threads; /* that take turns, 0: not yet clear */
	struct verify_turn last;
	int64_t received, sent;
};

struct check {
	const char *name;
	struct verify_expectation expected;
	struct log_reader log;
	struct address_table addresses_seen;
	struct visitor *visitors; /* by number in peers */
	size_t visitor_capacity;
	int64_t life;		    /* how often the server has started; connections end with it */
	int64_t lines, clients;	    /* clients whose threads share a connection */
	int64_t foreign, strangers; /* lines and connections of others */
	int64_t *lone;		    /* by thread: how many connections carried only its lines */
	int64_t lone_count;

	/* The first fault; what came instead of what is looked up at the end. */
	bool faulty, unexplained;
	int64_t culprit; /* number in peers, -1: nobody */
	int64_t fault_line;
	struct verify_search search;
	struct error fault;
};

/* The line that a client has to send next. */
struct verify_turn visitor_next(const struct visitor *visitor);

/* Each notes a fault, unless there is one already: in words; a line that came instead of another; a
 * line that has no ok; an ok that has no line; a line that is no record, or torn. */
void check_fault(struct check *check, size_t number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_fault_order(struct check *check, size_t number, const struct verify_turn *got,
		       const struct verify_turn *due);
void check_fault_unanswered(struct check *check, size_t number);
void check_fault_ok(struct check *check, int64_t number);
void check_fault_line(struct check *check, bool torn);

/* Compares what was found with what was expected, and puts the verdict into words; reads the log
 * once more to explain a fault. 0, or -1 with the failure set. */
int check_conclude(struct check *check, struct verdict *verdict, struct error *error);

#endif
