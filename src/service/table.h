/* SPDX-License-Identifier: MIT */
/* What a line is answered with. A service is one file with one struct service, and one line in the
 * table of service.c; nothing else in the server knows its name. */
#ifndef ACKLINE_SERVICE_TABLE_H
#define ACKLINE_SERVICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "log.h"
#include "session/responder.h"
#include "record/format.h"
#include "base/timer_queue.h"
#include "service/options.h"

/* What the server lends to a service that it starts; all of it outlives the service. */
struct service_settings {
	struct service_options options;
	struct log *log;
	const char *log_name;
	bool append; /* the log is gone on with */
	struct timer_queue *timer_queue;
	const struct stream_type *stream_type; /* of connections that the service makes */
	struct reply_target
		*broadcast; /* all that are connected when an answer is released to it */
	void (*warn)(const char *words); /* on stderr, from any thread */
};

/* Without a line end. Static, or part of the line that was asked about. */
struct answer {
	const char *bytes;
	size_t length;
};

struct service {
	const char *name;
	/* Its own options, offsets in its own struct, which a union service_own_options has space
	 * for; the end has no name. NULL: none. The table of options fills in `only`. */
	const struct option_spec *options;
	const char *log;		    /* the log's name, unless -log gives another */
	const struct record_format *format; /* what -format text means; NULL: record_text */
	size_t maxline;			    /* usual, in bytes; 0: the server's own */
	size_t overhead; /* bytes that it puts in front of a line that it forwards, at most */
	/* Every byte counts: lines come with their ends, what has none comes when the peer pauses,
	 * and nothing is added to the answer. */
	bool exact;
	bool tells_ends; /* there is a record for each connection made and closed */
	bool numbers;	 /* and it has the number of the connection's peer */
	bool random;	 /* something is left to chance: the log has the seed */
	bool keeps_log;	 /* it reads its log, which is therefore not rotated */

	/* One of these two, called in the thread of the line's connection: */
	/* The answer to a line, before the line is logged; it is sent after. */
	struct answer (*answer)(const char *line, size_t length);
	/* Takes a line: it gives it to the log, with an answer or without, and may hold the peer
	 * for later ones. The log need not commit at once (`more`). False: out of memory. */
	bool (*take)(void *state, struct responder *peer, const char *line, size_t length);

	/* The rest may be NULL. */
	/* Looks at its options before anything is opened. -1: something is missing or does not go
	 * together, and the failure names it. */
	int (*check)(const struct service_options *options, struct error *error);
	/* How many descriptors it may need, besides the log's. */
	int64_t (*descriptors)(const struct service_options *options);
	/* Called once, before anybody connects, when the log is open and empty of this run's
	 * records. NULL: the failure is set. */
	void *(*start)(const struct service_settings *settings, struct error *error);
	/* As in struct reply_target: told of a peer's answers that did not leave. */
	void (*on_undelivered)(void *state, const char *answers, size_t length);
	/* Waits until more lines can be taken; in a connection's thread, before it receives. */
	void (*wait_room)(void *state);
	/* The end begins: nobody connects any more, and nobody has to wait in wait_room(). */
	void (*drain)(void *state);
	/* When all connections have ended: does what is still to be done, until the deadline. 0, or
	 * -1 with the failure set: something was left undone, and is told. It may be called again.
	 */
	int (*finish)(void *state, int64_t deadline, struct error *error);
	/* Frees. No task of it is scheduled any more: all were run or dropped; and whatever was
	 * given to the log has been released. */
	void (*stop)(void *state);
};

enum { SERVICES_MAX = 16 };

/* All services; NULL ends the list. */
extern const struct service *const services[];

#endif
