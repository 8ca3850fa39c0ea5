/* SPDX-License-Identifier: MIT */
/* Sends one file: under one name after the other where it needs several, and again where a session
 * has failed. Connections that are lost are the session's to make again. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/follow/ship_session.h"

/* A file that was rotated is finished once it was not written for so long: until then who writes it
 * may not know that it was. */
#define SHIP_QUIET CLOCK_SECOND

/* How often to look whether all is answered, while it is not. */
#define SHIP_ANSWERS (20 * CLOCK_MILLISECOND)

/* Goes behind line `number`. False: the file has less. */
static bool go_behind(struct shipper *shipper, uint64_t number)
{
	struct line_source *input = &shipper->tail.input;
	struct slice line;
	if (number < input->number && line_source_rewind(input, &shipper->error) < 0)
		return false;
	while (input->number < number) {
		enum line_source_result result = line_source_next(input, &line, &shipper->error);
		int64_t before = lseek(input->descriptor, 0, SEEK_CUR);
		if (result == INPUT_MORE && (line_source_read(input, &shipper->error) < 0 ||
					     lseek(input->descriptor, 0, SEEK_CUR) == before))
			result = INPUT_END;
		if (result == INPUT_END || result == INPUT_FAILED)
			return false;
	}
	return true;
}

static bool send_line(struct shipper *shipper, struct slice text)
{
	if (!tail_compose(&shipper->line, ship_tag(shipper), text) ||
	    !buffer_append(&shipper->line, "\n", 1)) {
		error_set(&shipper->error, "out of memory for a line");
		return false;
	}
	const struct inflight_line line = {.length = shipper->line.length};
	if (shipper->half) {
		shipper->tail.input.ended = shipper->half = false;
		shipper->within = true;
	}
	return client_session_send(shipper->session, &line, shipper->line.bytes);
}

/* Whether there is a file behind one that has no longer the path. */
static bool has_successor(const struct shipper *shipper, enum tail_state state)
{
	struct siblings siblings;
	struct error error;
	bool found = state == TAIL_REMOVED, own = false;
	if (found || siblings_find(&siblings, shipper->path, &error) < 0)
		return found;
	for (size_t i = 0; i < siblings.count && !found; i++) {
		const struct sibling *sibling = &siblings.list[i];
		bool is_path = !strcmp(sibling->path, shipper->path);
		/* as long as the new one is empty, the old one may still be written */
		found = is_path ? state == TAIL_RENAMED && sibling->size > 0 : own;
		own |= file_id_is(sibling->id, shipper->tail.id);
	}
	siblings_free(&siblings);
	return found;
}

/* Sends what stands behind the last line end, and ends then. */
static enum shipped end_with(struct shipper *shipper, enum shipped after)
{
	shipper->after = after;
	shipper->tail.input.ended = true;
	return SHIPPED_PART;
}

/* Half a line is at the end: how long it waits yet; CLOCK_NEVER: without an end. */
static int64_t half_waits(const struct shipper *shipper)
{
	const char *bytes;
	size_t length = line_remainder(&shipper->tail.input.lines, &bytes);
	int64_t partial = shipper->shipping->options->partial, age = tail_age(&shipper->tail);
	if (partial < 0 || !length || shipper->within || bytes[length - 1] == '\r')
		return CLOCK_NEVER;
	return age < partial ? partial - age : 0;
}

/* Nothing more can be read now. */
static enum shipped look_around(struct shipper *shipper)
{
	enum tail_state state = tail_look(&shipper->tail, shipper->path);
	ship_tell(shipper);
	if (state == TAIL_CUT) {
		ship_complain(shipper, "it was emptied: what was written to it since it was read "
				       "last, and is not in it any more, is lost");
		return end_with(shipper, SHIPPED_CUT);
	}
	if (state != TAIL_STAYS && tail_age(&shipper->tail) >= SHIP_QUIET &&
	    has_successor(shipper, state))
		return end_with(shipper, SHIPPED_ALL);
	int64_t wait = half_waits(shipper);
	if (!wait) {
		shipper->half = shipper->tail.input.ended = true;
		return SHIPPED_PART;
	}
	/* soon after the last answer it is not behind any more */
	int64_t interval = shipper->open ? SHIP_ANSWERS : WAKE_INTERVAL;
	int64_t until = clock_after(wait < interval ? wait : interval);
	wake_clear(&shipper->wake);
	if (tail_unread(&shipper->tail) > 0)
		return SHIPPED_PART; /* it came just before that */
	if (!client_session_await(shipper->session, until, shipper->wake.events))
		return ship_failure(shipper);
	return SHIPPED_PART;
}

static enum shipped read_more(struct shipper *shipper)
{
	struct line_source *input = &shipper->tail.input;
	int64_t before = lseek(input->descriptor, 0, SEEK_CUR);
	if (line_source_read(input, &shipper->error) < 0)
		return SHIPPED_FAILED;
	if (lseek(input->descriptor, 0, SEEK_CUR) == before)
		return look_around(shipper);
	ship_tell(shipper);
	return shipper->within ? ship_go_on_within(shipper) : SHIPPED_PART;
}

