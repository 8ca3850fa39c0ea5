/* SPDX-License-Identifier: MIT */
/* How the bytes of a connection are cut into frames, and how its peer is told of a refusal. A
 * service names one of the protocols here, or brings its own. */
#ifndef ACKLINE_SESSION_PROTOCOL_H
#define ACKLINE_SESSION_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "net/line_splitter.h"

enum { PROTOCOL_REFUSAL_MAX = 192 };

/* Borrowed from what was received, until more is received. */
struct frame {
	const char *bytes;
	size_t length; /* of the content, which is recorded */
	size_t end;    /* bytes behind it that belong to the frame */
};

enum frame_result {
	FRAME_NONE, /* no whole frame is there */
	FRAME_FOUND,
	FRAME_TOO_LONG,	 /* told once for a frame over the limit, which is skipped */
	FRAME_MALFORMED, /* it cannot be told where the next frame begins */
};

enum refusal {
	REFUSAL_CONNECTION, /* there are too many */
	REFUSAL_FRAME,	    /* it is too long or malformed */
	REFUSAL_RECORD,	    /* a frame could not be logged */
};

struct protocol {
	const char *frame_name; /* in notes: "line" */
	size_t overhead;	/* max bytes of a frame beside its content */
	bool raw_answers;	/* answers are sent as they are; else a line end is added */
	/* Bytes without an end are a frame once the peer pauses or has ended; there is no limit. */
	bool chunked;
	/* Takes the next frame off the front of `received`, whose limit is that of a content and
	 * the overhead. `flush`, for a chunked protocol: bytes without an end are a frame. The
	 * state is the session's (session/handler.h). One thread at a time, any thread. */
	enum frame_result (*next)(struct line_splitter *received, bool flush, void *state,
				  struct frame *frame);
	/* Writes what the peer is sent for a refusal. Returns its length; 0: the protocol has no
	 * words for it, and the connection is closed. Must not allocate. Any thread. */
	size_t (*refuse)(enum refusal refusal, const char *reason,
			 char message[PROTOCOL_REFUSAL_MAX]);
};

/* Lines that end in LF or CR LF, of a limited length. */
extern const struct protocol protocol_lines;

/* Every byte counts: lines with their ends, and what comes before a pause. */
extern const struct protocol protocol_chunks;

#endif
