/* SPDX-License-Identifier: MIT */
/* What a stream type provides; only types and stream.c include this. A type that needs settings
 * (keys, names) embeds its struct stream_type in a larger struct and finds it by stream->type. */
#ifndef ACKLINE_NET_STREAM_TYPE_H
#define ACKLINE_NET_STREAM_TYPE_H

#include "net/stream.h"

/* First member of each type's own struct: the pointer is cast between the two types. */
struct stream {
	const struct stream_type *type;
	int descriptor; /* owned by stream.c, blocking */
	bool ending;	/* stream_end() was called; the sender's */
};

/* Contracts as in stream.h. NULL in the place of an optional function: nothing to do, or 0. Any
 * thread may call stop functions meanwhile, which shut the descriptor down. */
struct stream_type {
	size_t size; /* of the type's own struct, which is given zeroed to init() */
	/* optional; 0, or -1: out of memory */
	int (*init)(struct stream *stream, enum stream_side side);
	/* optional; frees what init() made, not the stream */
	void (*destroy)(struct stream *stream);
	/* optional */
	int (*handshake)(struct stream *stream, int64_t deadline, struct error *error);
	/* blocks if wait is true, as long as the descriptor's SO_RCVTIMEO */
	ssize_t (*receive)(struct stream *stream, void *bytes, size_t space, bool wait);
	ssize_t (*send)(struct stream *stream, const void *bytes, size_t length);
	/* optional, both or none */
	size_t (*owed)(struct stream *stream);
	int (*flush)(struct stream *stream);
	/* optional */
	size_t (*buffered)(struct stream *stream);
	/* optional; without it the wanted events are waited for */
	short (*events)(struct stream *stream, short wanted);
	/* optional; a last message before the descriptor's sending side is shut down, may be owed
	 */
	void (*end)(struct stream *stream);
};

#endif
