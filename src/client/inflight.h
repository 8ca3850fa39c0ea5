/* SPDX-License-Identifier: MIT */
/* Lines in flight: sent, or about to be, and not yet answered; in the order in which they are said.
 * The answers of one connection come in its order, those of different connections in any. */
#ifndef ACKLINE_CLIENT_INFLIGHT_H
#define ACKLINE_CLIENT_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct flight {
	int64_t first; /* ns, when it was sent for the first time; 0: never yet */
	int64_t sent;  /* ns, when it was sent on the connection as it is now; 0: not yet */
	int64_t due;   /* ns, when it should have been sent; 0: when it was */
	uint64_t at;   /* where its bytes are: a position in all that was ever said */
	uint64_t next; /* number of the next line of the same connection */
	size_t length; /* with its line end */
	uint32_t connection;
	uint32_t thread;
	bool answered; /* kept only until those before it are answered as well */
	bool warming;  /* its latency does not count */
};

/* To be made with flights_init(), and freed with flights_free(). */
struct flights {
	struct flight *ring;	     /* a line's number modulo capacity is its place */
	size_t capacity;	     /* a power of two, or 0 */
	uint64_t begin, end;	     /* numbers: of the oldest line, and of the next to come */
	size_t waiting;		     /* lines without an answer */
	struct text lines;	     /* the bytes of those lines, and some already answered */
	uint64_t lines_at;	     /* position of lines.bytes[0] */
	struct flight_chain *chains; /* for each connection its lines, linked by `next` */
	size_t connections;
};

/* False: out of memory. */
bool flights_init(struct flights *flights, size_t connections);
void flights_free(struct flights *flights);

/* Adds a line, with its line end, as the youngest. Pointers to other lines become invalid. NULL:
 * out of memory, and nothing has changed. */
struct flight *flights_add(struct flights *flights, uint32_t connection, uint32_t thread,
			   const char *line, size_t length);

/* The oldest line without an answer, of all or of one connection, or NULL. */
struct flight *flights_oldest(const struct flights *flights);
struct flight *flights_oldest_of(const struct flights *flights, uint32_t connection);

/* The next younger line of the same connection, or NULL. */
struct flight *flights_next_of(const struct flights *flights, const struct flight *flight);

/* The line's bytes, with its line end; valid until the next flights_add(). */
const char *flights_line(const struct flights *flights, const struct flight *flight);

/* Takes the connection's oldest line out: it has been answered. There must be one. */
void flights_answer(struct flights *flights, uint32_t connection);

#endif
