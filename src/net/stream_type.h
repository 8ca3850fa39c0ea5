/* SPDX-License-Identifier: MIT */
/* What a stream type provides; only types and stream.c include this. A type that needs settings
 * (keys, names) embeds its struct stream_type in a larger struct and finds it by stream->type. */
#pragma once

#include "net/stream.h"

/* First member of each type's own struct: the pointer is cast between the two types. */
struct stream {
	const struct stream_type *type;
	int descriptor; /* owned by stream.c, blocking */
	bool ending;	/* stream_end() was called; the sender's */
};

/* Contracts as in stream.h. Where an optional function is NULL there is nothing to do, or
 * 0 to return. Any thread may call stop functions meanwhile, which shut the descriptor down. */
struct stream_type {
	size_t size; /* of the type's own struct, which is given zeroed to init() */
	/* blocks if wait is true, as long as the descriptor's SO_RCVTIMEO */
	ssize_t (*receive)(struct stream *stream, void *bytes, size_t space, bool wait);
	ssize_t (*send)(struct stream *stream, const void *bytes, size_t length);

	/* the others are optional */
	int (*init)(struct stream *stream, enum stream_side side); /* -1: out of memory */
	void (*destroy)(struct stream *stream); /* frees what init() made, not the stream */
	/* whom a client expects, by the name that it connects to */
	int (*expect)(struct stream *stream, const char *host, struct error *error);
	int (*handshake)(struct stream *stream, int64_t deadline, int wake, struct error *error);
	size_t (*owed)(struct stream *stream); /* this and flush: both or none */
	int (*flush)(struct stream *stream);
	size_t (*buffered)(struct stream *stream);
	/* the most bytes that have left the socket, beside those: stream_pending() counts them */
	size_t (*held)(struct stream *stream);
	/* whether there are bytes to receive, the end or an error, when the descriptor is ready;
	 * NULL: there always are */
	bool (*has_bytes)(struct stream *stream);
	short (*events)(struct stream *stream, short wanted); /* NULL: the wanted ones */
	void (*certificate)(struct stream *stream, char name[STREAM_CERTIFICATE_SIZE]);
	const char *(*failure)(struct stream *stream); /* NULL: it knows nothing of it */
	bool (*is_cut)(struct stream *stream);
	void (*end)(struct stream *stream); /* sends a last message, which may be owed */
};
