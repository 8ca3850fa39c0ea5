/* SPDX-License-Identifier: MIT */
/* Lines of the service once, and their answers: between once.c, which is the service, and the core
 * in once/sender.h.
 *
 * One lock protects all senders, and the groups of all clients. It is a leaf: nothing is called
 * under it that takes another. */
#pragma once

#include <pthread.h>

#include "once/route.h"
#include "once/senders.h"
#include "once/words.h"
#include "session/handler.h"

struct once {
	struct log_summary summary; /* first member: the pointer is cast between the two types */
	struct log *log;
	struct relay_route *route;
	struct postgresql_senders *database; /* has the state of all; NULL: the log has it */
	int64_t forget;			     /* ns, -1: never */
	pthread_mutex_t lock;
	struct senders senders; /* under the lock, as is what follows */
	uint64_t had;		/* lines that were answered so */
};

/* A session, as the service sees it. */
struct client {
	struct once *once;
	struct responder *responder;
	/* the responder's own, by which the answers are sent */
	bool (*deliver)(struct reply_target *target, const char *answers, size_t length,
			size_t lines);

	/* of the thread that receives */
	struct sender *sender; /* a reference; NULL: it has not said from */
	uint64_t number;       /* of its next line */
	bool from_follows;     /* the last frame that was cut off is a `from`, or a `via` */
	bool leads_back;       /* a `via` has said so: nothing is taken from it */
	struct {
		struct sender *sender; /* a reference; NULL: it does not wait */
		uint64_t mark;
		uint64_t number; /* 0: it only asks */
	} from;

	/* under the lock */
	struct groups groups;
	struct client *next_waiting; /* for the same sender */
	pthread_cond_t settled;
};

/* Has the answers to the client's lines go through here; and ends that, with the lock, when all are
 * delivered. */
void client_open(struct client *client, struct once *once, struct responder *responder);
void client_close(struct client *client);

/* Answers lines with the same words, static or copied by the log. False: out of memory. */
bool client_answer(struct client *client, struct log_item *items, size_t count, const char *words);

/* Takes lines, at least one: has them logged, or answers them otherwise. False: out of memory. */
bool client_take(struct client *client, struct log_item *items, size_t count);

/* All that its sender was given is settled: ends the wait for it, and writes the answer to `from`,
 * which says what is stored. With the lock. */
void client_answer_from(struct client *client, const struct sender *stored,
			char answer[ONCE_ANSWER_SIZE]);
/* The same by what the database has. Releases the lock while it blocks. */
void client_ask_database(struct client *client, char answer[ONCE_ANSWER_SIZE]);

/* A refused line has the next number, and its answer is submitted next. False: out of memory. */
bool client_refuses(struct client *client);
