/* SPDX-License-Identifier: MIT */
/* The in-flight queue: lines that are sent, or about to be, and not yet answered, in the order they
 * were added. Answers come in order on one connection, and in any order among several. */
#ifndef ACKLINE_CLIENT_INFLIGHT_H
#define ACKLINE_CLIENT_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Times are in nanoseconds. */
struct inflight_line {
	int64_t first; /* when it was sent for the first time; 0: not yet */
	int64_t sent;  /* when it was sent on the present connection; 0: not yet */
	int64_t start; /* its intended start; 0: none */
	uint64_t at;   /* position of its bytes among all bytes that were added */
	uint64_t next; /* number of the next line of the same connection */
	size_t length; /* with its line end */
	uint32_t connection;
	uint32_t thread;
	bool answered; /* it stays until the lines before it are answered */
	bool warming;  /* its latency does not count */
};

struct inflight_queue {
	struct inflight_line *ring;    /* the line with number n is at n modulo capacity */
	size_t capacity;	       /* a power of two, or 0 */
	uint64_t begin, end;	       /* numbers of the oldest line and of the next to come */
	size_t waiting;		       /* lines without an answer */
	struct buffer bytes;	       /* of these lines, and of some that are answered */
	uint64_t bytes_at;	       /* position of bytes.bytes[0] */
	struct inflight_chain *chains; /* for each connection its lines, linked by `next` */
};

/* False: out of memory; inflight_free() is due in any case. */
bool inflight_init(struct inflight_queue *inflight, size_t connections);
void inflight_free(struct inflight_queue *inflight);

/* Adds a line, with its line end, as the youngest. Pointers to other lines become invalid. NULL:
 * out of memory, and nothing has changed. */
struct inflight_line *inflight_add(struct inflight_queue *inflight, uint32_t connection,
				   uint32_t thread, const char *bytes, size_t length);

/* The oldest line without an answer, of all connections or of one. NULL: there is none. */
struct inflight_line *inflight_oldest(const struct inflight_queue *inflight);
struct inflight_line *inflight_oldest_of(const struct inflight_queue *inflight,
					 uint32_t connection);

/* The next line of the same connection, or NULL. */
struct inflight_line *inflight_next_of(const struct inflight_queue *inflight,
				       const struct inflight_line *line);

/* The bytes of a line; valid until the next inflight_add(). */
const char *inflight_bytes(const struct inflight_queue *inflight, const struct inflight_line *line);

/* Takes the connection's oldest line out, which must exist: it is answered. */
void inflight_answer(struct inflight_queue *inflight, uint32_t connection);

#endif
