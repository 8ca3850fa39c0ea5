/* SPDX-License-Identifier: MIT */
#include "session/intake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/trimmer.h"
#include "net/answers.h"

enum {
	INTAKE_FEW = 4, /* frames that are submitted together the first time */
	INTAKE_NOTE = 64,
	INTAKE_STEP = 65536,	 /* bytes of a frame after which its deadline is set again */
	INTAKE_KEPT_MAX = 16384, /* bytes without an end, for which a lent buffer has space */
};

/* The thread that runs a step: the session's own, or the leader of its group. */
enum taker { OWN_THREAD, OTHER_THREAD };

/* Whether the first bytes of the connection are a TLS ClientHello (RFC 8446, 4 and 5.1), in which
 * no line may ever end: its sender waits for an answer. For a chunked protocol all bytes are good.
 */
static bool is_tls(struct session *session, const char *bytes, size_t length)
{
	static const char record[] = {0x16, 3}, hello = 1;
	bool first = !session->has_received;
	session->has_received = true;
	return first && length > 5 && !memcmp(bytes, record, sizeof record) && bytes[5] == hello &&
	       !session->responder.settings->handler->protocol->chunked &&
	       !stream_has_handshake(session->stream);
}

static enum ending receive(struct session *session, enum taker taker, size_t share)
{
	const struct session_settings *settings = session->responder.settings;
	size_t space, before = session->received.capacity;
	char *bytes = line_space(&session->received, &space);
	session->last_received = 0;
	if (!bytes)
		return ENDED_NO_MEMORY;
	if (session->received.capacity < before)
		trimmer_note(settings->trimmer);
	if (atomic_load(&settings->draining) && session->left == SIZE_MAX)
		session->left = stream_pending(session->stream);
	if (space > share)
		space = share;
	if (space > session->left)
		space = session->left;
	if (!space || atomic_load(&settings->stopping))
		return ENDED_BY_DRAIN;
	ssize_t length;
	if (taker == OWN_THREAD)
		length = busy_poll_receive(settings->spin, session->stream, bytes, space,
					   session->deadline);
	else
		length = stream_receive_now(session->stream, bytes, space);
	if (length < 0 && errno == EAGAIN)
		return taker == OWN_THREAD ? ENDED_IDLE : NOTHING_THERE;
	/* an error, too: within a record of TLS that has not arrived whole */
	if (length <= 0 && atomic_load(&settings->draining))
		return ENDED_BY_DRAIN;
	if (length <= 0)
		return length < 0 ? ENDED_BROKEN : ENDED_BY_PEER;
	if (session->left != SIZE_MAX)
		session->left -= (size_t)length;
	line_filled(&session->received, (size_t)length);
	session->last_received = (size_t)length;
	return is_tls(session, bytes, (size_t)length) ? ENDED_BY_TLS : NOT_ENDED;
}

/* Only the thread that receives counts; others may read. */
static void count_lines(struct session *session, size_t lines)
{
	uint64_t before = atomic_load_explicit(&session->lines, memory_order_relaxed);
	atomic_store_explicit(&session->lines, before + lines, memory_order_relaxed);
}

/* For a refused frame: a note for the log, and the answer to the peer. */
struct refused {
	char note[INTAKE_NOTE], answer[PROTOCOL_REFUSAL_MAX];
};

/* Writes note and answer for a frame that is refused, and returns their item. Sets *ending if no
 * frame can follow. */
static struct log_item refused(const struct session *session, enum frame_result result,
			       struct refused *refused, enum ending *ending)
{
	const struct handler *handler = session->responder.settings->handler;
	const char *name = handler->protocol->frame_name;
	if (result == FRAME_TOO_LONG)
		(void)snprintf(refused->note, INTAKE_NOTE, "%s " REASON_TOO_LONG "%zu bytes", name,
			       session->responder.settings->maxline);
	else
		(void)snprintf(refused->note, INTAKE_NOTE, "malformed %s", name);
	size_t length = handler->protocol->refuse(REFUSAL_FRAME, refused->note, refused->answer);
	if (result == FRAME_MALFORMED || !length)
		*ending = ENDED_REFUSED;
	return (struct log_item){.level = RECORD_WARNING,
				 .event = RECORD_NOTE,
				 .bytes = refused->note,
				 .length = strlen(refused->note),
				 .answer = refused->answer,
				 .answer_length = length,
				 .raw = true,
				 .is_sent_record = handler->no_sent_records};
}

