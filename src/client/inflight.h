/* SPDX-License-Identifier: MIT */
/* Lines in flight: sent, or about to be, and not yet answered; in the order in which they are said.
 * The answers of one connection come in its order, those of different connections in any. */
#ifndef ACKLINE_CLIENT_INFLIGHT_H
#define ACKLINE_CLIENT_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct inflight_line {
	int64_t first; /* ns, when it was sent for the first time; 0: never yet */
	int64_t sent;  /* ns, when it was sent on the connection as it is now; 0: not yet */
	int64_t start;  /* ns, when it should have been sent; 0: when it was */
	uint64_t at;   /* where its bytes are: a position in all that was ever said */
	uint64_t next; /* number of the next line of the same connection */
	size_t length; /* with its line end */
	uint32_t connection;
	uint32_t thread;
	bool answered; /* kept only until those before it are answered as well */
	bool warming;  /* its latency does not count */
};

/* To be made with inflight_init(), and freed with inflight_free(). */
struct inflight_queue {
	struct inflight_line *ring;    /* a line's number modulo capacity is its place */
	size_t capacity;	       /* a power of two, or 0 */
	uint64_t begin, end;	       /* numbers: of the oldest line, and of the next to come */
	size_t waiting;		       /* lines without an answer */
	struct buffer lines;	       /* the bytes of those lines, and some already answered */
	uint64_t lines_at;	       /* position of lines.bytes[0] */
	struct inflight_chain *chains; /* for each connection its lines, linked by `next` */
	size_t connections;
};

/* False: out of memory. */
bool inflight_init(struct inflight_queue *inflight, size_t connections);
void inflight_free(struct inflight_queue *inflight);

/* Adds a line, with its line end, as the youngest. Pointers to other lines become invalid. NULL:
 * out of memory, and nothing has changed. */
struct inflight_line *inflight_add(struct inflight_queue *inflight, uint32_t connection,
				   uint32_t thread, const char *line, size_t length);

/* The oldest line without an answer, of all or of one connection, or NULL. */
struct inflight_line *inflight_oldest(const struct inflight_queue *inflight);
struct inflight_line *inflight_oldest_of(const struct inflight_queue *inflight,
					 uint32_t connection);

/* The next younger line of the same connection, or NULL. */
struct inflight_line *inflight_next_of(const struct inflight_queue *inflight,
				       const struct inflight_line *line_sent);

/* The line's bytes, with its line end; valid until the next inflight_add(). */
const char *inflight_line(const struct inflight_queue *inflight,
			  const struct inflight_line *line_sent);

/* Takes the connection's oldest line out: it has been answered. There must be one. */
void inflight_answer(struct inflight_queue *inflight, uint32_t connection);

#endif
