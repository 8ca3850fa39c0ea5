/* SPDX-License-Identifier: MIT */
/* What verify.c knows while it reads a log; its parts that find words for a fault share it. */
#ifndef ACKLINE_VERIFY_RUN_FAULTS_H
#define ACKLINE_VERIFY_RUN_FAULTS_H

#include "verify/run.h"
#include "record/log_reader.h"
#include "verify/address_table.h"

/* Lines that must come in one order on one connection after the other: those of a client whose
 * threads share it, or those of one thread. A line's place in its lane is counted from 0. */
struct lane {
	int64_t next; /* all places below are in the log */
	int64_t repeated;
	int64_t repeats_allowed;
	struct link *current; /* its latest connection that is in the log */
	int64_t answered;     /* at the end: all places below have their "sent: ok" */
};

struct party {
	const struct client_result *account;
	size_t number;	/* from 1 */
	int64_t client; /* its number as its lines say it; 0: they don't */
	struct lane *lanes;
	size_t lane_count;
	int64_t logged;	     /* distinct lines in the log */
	int64_t outstanding; /* on the current connections: received, not answered */
};

/* One connection of a client. */
struct link {
	struct party *party;
	size_t lane;
	bool started;
	int64_t begins;	     /* with the line at this place; -1: not told */
	int64_t start, next; /* places of its first line, and of the one that is due */
	int64_t sent;
	struct link *other; /* the next of the same address */
};

/* A client's own address, which more than one of its connections may have had in turn. */
struct address {
	struct link *first, *current;
	int64_t starts; /* of the server when `current` was */
};

struct proof {
	const struct verify_job *job;
	struct log_reader log;
	struct party *parties;
	struct lane *lanes;
	struct link *links;
	size_t link_count;
	struct address_table addresses_seen; /* those of clients first */
	struct address *addresses;	     /* by number in peers */
	size_t address_count;
	int64_t records; /* received from clients */
	int64_t foreign; /* received from others */
	int64_t starts;	 /* of the server: each ends all connections */

	/* The first fault: where it still has to be looked up, got and due are what to look for. */
	bool faulty, unexplained;
	struct party *culprit;
	int64_t fault_line;	     /* from the offset on */
	struct verify_turn got, due; /* got.iteration 0: it was an ok */
	struct error fault;
};

/* Which place a line has in a lane: -1 where it is none of its lines. */
int64_t party_place(const struct party *party, size_t lane, const struct verify_turn *turn);

/* The line at a place of a lane. */
struct verify_turn party_turn(const struct party *party, size_t lane, int64_t place);

/* The lowest line that is not in the log. */
struct verify_turn party_lowest_due(const struct party *party);

/* Was it acknowledged; was it sent at all? By the account. */
bool party_acknowledged(const struct party *party, const struct verify_turn *turn);
bool party_sent(const struct party *party, const struct verify_turn *turn);

/* What an answer is called: ok or echo. */
const char *proof_answer_name(const struct proof *proof);

/* The number of a line in the whole file. */
int64_t proof_line(const struct proof *proof, int64_t number);

/* Notes a fault of a client, or of nobody (NULL), unless there is one already. */
void proof_fault(struct proof *proof, struct party *party, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes that the current line of the log, `got`, came instead of another one; NULL: that an ok came
 * instead of it. */
void proof_fault_order(struct proof *proof, struct party *party, const struct verify_turn *got,
		       const struct verify_turn *due);

/* Notes that a line is not in the log. */
void proof_fault_missing(struct proof *proof, struct party *party, const struct verify_turn *turn);

/* Finds out, by reading the log once more, whether an order fault is a line that is missing,
 * there twice, or in a wrong place. 0, or -1 with the failure set. */
int proof_explain(struct proof *proof, struct error *error);

/* Puts the verdict into words. */
void proof_conclude(const struct proof *proof, struct verdict *verdict);

#endif
