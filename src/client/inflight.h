/* SPDX-License-Identifier: MIT */
/* The in-flight queue: lines that are sent, or about to be, and not yet answered, in the order they
 * were added. Answers come in order on one connection, and in any order among several. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Times are in nanoseconds. */
struct inflight_line {
	/* set by the caller of inflight_add() */
	int64_t start; /* when it is intended to be sent; 0: when it is */
	size_t length; /* with its line end */
	uint32_t connection;
	uint32_t thread;
	bool warming; /* its latency does not count */

	/* of the session and of the queue; zeroed when it is added. In this order it has 64 bytes.
	 */
	bool doubtful; /* a lost connection had it, so that it may be in the log */
	bool answered; /* it stays until the lines before it are answered */
	int64_t first; /* when it was sent for the first time; 0: not yet */
	int64_t sent;  /* when it was sent on the present connection; 0: not yet */
	uint64_t at;   /* position of its bytes among all bytes that were added */
	uint64_t next; /* number of the next line of the same connection; 0: none */
};

/* The lines of one connection, by number; zeroed, it is empty. */
struct inflight_chain {
	uint64_t first, last; /* first 0: none */
};

/* Zeroed, it is empty; inflight_free() frees its memory. */
struct inflight_queue {
	struct inflight_line *ring; /* the line with number n, from 1, is at n modulo capacity */
	size_t capacity;	    /* a power of two, or 0 */
	uint64_t removed, added;    /* numbers of the last lines that were */
	size_t waiting;		    /* lines without an answer */
	struct buffer bytes;	    /* of these lines, and of some that are answered */
	uint64_t bytes_at;	    /* position of bytes.bytes[0] */
};

void inflight_free(struct inflight_queue *inflight);

/* Adds a line as the youngest, also of the chain of its connection. Pointers to other lines become
 * invalid. NULL: out of memory, and nothing has changed. */
struct inflight_line *inflight_add(struct inflight_queue *inflight, struct inflight_chain *chain,
				   const struct inflight_line *line, const char *bytes);

/* The line with a number from 1, the last one of which is `added`; it must not have been removed.
 * NULL: the number is 0. */
static inline struct inflight_line *inflight_numbered(const struct inflight_queue *inflight,
						      uint64_t number)
{
	return number ? &inflight->ring[number & (inflight->capacity - 1)] : NULL;
}

/* The oldest line without an answer, of all connections or of one. NULL: there is none. */
static inline struct inflight_line *inflight_oldest(const struct inflight_queue *inflight)
{
	return inflight->waiting ? inflight_numbered(inflight, inflight->removed + 1) : NULL;
}

static inline struct inflight_line *inflight_first(const struct inflight_queue *inflight,
						   const struct inflight_chain *chain)
{
	return inflight_numbered(inflight, chain->first);
}

/* The oldest line without an answer above a number, which becomes its own; from 0 on, this lists
 * all. NULL: there is no more. */
const struct inflight_line *inflight_next(const struct inflight_queue *inflight, uint64_t *number);

/* The next line of the same connection, or NULL. */
static inline struct inflight_line *inflight_next_of(const struct inflight_queue *inflight,
						     const struct inflight_line *line)
{
	return inflight_numbered(inflight, line->next);
}

/* The position behind the bytes of the last line. */
static inline uint64_t inflight_end(const struct inflight_queue *inflight)
{
	return inflight->bytes_at + inflight->bytes.length;
}

/* The bytes of a line; valid until the next inflight_add(). */
static inline const char *inflight_bytes(const struct inflight_queue *inflight,
					 const struct inflight_line *line)
{
	return inflight->bytes.bytes + (line->at - inflight->bytes_at);
}

/* Replaces a line by other bytes, to which its line end is added: fewer, or a part of its own. */
void inflight_shorten(struct inflight_queue *inflight, struct inflight_line *line,
		      const char *bytes, size_t length);

/* Takes the connection's oldest line out, which must exist: it is answered. */
void inflight_answer(struct inflight_queue *inflight, struct inflight_chain *chain);
