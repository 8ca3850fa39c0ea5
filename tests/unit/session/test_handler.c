/* SPDX-License-Identifier: MIT */
/* A service that shares nothing with those of the server: counted frames ("5:hello"), refusals in
 * its own words, no sent records, and state for each session. */
#include "session/handler.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"
#include "world.h"

enum { LIMIT = 100, DIGITS_MAX = 6, OVERHEAD = DIGITS_MAX + 1 };

/* Of one session. */
struct state {
	size_t skip;	  /* bytes of a refused frame that are still to come */
	unsigned answers; /* so far */
	char answer[16];
};

static atomic_int opened, closed, live;
static atomic_bool no_memory;

static void *open_state(void *service, struct responder *responder)
{
	ck_assert_ptr_eq(service, &live);
	ck_assert_str_ne(responder->target.name, "");
	if (no_memory)
		return NULL;
	opened++;
	live++;
	return calloc(1, sizeof(struct state));
}

static void close_state(void *state)
{
	closed++;
	live--;
	free(state);
}

static enum frame_result next_counted(struct line_splitter *received, bool flush, void *context,
				      struct frame *frame)
{
	struct state *state = context;
	const char *bytes;
	size_t length = line_remainder(received, &bytes), digits = 0, count = 0;
	size_t skipped = state->skip < length ? state->skip : length;
	(void)flush;
	line_skip(received, skipped);
	state->skip -= skipped;
	length = line_remainder(received, &bytes);
	while (digits < length && bytes[digits] >= '0' && bytes[digits] <= '9')
		count = count * 10 + (size_t)(bytes[digits++] - '0');
	if (digits > DIGITS_MAX || (digits < length && (!digits || bytes[digits] != ':')))
		return FRAME_MALFORMED;
	if (digits == length)
		return FRAME_NONE;
	if (count > received->limit - OVERHEAD) {
		state->skip = count;
		line_skip(received, digits + 1);
		return FRAME_TOO_LONG;
	}
	if (length < digits + 1 + count)
		return FRAME_NONE;
	line_skip(received, digits + 1 + count);
	*frame = (struct frame){bytes + digits + 1, count, 0};
	return FRAME_FOUND;
}

static size_t refuse(enum refusal refusal, const char *reason, char message[PROTOCOL_REFUSAL_MAX])
{
	static const char *const words[] = {[REFUSAL_CONNECTION] = "3:bye",
					    [REFUSAL_FRAME] = "3:bad",
					    [REFUSAL_RECORD] = "4:lost"};
	ck_assert_str_ne(reason, "");
	return (size_t)snprintf(message, PROTOCOL_REFUSAL_MAX, "%s", words[refusal]);
}

static size_t refuse_without_words(enum refusal refusal, const char *reason,
				   char message[PROTOCOL_REFUSAL_MAX])
{
	(void)refusal;
	(void)reason;
	(void)message;
	return 0;
}

/* Answers with the number of the frame in its session. */
static bool take(void *context, struct responder *responder, struct log_item *items, size_t count)
{
	struct state *state = context;
	bool taken = true;
	for (size_t i = 0; i < count && taken; i++) {
		int length =
			snprintf(state->answer, sizeof state->answer, "2:%02u", ++state->answers);
		items[i].answer = state->answer;
		items[i].answer_length = (size_t)length;
		items[i].raw = items[i].is_sent_record = true;
		taken = responder_submit(responder, &items[i], 1, true);
	}
	return taken;
}

static struct slice answer(void *context, const struct frame *frame)
{
	struct state *state = context;
	state->answers++;
	(void)frame;
	return slice_of("2:ok");
}

static const struct protocol counted = {.frame_name = "frame",
					.overhead = OVERHEAD,
					.raw_answers = true,
					.next = next_counted,
					.refuse = refuse};
static const struct protocol wordless = {.frame_name = "frame",
					 .overhead = OVERHEAD,
					 .raw_answers = true,
					 .next = next_counted,
					 .refuse = refuse_without_words};

