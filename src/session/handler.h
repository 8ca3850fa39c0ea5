/* SPDX-License-Identifier: MIT */
/* A service as a session sees it. Its protocol cuts the bytes of a connection into frames and
 * formats refusals. Its handler answers frames. */
#pragma once

#include "base/slice.h"
#include "net/line_splitter.h"
#include "session/responder.h"

enum {
	PROTOCOL_REFUSAL_MAX = 192,
	HANDLER_ITEMS_MAX = 64, /* frames that are taken together */
};

/* The bytes are borrowed from the receive buffer; valid until more is received. */
struct frame {
	const char *bytes;
	size_t length; /* of the content, which is recorded */
	size_t end;    /* bytes behind it that belong to the frame */
};

enum frame_result {
	FRAME_NONE = LINE_NONE, /* no whole frame is there */
	FRAME_FOUND = LINE_FOUND,
	FRAME_TOO_LONG =
		LINE_TOO_LONG, /* returned once for a frame over the limit; it is skipped */
	FRAME_MALFORMED,       /* unknown where the next frame begins */
	FRAME_LATER, /* those that were found have to be submitted first: one may change the state
		      */
};

enum refusal {
	REFUSAL_CONNECTION, /* there are too many connections */
	REFUSAL_FRAME,	    /* a frame is too long or malformed */
	REFUSAL_RECORD,	    /* a frame could not be logged */
};

struct protocol {
	const char *frame_name; /* in notes: "line" */
	size_t overhead;	/* max bytes of a frame in addition to its content */
	bool raw_answers;	/* answers are sent as they are; else a line end is added */
	/* Bytes without an end become a frame when the peer pauses or ends; there is no limit. */
	bool chunked;
	/* Takes the next frame off the front of `received`, whose limit is the longest content and
	 * the overhead. `flush`, for a chunked protocol: bytes without an end are a frame. `state`
	 * is the session's. One thread at a time, any thread. */
	enum frame_result (*next)(struct line_splitter *received, bool flush, void *state,
				  struct frame *frame);
	/* Writes the message that the peer gets for a refusal. Returns its length; 0: the protocol
	 * has no message for it, and the connection is closed. Must not allocate. Any thread. */
	size_t (*refuse)(enum refusal refusal, const char *reason,
			 char message[PROTOCOL_REFUSAL_MAX]);
};

/* Lines that end in LF or CR LF, of a limited length. */
extern const struct protocol protocol_lines;

/* Raw bytes: a frame is a line with its end, or the bytes that came before a pause. */
extern const struct protocol protocol_chunks;

struct handler {
	const struct protocol *protocol;
	bool notes_ends;      /* a note when a connection opens and when it closes */
	bool notes_numbers;   /* the note has the connection's number */
	bool no_sent_records; /* for answers of answer(), and refused frames */

	/* A state for each session; both are called in its own thread. `open` is called before the
	 * first frame. It returns NULL if out of memory, which closes the connection. `close` is
	 * called once, when each answer was delivered and each reference has ended. Both NULL: the
	 * session's state is the service's. */
	void *(*open)(void *service, struct responder *responder);
	void (*close)(void *state);

	/* A service has one of these two. They are called in the order of the frames, by one thread
	 * at a time. */
	/* Returns the answer to a frame; the session logs the frame, then sends the answer. The
	 * answer is not copied at once: it must be static or part of the frame. Not empty. */
	struct slice (*answer)(void *state, const struct frame *frame);
	/* Submits frames, at most HANDLER_ITEMS_MAX, to the log by responder_submit(), with an
	 * answer or without one, and may take references for later answers. Each comes as an item,
	 * of RECORD_RECEIVED, which it completes or replaces. Defers the commit. Never waits.
	 * False: out of memory. */
	bool (*take)(void *state, struct responder *responder, struct log_item *items,
		     size_t count);

	/* The rest may be NULL. */
	/* As in struct reply_target, with the service's state. */
	void (*on_undelivered)(void *service, const char *answers, size_t length);
	/* With take(): a frame behind those taken so far is refused, and its answer is submitted
	 * next. False: out of memory. */
	bool (*refuses)(void *state);
	/* Back pressure, with the session's state. Returns whether the service accepts so many
	 * frames, of at most so many bytes in all. `wait`, only in the session's own thread: waits
	 * until it does; all that was submitted before is committed then. Called with 0 frames
	 * before a receive, and after take(). Called again before frames are taken off the receive
	 * buffer. */
	bool (*admit)(void *state, size_t frames, size_t bytes, bool wait);
};

/* Back pressure of the server, for any service; asked when the service accepts. Zeroed,
 * there is none. */
struct back_pressure {
	/* As that of the handler. If it accepts frames, `admitted` follows with the same numbers,
	 * once they were submitted to the log. */
	bool (*admit)(void *context, size_t frames, size_t bytes, bool wait);
	void (*admitted)(void *context, size_t frames, size_t bytes);
	void *context;
};
