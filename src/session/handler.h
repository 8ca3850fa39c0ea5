/* SPDX-License-Identifier: MIT */
/* A service as a session sees it. Its protocol cuts the bytes of a connection into frames, and
 * tells the peer of refusals; its handler gives frames to the log. */
#pragma once

#include "base/slice.h"
#include "net/line_splitter.h"
#include "session/responder.h"

enum { PROTOCOL_REFUSAL_MAX = 192 };

/* Borrowed from what was received, until more is received. */
struct frame {
	const char *bytes;
	size_t length; /* of the content, which is recorded */
	size_t end;    /* bytes behind it that belong to the frame */
};

enum frame_result {
	FRAME_NONE = LINE_NONE, /* no whole frame is there */
	FRAME_FOUND = LINE_FOUND,
	FRAME_TOO_LONG = LINE_TOO_LONG, /* told once for a frame over the limit, which is skipped */
	FRAME_MALFORMED,		/* it cannot be told where the next frame begins */
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
	 * state is the session's. One thread at a time, any thread. */
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

struct handler {
	const struct protocol *protocol;
	bool notes_ends;      /* a note for each connection that opens and closes */
	bool notes_numbers;   /* the note has the connection's number */
	bool no_sent_records; /* for answers of answer(), and refused frames */

	/* State for each session, in its own thread. `open` comes before the first frame, and
	 * returns NULL if memory is out, which closes the connection; `close` comes once, when each
	 * answer was delivered and each reference ended. Both NULL: the session's state is the
	 * service's. */
	void *(*open)(void *service, struct responder *responder);
	void (*close)(void *state);

	/* One of these two, in the order of the frames, one thread at a time: */
	/* Returns the answer to a frame, which is logged, then answered. The answer is static, or
	 * part of the frame, and not empty. */
	struct slice (*answer)(void *state, const struct frame *frame);
	/* Gives a frame to the log, with an answer or without, and may keep references for later
	 * answers. Does not commit (`more`), and never waits. False: out of memory. */
	bool (*take)(void *state, struct responder *responder, const struct frame *frame);

	/* The rest may be NULL. */
	/* As in struct reply_target, with the service's state. */
	void (*on_undelivered)(void *service, const char *answers, size_t length);
	/* Back pressure, with the service's state. Returns whether so many frames, of at most so
	 * many bytes in all, can be taken; if `wait`, in the session's own thread, it waits until
	 * that is so. Asked without any before more is received; and with some before they are
	 * taken off what was received, for a service with answer(): then `admitted` follows, with
	 * the same numbers, when they were submitted to the log. */
	bool (*admit)(void *service, size_t frames, size_t bytes, bool wait);
	void (*admitted)(void *service, size_t frames, size_t bytes);
};
