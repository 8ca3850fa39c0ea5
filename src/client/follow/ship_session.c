/* SPDX-License-Identifier: MIT */
/* The client sessions in which files are sent, and what they say back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/follow/ship_session.h"
#include "client/workload/workload.h"
#include "once/fnv.h"

/* The longest pauses before a server is tried again: one that is not there, or has lost the
 * connection; and one that has refused what it was told, which may stay so, and costs it a line. */
#define SHIP_MAX_PAUSE (10 * CLOCK_SECOND)
#define SHIP_MAX_REFUSED (60 * CLOCK_SECOND)

void shipping_complain(struct shipping *shipping, const char *message)
{
	pthread_mutex_lock(&shipping->output);
	progress_bar_clear(&shipping->progress);
	program_complain(shipping->program, message);
	pthread_mutex_unlock(&shipping->output);
}

void ship_complain(const struct shipper *shipper, const char *message)
{
	char text[sizeof shipper->error.message + 256];
	(void)snprintf(text, sizeof text, "%.200s: %s", shipper->path, message);
	shipping_complain(shipper->shipping, text);
}

void ship_wait(struct shipper *shipper, int64_t time)
{
	struct pollfd waiting = {.fd = shipper->wake.events, .events = POLLIN};
	wake_clear(&shipper->wake);
	(void)clock_poll(&waiting, 1, clock_after(time)); /* it is looked at in any case */
}

struct slice ship_tag(const struct shipper *shipper)
{
	return (struct slice){shipper->tag.bytes, shipper->tag.length};
}

void ship_set_limit(struct shipper *shipper)
{
	size_t tag = shipper->tag.length;
	line_source_limit(&shipper->tail.input, shipper->limit > tag ? shipper->limit - tag : 1);
}

/* The bytes of the file that are acknowledged; what is in flight has its tags. */
static int64_t acknowledged_bytes(const struct shipper *shipper, uint64_t open)
{
	int64_t position = line_source_position(&shipper->tail.input);
	if (!shipper->session)
		return position;
	return position - (int64_t)client_session_open_bytes(shipper->session) +
	       (int64_t)(open * shipper->tag.length);
}

void ship_tell(struct shipper *shipper)
{
	const struct counters *counters = &shipper->counters;
	uint64_t open = counters->sent - counters->acknowledged;
	atomic_store(&shipper->sent, shipper->unanswered + counters->sent + counters->resent);
	atomic_store(&shipper->acknowledged, counters->acknowledged);
	atomic_store(&shipper->open, open);
	lag_set_position(&shipper->lag, acknowledged_bytes(shipper, open));
}

/* --- callbacks of the session --- */

static void connected(void *context, size_t connection, const char *local_name)
{
	(void)context;
	(void)connection;
	(void)local_name;
}

static void lost(void *context, const char *reason)
{
	const struct shipper *shipper = context;
	struct error error;
	error_set(&error, "%.400s; trying again", reason);
	ship_complain(shipper, error.message);
}

/* The server says how long a line may be: the next attempt keeps to it. */
static bool refused(void *context, struct slice answer, struct slice *line)
{
	struct shipper *shipper = context;
	size_t limit;
	(void)line; /* the numbers of the lines behind it are those of the file */
	if (!answer_has_limit(answer, &limit) || limit >= shipper->limit)
		return false;
	shipper->limit = limit;
	shipper->shortened = true;
	return false;
}

static bool resumed(void *context, uint64_t last, uint64_t hash)
{
	struct shipper *shipper = context;
	enum tail_place place =
		tail_find(&shipper->tail, last, hash, ship_tag(shipper), &shipper->error);
	ship_set_limit(shipper);
	shipper->half = false;
	shipper->within = place == TAIL_WITHIN;
	shipper->other = place == TAIL_NOWHERE;
	if (shipper->other)
		error_set(&shipper->error, "line %" PRIu64 " of %s is not in the file", last,
			  shipper->sender);
	return place == TAIL_BEHIND || place == TAIL_WITHIN;
}

/* --- a session --- */

bool ship_has_numbers(const struct shipper *shipper)
{
	return workloads[shipper->shipping->options->service].numbers;
}

static void set_session(struct shipper *shipper, struct client_session *session)
{
	pthread_mutex_lock(&shipper->mutex);
	shipper->session = session;
	if (session && atomic_load(&shipper->shipping->is_stopped))
		client_session_stop(session);
	pthread_mutex_unlock(&shipper->mutex);
}

void ship_close(struct shipper *shipper)
{
	struct client_session *session = shipper->session;
	if (session) {
		pthread_mutex_lock(&shipper->shipping->output);
		served_add(&shipper->shipping->served, session);
		pthread_mutex_unlock(&shipper->shipping->output);
		shipper->turn.at = client_session_host(session);
	}
	set_session(shipper, NULL);
	client_session_free(session);
}

/* Why a function of the session has returned false. */
enum shipped ship_failure(struct shipper *shipper)
{
	if (atomic_load(&shipper->shipping->is_stopped))
		return SHIPPED_ENDING;
	if (shipper->other)
		return SHIPPED_OTHER;
	const struct client_options *options = shipper->shipping->options;
	bool again = shipper->shortened ? options->long_lines != LONG_FAIL
					: options->retry == CLOCK_NEVER;
	return again ? SHIPPED_FAILED : SHIPPED_NEVER;
}