/* Whether the service accepts so many more frames, of so many bytes in all. */
static bool admit(const struct session *session, size_t frames, size_t bytes, bool wait)
{
	const struct session_settings *settings = session->responder.settings;
	const struct back_pressure *pressure = &settings->back_pressure;
	return (!settings->handler->admit ||
		settings->handler->admit(session->state, frames, bytes, wait)) &&
	       (!pressure->admit || pressure->admit(pressure->context, frames, bytes, wait));
}

static void end_admission(const struct session *session, size_t frames, size_t bytes)
{
	const struct back_pressure *pressure = &session->responder.settings->back_pressure;
	if (pressure->admitted)
		pressure->admitted(pressure->context, frames, bytes);
}

/* As admit(); in the session's own thread it waits. Before that it commits the frames that this
 * thread has deferred, as the service may be waiting for exactly those. */
static bool await_admission(struct session *session, enum taker taker, size_t frames, size_t bytes)
{
	if (admit(session, frames, bytes, false))
		return true;
	if (taker == OTHER_THREAD)
		return false;
	(void)responder_submit(&session->responder, NULL, 0, false); /* adds nothing */
	return admit(session, frames, bytes, true);
}

/* Waits, in the session's own thread, until there is space for the answers to more frames. False:
 * the leader of the group would have to wait. */
static bool await_turn(struct session *session, enum taker taker)
{
	if (responder_is_held_up(&session->responder)) {
		if (taker == OTHER_THREAD)
			return false;
		responder_wait(&session->responder);
	}
	return true;
}

/* How frames are submitted. */
struct hand_over {
	enum taker taker;
	bool flush;    /* also bytes without an end */
	bool deferred; /* frames were submitted and not committed, and more may follow */
};

/* A frame as an item; with the service's answer if it has answer(). */
static struct log_item item_of(const struct session *session, const struct frame *frame)
{
	const struct handler *handler = session->responder.settings->handler;
	struct log_item item = {
		.event = RECORD_RECEIVED, .bytes = frame->bytes, .length = frame->length};
	if (!handler->answer)
		return item;
	struct slice answer = handler->answer(session->state, frame);
	item.answer = answer.bytes;
	item.answer_length = answer.length;
	item.raw = handler->protocol->raw_answers;
	item.is_sent_record = handler->no_sent_records;
	return item;
}

/* Cuts off at most `max` frames. Returns the result of the last attempt. */
static enum frame_result cut_frames(struct session *session, const struct hand_over *how,
				    struct log_item *items, size_t max, size_t *count)
{
	const struct protocol *protocol = session->responder.settings->handler->protocol;
	enum frame_result result = FRAME_NONE;
	struct frame frame;
	while (*count < max && (result = protocol->next(&session->received, how->flush,
							session->state, &frame)) == FRAME_FOUND)
		items[(*count)++] = item_of(session, &frame);
	return result;
}

/* Has a service with take() take the frames; none is left then. */
static bool take(struct session *session, struct log_item *items, size_t *count, bool refuses)
{
	const struct handler *handler = session->responder.settings->handler;
	if (!handler->take)
		return true;
	bool taken = !*count || handler->take(session->state, &session->responder, items, *count);
	*count = 0;
	return taken && (!refuses || !handler->refuses || handler->refuses(session->state));
}

/* Submits at most `max` frames; the last one may be a refused one. Commits them and the deferred
 * ones before, unless more may follow or another thread commits. */
static enum ending answer_some(struct session *session, struct hand_over *how,
			       struct log_item *items, size_t max)
{
	const struct session_settings *settings = session->responder.settings;
	struct refused words;
	enum ending ending = NOT_ENDED;
	const char *rest;
	size_t count = 0, bytes = line_remainder(&session->received, &rest);
	if (!await_turn(session, how->taker) ||
	    (bytes && !await_admission(session, how->taker, max, bytes)))
		return HELD_UP;
	const size_t frames = max;
	if (atomic_load(&settings->stopping))
		max = 0;
	enum frame_result result = cut_frames(session, how, items, max, &count);
	count_lines(session, count);
	bool refuses = result == FRAME_TOO_LONG || result == FRAME_MALFORMED;
	bool submits = count || refuses || how->deferred;
	if (!take(session, items, &count, refuses))
		return ENDED_NO_MEMORY;
	if (refuses)
		items[count++] = refused(session, result, &words, &ending);
	how->deferred = result != FRAME_NONE && !ending;
	bool defers = how->deferred || how->taker == OTHER_THREAD;
	if (submits && (count || !defers) &&
	    !responder_submit(&session->responder, items, count, defers))
		ending = ENDED_NO_MEMORY;
	if (bytes)
		end_admission(session, frames, bytes);
	if (!ending && settings->handler->take && how->taker == OTHER_THREAD &&
	    !admit(session, 0, 0, false))
		ending = HELD_UP;
	return ending;
}