static const struct handler numbering = {.protocol = &counted,
					 .no_sent_records = true,
					 .open = open_state,
					 .close = close_state,
					 .take = take};
static const struct handler agreeing = {.protocol = &counted,
					.no_sent_records = true,
					.open = open_state,
					.close = close_state,
					.answer = answer};
static const struct handler breaking = {.protocol = &wordless,
					.no_sent_records = true,
					.open = open_state,
					.close = close_state,
					.answer = answer};

static void open_world(const char *target, const struct handler *handler)
{
	world_open(target, 2, LIMIT, 0);
	world.settings.handler = handler;
	world.settings.service = &live;
}

static void begin(void)
{
	scratch_enter();
	opened = closed = live = 0;
}

static void send_string(int peer, const char *string)
{
	peer_send(peer, string, strlen(string));
}

/* Receives exactly that many bytes. */
static void assert_receives(int peer, const char *expected)
{
	char bytes[64] = "";
	size_t length = strlen(expected), got = 0;
	while (got < length) {
		ssize_t more = recv(peer, bytes + got, length - got, 0);
		ck_assert_msg(more > 0, "only '%s'", bytes);
		got += (size_t)more;
	}
	ck_assert_str_eq(bytes, expected);
}

static void assert_ended(int sessions)
{
	world_await(0);
	ck_assert_int_eq(opened, sessions);
	ck_assert_int_eq(closed, sessions);
	ck_assert_int_eq(live, 0);
}

START_TEST(frames_are_counted)
{
	open_world("log", _i ? &agreeing : &numbering);
	int peer = world_connect();
	send_string(peer, "5:hello3:a\nb0:");
	assert_receives(peer, _i ? "2:ok2:ok2:ok" : "2:012:022:03");
	send_string(peer, "1");
	send_string(peer, "0:0123");
	send_string(peer, "4567891:");
	send_string(peer, "x");
	assert_receives(peer, _i ? "2:ok2:ok" : "2:042:05");
	(void)close(peer);
	assert_ended(1);
	assert_logged(" received: hello\n", 1);
	assert_logged(" received: a\\x0ab\n", 1);
	assert_logged(" received: \n", 1);
	assert_logged(" received: 0123456789\n", 1);
	assert_logged(" received: x\n", 1);
	assert_logged(" sent: ", 0);
	world_close();
}
END_TEST

START_TEST(each_session_has_its_state)
{
	open_world("log", &numbering);
	int peers[] = {world_connect(), world_connect()};
	send_string(peers[0], "1:a1:b");
	assert_receives(peers[0], "2:012:02");
	send_string(peers[1], "1:c");
	assert_receives(peers[1], "2:01");
	ck_assert_int_eq(live, 2);
	(void)close(peers[0]);
	world_await(1);
	ck_assert_int_eq(live, 1);
	send_string(peers[1], "1:d");
	assert_receives(peers[1], "2:02");
	session_table_stop(world.table);
	(void)close(peers[1]);
	assert_ended(2);
	world_close();
}
END_TEST

START_TEST(many_frames_at_once_are_all_answered)
{
	enum { FRAMES = 1000 };
	static char frames[FRAMES * 4 + 1], answers[FRAMES * 4 + 1];
	open_world("log", &agreeing);
	int peer = world_connect();
	for (size_t i = 0; i < FRAMES; i++) {
		memcpy(frames + i * 4, "2:ab", 4);
		memcpy(answers + i * 4, "2:ok", 4);
	}
	send_string(peer, frames);
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, answers);
	assert_ended(1);
	assert_logged(" received: ", FRAMES);
	world_close();
}
END_TEST

START_TEST(a_long_frame_is_refused_and_skipped)
{
	char frame[LIMIT + 16];
	open_world("log", _i ? &agreeing : &numbering);
	int peer = world_connect();
	(void)snprintf(frame, sizeof frame, "%d:%0*d", LIMIT, LIMIT, 7);
	send_string(peer, frame);
	(void)snprintf(frame, sizeof frame, "%d:%0*d", LIMIT + 1, LIMIT + 1, 8);
	send_string(peer, frame);
	send_string(peer, "1:a");
	assert_receives(peer, _i ? "2:ok3:bad2:ok" : "2:013:bad2:02");
	(void)close(peer);
	assert_ended(1);
	assert_logged(" received: ", 2);
	assert_logged(" frame longer than 100 bytes\n", 1);
	assert_logged(" sent: ", 0);
	world_close();
}
END_TEST