enum shipped ship_open(struct shipper *shipper)
{
	const struct client_options *options = shipper->shipping->options;
	const struct client_session_settings settings = {
		.hosts = &options->hosts,
		.host = shipper->turn.at,
		.stream_type = options->stream_type,
		.connections = 1,
		.window = (size_t)options->window,
		.gathers = options->window > 1,
		.waits = true,
		.small = shipper->many,
		.timeout = options->timeout,
		.retry = options->retry,
		.max_pause = SHIP_MAX_PAUSE,
		.answers = ship_has_numbers(shipper) ? &answers_once : &answers_ok,
		.stop = shipper->shipping->stop,
		.counters = &shipper->counters,
		.latency = shipper->latency,
		.connected = connected,
		.lost = lost,
		.refused = refused,
		.context = shipper,
		.sender = ship_has_numbers(shipper) ? shipper->sender : NULL,
		.resume = resumed,
	};
	shipper->other = shipper->shortened = shipper->half = shipper->within = false;
	shipper->opened = CLOCK_NEVER;
	/* lines that were open in a session before are sent again */
	shipper->unanswered += shipper->counters.sent - shipper->counters.acknowledged;
	shipper->counters.sent = shipper->counters.acknowledged;
	tail_name(&shipper->tail, options->source ? options->source : "", shipper->path,
		  shipper->generation, shipper->sender);
	struct client_session *session = client_session_make(&settings, &shipper->error);
	if (!session)
		return SHIPPED_FAILED;
	set_session(shipper, session);
	if (!client_session_open(session))
		return ship_failure(shipper);
	shipper->opened = clock_now();
	return SHIPPED_PART;
}

void ship_pause(struct shipper *shipper)
{
	struct error message;
	error_set(&message, "%.400s; trying again", shipper->error.message);
	if (clock_now() - shipper->opened >= SHIP_MAX_REFUSED) { /* it was well for a while */
		shipper->pause = 0;
		memset(shipper->told, 0, sizeof shipper->told);
		host_turn_works(&shipper->turn);
	}
	uint64_t hash = fnv1a_64(message.message, strlen(message.message));
	uint64_t *told = &shipper->told[shipper->turn.at];
	if (*told != hash)
		ship_complain(shipper, message.message);
	*told = hash;
	if (!host_turn_fails(&shipper->turn))
		return; /* the next host is tried at once */
	shipper->pause = clock_backoff(shipper->pause, SHIP_MAX_REFUSED);
	struct pollfd waiting = {.fd = shipper->shipping->ending, .events = POLLIN};
	(void)clock_poll(&waiting, 1, clock_after(shipper->pause)); /* looked at by the caller */
}

/* --- what the log has --- */

/* What comes behind half a line that was sent: its line end, or the first bytes of a section. */
enum shipped ship_go_on_within(struct shipper *shipper)
{
	struct line_splitter *lines = &shipper->tail.input.lines;
	const char *bytes;
	size_t length = line_remainder(lines, &bytes);
	if (!length || (length == 1 && *bytes == '\r'))
		return SHIPPED_PART;
	size_t end = *bytes == '\n' ? 1 : length > 1 && !memcmp(bytes, "\r\n", 2) ? 2 : 0;
	if (!end)
		return SHIPPED_SECTION;
	line_skip(lines, end);
	shipper->within = false;
	return SHIPPED_PART;
}

/* Opens a session only to see what the log has under the present name; OTHER: another file. */
static enum shipped ask(struct shipper *shipper, bool *has)
{
	enum shipped outcome;
	do {
		outcome = ship_open(shipper);
		*has = outcome == SHIPPED_OTHER ||
		       (outcome == SHIPPED_PART && client_session_stored(shipper->session));
		if (outcome != SHIPPED_PART)
			ship_close(shipper);
		if (outcome == SHIPPED_FAILED)
			ship_pause(shipper);
	} while (outcome == SHIPPED_FAILED && !ship_is_ending(shipper));
	return outcome;
}

enum shipped ship_find_generation(struct shipper *shipper)
{
	enum shipped outcome;
	bool has, any = false;
	shipper->generation = 0;
	do {
		shipper->generation++;
		outcome = ask(shipper, &has);
		ship_close(shipper);
		any |= has;
	} while (has);
	/* where it is not the one that was sent last, that becomes clear when it is sent */
	shipper->generation -= any;
	shipper->stored = any;
	return outcome;
}

enum ship_known ship_ask(struct shipper *shipper)
{
	struct tail *tail = &shipper->tail;
	enum ship_known known = KNOWN_NOT;
	bool has, more = true;
	if (!tail->identity && !tail_identify(tail, true))
		return KNOWN_NOT;
	if (ship_find_generation(shipper) != SHIPPED_PART)
		return KNOWN_ENDING;
	while (more) {
		more = false;
		enum shipped outcome = ask(shipper, &has);
		if (outcome == SHIPPED_OTHER)
			return known;
		if (outcome != SHIPPED_PART)
			return KNOWN_ENDING;
		if (has && shipper->within && line_source_read(&tail->input, &shipper->error) == 0)
			more = ship_go_on_within(shipper) == SHIPPED_SECTION;
		if (has)
			known = tail_behind(tail) > 0 ? KNOWN_PART : KNOWN_ALL;
		ship_close(shipper);
		if (more)
			tail_begin_section(tail);
	}
	return known;
}