/* Waits for the answers. The log may have lost lines: then they are due again. */
static enum shipped finish(struct shipper *shipper, enum shipped outcome)
{
	struct tail *tail = &shipper->tail;
	if (!client_session_finish(shipper->session))
		return ship_failure(shipper);
	ship_tell(shipper);
	uint64_t due = client_session_due(shipper->session);
	if (!due || due > tail->input.number || outcome == SHIPPED_ENDING)
		return outcome;
	tail->input.ended = false;
	return SHIPPED_PART;
}

/* One step of sending. */
static enum shipped send_next(struct shipper *shipper)
{
	struct tail *tail = &shipper->tail;
	struct slice line;
	if (ship_is_ending(shipper))
		return finish(shipper, SHIPPED_ENDING);
	if (!client_session_ready(shipper->session, CLOCK_NEVER))
		return ship_failure(shipper);
	uint64_t due = client_session_due(shipper->session);
	if (due && due != tail->input.number + 1 && !go_behind(shipper, due - 1)) {
		error_set(&shipper->error, "it has no line %" PRIu64 " any more", due);
		return SHIPPED_OTHER;
	}
	enum line_source_result result = line_source_next(&tail->input, &line, &shipper->error);
	if (result == INPUT_MORE)
		return read_more(shipper);
	if (result == INPUT_LINE)
		return send_line(shipper, line) ? SHIPPED_PART : ship_failure(shipper);
	enum shipped outcome = result == INPUT_END ? shipper->after : SHIPPED_NEVER;
	struct error error = shipper->error;
	enum shipped finished = finish(shipper, outcome);
	if (outcome == SHIPPED_NEVER)
		shipper->error = error;
	return finished;
}

/* --- a file --- */

/* In a session of its own. */
static enum shipped ship_once(struct shipper *shipper)
{
	enum shipped outcome = ship_open(shipper);
	/* lines without numbers: what was acknowledged is not sent again */
	if (outcome == SHIPPED_PART && !ship_has_numbers(shipper)) {
		ship_set_limit(shipper);
		if (!go_behind(shipper, shipper->counters.acknowledged - shipper->before))
			outcome = SHIPPED_CUT;
	}
	if (outcome == SHIPPED_PART)
		ship_tell(shipper);
	while (outcome == SHIPPED_PART)
		outcome = send_next(shipper);
	if (outcome == SHIPPED_SECTION && finish(shipper, SHIPPED_SECTION) != SHIPPED_SECTION)
		outcome = SHIPPED_FAILED;
	ship_tell(shipper);
	ship_close(shipper);
	return outcome;
}

/* Waits until the file has a first line. */
static enum shipped identify(struct shipper *shipper)
{
	struct tail *tail = &shipper->tail;
	while (!tail_identify(tail, false)) {
		enum tail_state state = tail_look(tail, shipper->path);
		if (state != TAIL_STAYS && state != TAIL_CUT && tail_age(tail) >= SHIP_QUIET &&
		    has_successor(shipper, state))
			return tail_identify(tail, true) ? SHIPPED_FAILED : SHIPPED_ALL;
		if (ship_is_ending(shipper))
			return SHIPPED_ENDING;
		ship_wait(shipper, WAKE_INTERVAL);
	}
	return SHIPPED_FAILED; /* it is to be sent */
}

static void start_anew(struct shipper *shipper)
{
	struct tail *tail = &shipper->tail;
	tail->identity = 0;
	tail->input.begin = 0;
	shipper->generation = 0;
	shipper->emptied = true;
	shipper->before = shipper->counters.acknowledged;
	(void)line_source_rewind(&tail->input, &shipper->error); /* else it fails again */
	lag_set_position(&shipper->lag, 0);
}

/* The log has something else under the present name. */
static void start_generation(struct shipper *shipper)
{
	struct error error;
	error_set(&error, "%.400s: it is sent as another one", shipper->error.message);
	ship_complain(shipper, error.message);
	shipper->generation++;
}

/* Of a file that was just opened, or was emptied: then its first line may be the one that it had,
 * and it is another file all the same. FAILED: it is to be sent. */
static enum shipped find_generation(struct shipper *shipper)
{
	bool emptied = shipper->emptied;
	shipper->generation = 1;
	if (!ship_has_numbers(shipper))
		return SHIPPED_FAILED;
	enum shipped outcome = ship_find_generation(shipper);
	if (outcome != SHIPPED_PART)
		return outcome;
	shipper->generation += emptied && shipper->stored;
	shipper->emptied = false;
	return SHIPPED_FAILED;
}

enum shipped ship_file(struct shipper *shipper)
{
	shipper->before = shipper->counters.acknowledged;
	for (;;) {
		enum shipped outcome = SHIPPED_FAILED;
		if (!shipper->tail.identity)
			outcome = identify(shipper);
		if (outcome == SHIPPED_FAILED && !shipper->generation)
			outcome = find_generation(shipper);
		if (outcome == SHIPPED_FAILED)
			outcome = ship_once(shipper);
		if (outcome == SHIPPED_OTHER)
			start_generation(shipper);
		else if (outcome == SHIPPED_CUT)
			start_anew(shipper);
		else if (outcome == SHIPPED_SECTION)
			tail_begin_section(&shipper->tail);
		else if (outcome != SHIPPED_FAILED)
			return outcome;
		else if (!shipper->shortened)
			ship_pause(shipper);
		if (ship_is_ending(shipper))
			return SHIPPED_ENDING;
	}
}