START_TEST(behind_a_malformed_frame_nothing_is_read)
{
	open_world("log", _i ? &agreeing : &numbering);
	int peer = world_connect();
	send_string(peer, "1:axyz1:b");
	assert_last(peer, _i ? "2:ok3:bad" : "2:013:bad");
	assert_ended(1);
	assert_logged(" received: ", 1);
	assert_logged(" malformed frame\n", 1);
	world_close();
}
END_TEST

START_TEST(an_incomplete_frame_is_logged_and_not_answered)
{
	open_world("log", &numbering);
	int peer = world_connect();
	send_string(peer, "1:a5:hel");
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "2:01");
	assert_ended(1);
	assert_logged(" incomplete last frame: 5:hel\n", 1);
	world_close();
}
END_TEST

START_TEST(a_frame_that_is_not_logged_is_refused_in_its_words)
{
	open_world("/dev/full", _i ? &agreeing : &numbering);
	int peer = world_connect();
	send_string(peer, "1:a1:b");
	assert_receives(peer, "4:lost4:lost");
	send_string(peer, "1:c"); /* the connection lives on */
	assert_receives(peer, "4:lost");
	(void)close(peer);
	assert_ended(1);
	ck_assert(!world_end());
}
END_TEST

START_TEST(without_words_the_connection_is_closed)
{
	open_world("/dev/full", &breaking);
	int peer = world_connect();
	send_string(peer, "1:a1:b");
	assert_last(peer, "");
	assert_ended(1);
	ck_assert(!world_end());
	open_world("log", &breaking);
	peer = world_connect();
	send_string(peer, "1:a101:");
	assert_last(peer, "2:ok");
	assert_ended(2);
	world_close();
}
END_TEST

START_TEST(one_too_many_is_refused_in_its_words)
{
	open_world("log", &numbering);
	int peers[] = {world_connect(), world_connect()}, third = tcp_connect(world.port);
	struct pollfd refused = {.fd = third, .events = POLLIN};
	while (poll(&refused, 1, 0) == 0)
		world_turn(10);
	assert_last(third, "3:bye");
	(void)close(peers[0]);
	(void)close(peers[1]);
	assert_ended(2);
	world_close();
}
END_TEST

START_TEST(without_memory_for_its_state_it_is_closed)
{
	open_world("log", &numbering);
	no_memory = true;
	int peer = tcp_connect(world.port);
	struct pollfd ended = {.fd = peer, .events = POLLIN};
	while (poll(&ended, 1, 0) == 0)
		world_turn(10);
	no_memory = false;
	assert_last(peer, "");
	assert_ended(0);
	assert_logged(" closed: out of memory\n", 1);
	world_close();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("handler");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_loop_test(cases, frames_are_counted, 0, 2);
	tcase_add_test(cases, each_session_has_its_state);
	tcase_add_test(cases, many_frames_at_once_are_all_answered);
	tcase_add_loop_test(cases, a_long_frame_is_refused_and_skipped, 0, 2);
	tcase_add_loop_test(cases, behind_a_malformed_frame_nothing_is_read, 0, 2);
	tcase_add_test(cases, an_incomplete_frame_is_logged_and_not_answered);
	tcase_add_loop_test(cases, a_frame_that_is_not_logged_is_refused_in_its_words, 0, 2);
	tcase_add_test(cases, without_words_the_connection_is_closed);
	tcase_add_test(cases, one_too_many_is_refused_in_its_words);
	tcase_add_test(cases, without_memory_for_its_state_it_is_closed);
	int status = unit_main("handler", cases, NULL);
	scratch_remove();
	return status;
}