/* Submits the frames after the first few. Not inlined: the large array is in a stack frame of its
 * own, so the thread of a peer that never sends much at once does not touch these pages. */
__attribute__((noinline)) static enum ending answer_rest(struct session *session,
							 struct hand_over *how)
{
	struct log_item items[HANDLER_ITEMS_MAX];
	enum ending ending = NOT_ENDED;
	while (how->deferred && !ending)
		ending = answer_some(session, how, items, HANDLER_ITEMS_MAX);
	return ending;
}

static enum ending answer_frames(struct session *session, struct hand_over *how)
{
	struct log_item items[INTAKE_FEW];
	enum ending ending = answer_some(session, how, items, INTAKE_FEW);
	return how->deferred && !ending ? answer_rest(session, how) : ending;
}

static enum ending hand_over(struct session *session, enum taker taker, bool flush)
{
	struct hand_over how = {.taker = taker, .flush = flush};
	return answer_frames(session, &how);
}

void intake_admit(struct session *session)
{
	(void)admit(session, 0, 0, true);
}

/* Sets its deadline for the next bytes, after a receive. */
static void set_deadline(struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	const char *rest;
	size_t kept = line_remainder(&session->received, &rest), got = session->last_received;
	int64_t limit = kept ? settings->unfinished : settings->idle;
	if (!limit)
		session->deadline = CLOCK_NEVER;
	/* there was none, or the last receive began the unfinished frame or left none, or the frame
	 * has grown by a step */
	else if (session->deadline == CLOCK_NEVER || got >= kept ||
		 kept / INTAKE_STEP != (kept - got) / INTAKE_STEP)
		session->deadline = clock_now() + limit;
}

void intake_set_deadline(struct session *session)
{
	session->deadline = CLOCK_NEVER;
	set_deadline(session);
}

enum ending intake_receive(struct session *session)
{
	set_deadline(session);
	return receive(session, OWN_THREAD, SIZE_MAX);
}

enum ending intake_hand_over(struct session *session, bool flush)
{
	return hand_over(session, OWN_THREAD, flush);
}

/* The unfinished frame is short enough for a group: another thread may receive the rest. */
static bool is_short(const struct session *session)
{
	const char *rest;
	bool chunked = session->responder.settings->handler->protocol->chunked;
	return line_remainder(&session->received, &rest) <= (chunked ? 0 : INTAKE_KEPT_MAX);
}

bool intake_is_calm(struct session *session)
{
	return is_short(session) && !stream_buffered(session->stream) &&
	       responder_is_calm(&session->responder);
}

/* Tells the trimmer if the session's own buffer, of `before` bytes, was freed. */
static void note_freed(struct session *session, size_t before)
{
	if (before >= LINE_FIRST_CAPACITY && session->received.capacity < LINE_FIRST_CAPACITY)
		trimmer_note(session->responder.settings->trimmer);
}

void intake_shed(struct session *session)
{
	size_t before = session->received.capacity;
	line_shed(&session->received);
	note_freed(session, before);
}

enum ending intake_receive_for(struct session *session, char *space, size_t share)
{
	session->responder.for_others = true;
	if (!admit(session, 0, 0, false)) {
		session->responder.for_others = false;
		return HELD_UP;
	}
	size_t before = session->received.capacity;
	line_lend(&session->received, space, INTAKE_SPACE);
	enum ending ending = receive(session, OTHER_THREAD, share);
	if (!ending)
		ending = hand_over(session, OTHER_THREAD, false);
	session->responder.for_others = false;
	if (!ending)
		set_deadline(session);
	if (!ending && !is_short(session))
		ending = HELD_UP;
	bool kept = line_take_back(&session->received);
	note_freed(session, before);
	return kept ? ending : ENDED_NO_MEMORY;
}
