/* SPDX-License-Identifier: MIT */
/* The service once above a sink that completes late, out of order, and fails: each line is stored
 * once, and no answer says more than what is stored. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"
#include "once/fnv.h"
#include "once_fixture.h"
#include "service/table.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"
#include "world.h"

enum {
	SENDERS = 4,
	CLIENTS = 6, /* the last ones fight for the senders of the first */
	LINES = 1500,
	WINDOW = 40, /* lines that are sent without reading an answer */
	LINE_SIZE = 64,
};

/* --- what the sink has stored --- */

static atomic_uint_fast64_t stored[SENDERS]; /* the last number of each */
static atomic_uint failed, known, sent, noted;

static size_t write_line(char line[LINE_SIZE], size_t sender, uint64_t number)
{
	return (size_t)snprintf(line, LINE_SIZE, "line %" PRIu64 " of s%zu", number, sender);
}

static uint64_t hash_of(size_t sender, uint64_t number)
{
	char line[LINE_SIZE];
	return fnv1a_64(line, write_line(line, sender, number));
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The sender that stands there, as sN. */
static size_t cut_sender(struct slice *rest)
{
	uint64_t sender = 0;
	check(slice_skip(rest, "s") && slice_number(rest, &sender) && sender < SENDERS);
	return sender;
}

/* A note `known` states what is stored, not less and not more. */
static void take_note(struct slice note)
{
	uint64_t count, number = 0;
	noted++;
	if (!slice_skip(&note, "known "))
		return;
	struct slice rest = note;
	if (slice_number(&rest, &count) && slice_equals(rest, " senders"))
		return;
	size_t sender = cut_sender(&note);
	check(slice_skip(&note, " ") && slice_number(&note, &number) && slice_skip(&note, " "));
	char hash[32];
	(void)snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(sender, number));
	check(number == stored[sender] && slice_equals(note, hash));
	known++;
}

static void take_stored(const struct sink_record *record)
{
	const char *bytes = sink_record_bytes(record) + record->subject_length;
	struct slice text = {bytes, record->length};
	sent += record->event == RECORD_SENT;
	if (record->event == RECORD_NOTE)
		take_note(text);
	if (record->event != RECORD_RECEIVED)
		return;
	check(record->field_count == 2 && !strcmp(record->fields[0].name, RECORD_SENDER) &&
	      !strcmp(record->fields[1].name, RECORD_NUMBER));
	struct slice name = {bytes + record->length, record->fields[0].length};
	struct slice digits = {name.bytes + name.length, record->fields[1].length};
	size_t sender = cut_sender(&name);
	uint64_t number;
	char line[LINE_SIZE];
	check(slice_number(&digits, &number) && !digits.length);
	check(number == stored[sender] + 1);
	check(slice_same(text, (struct slice){line, write_line(line, sender, number)}));
	stored[sender] = number;
}

static void take_failed(const struct sink_record *record, unsigned failure)
{
	(void)failure;
	failed += record->event == RECORD_RECEIVED;
}

static void ignore_failure(unsigned failure)
{
	(void)failure;
}

/* Opens the server above a sink in which one batch of so many fails, or batch number `fail_at`. */
static void open_late(unsigned fail, unsigned fail_at, int in_flight, bool own)
{
	late_settings = (struct late_settings){.in_flight = in_flight,
					       .fail = fail,
					       .fail_at = fail_at,
					       .stored = take_stored,
					       .failed = take_failed,
					       .known = ignore_failure};
	once_open("late:", CLIENTS + 1, own);
}

/* --- clients; in their threads, which do not assert --- */

struct uploader {
	pthread_t thread;
	int peer;
	size_t sender;
	bool fights;
	uint64_t next, lines; /* numbers: of the next line, of the last one */
	unsigned gaps, stolen, had, retries;
	struct line_stream *answers;
	char bytes[65536];
	size_t length;
};

static atomic_uint running;
static pthread_barrier_t all_began; /* of those that fight: before, one could be done already */

static void send_string(struct uploader *client, const char *string)
{
	size_t length = strlen(string);
	while (length) {
		ssize_t some = write(client->peer, string, length);
		check(some > 0);
		string += some;
		length -= (size_t)some;
	}
}

/* Receives an answer. */
static void receive(struct uploader *client, char answer[256])
{
	char *feed;
	while (!(feed = memchr(client->bytes, '\n', client->length))) {
		ssize_t some = read(client->peer, client->bytes + client->length,
				    sizeof client->bytes - client->length);
		check(some > 0);
		client->length += (size_t)some;
	}
	size_t length = (size_t)(feed - client->bytes);
	check(length < 256);
	memcpy(answer, client->bytes, length);
	answer[length] = '\0';
	client->length -= length + 1;
	memmove(client->bytes, feed + 1, client->length);
}

/* Asks what the log has, and begins there, or a few numbers before. */
static void begin(struct uploader *client)
{
	char line[64], answer[256], hash[32];
	uint64_t last = 0;
	(void)snprintf(line, sizeof line, "from s%zu ?\n", client->sender);
	send_string(client, line);
	receive(client, answer);
	struct slice rest = slice_of(answer);
	check(slice_skip(&rest, "ok ") && slice_number(&rest, &last));
	check(last <= stored[client->sender]);
	(void)snprintf(hash, sizeof hash, " %016" PRIx64, hash_of(client->sender, last));
	check(slice_equals(rest, last ? hash : ""));
	client->next = last > 3 ? last - 3 : 1;
	(void)snprintf(line, sizeof line, "from s%zu %" PRIu64 "\n", client->sender, client->next);
	send_string(client, line);
	receive(client, answer);
	check(slice_begins(slice_of(answer), "ok "));
}

static void send_window(struct uploader *client, size_t count)
{
	char lines[WINDOW * LINE_SIZE];
	size_t length = 0;
	for (size_t i = 0; i < count; i++) {
		length += write_line(lines + length, client->sender, client->next + i);
		lines[length++] = '\n';
	}
	lines[length] = '\0';
	send_string(client, lines);
}

/* Whether the line is stored, as its answer says. */
static bool take_answer(struct uploader *client, uint64_t number)
{
	char answer[256];
	uint64_t due;
	receive(client, answer);
	struct slice rest = slice_of(answer);
	bool had = slice_equals(rest, "had");
	client->had += had;
	if (had || slice_equals(rest, "ok")) {
		check(number <= stored[client->sender]);
		return true;
	}
	if (slice_skip(&rest, "error: gap: ")) {
		check(slice_number(&rest, &due) && slice_equals(rest, " is due"));
		check(due < number && due <= stored[client->sender] + 1);
		client->gaps++;
	} else if (slice_equals(slice_of(strchr(answer, ' ') + 4), "is sent from elsewhere")) {
		check(client->fights);
		client->stolen++;
	} else {
		check(slice_begins(slice_of(answer), "error: not logged: "));
	}
	return false;
}

static void *run(void *argument)
{
	struct uploader *client = argument;
	bool good = false;
	unsigned windows = 0;
	while (stored[client->sender] < client->lines) {
		if (!good)
			begin(client);
		good = true;
		size_t count = 1 + client->next * 7 % WINDOW;
		if (client->next + count > client->lines + 1)
			count = client->lines + 1 - client->next;
		send_window(client, count);
		for (size_t i = 0; i < count; i++)
			good &= take_answer(client, client->next + i);
		client->next += count;
		good &= client->next <= client->lines;
		client->retries += !good;
		if (++windows == 1 && client->fights)
			(void)pthread_barrier_wait(&all_began);
		if (client->next % 5 == 0)
			log_reopen(world.log, NULL);
	}
	running--;
	return NULL;
}

static struct uploader clients[CLIENTS];

static void run_all(size_t count, uint64_t lines)
{
	running = (unsigned)count;
	ck_assert_int_eq(pthread_barrier_init(&all_began, NULL, (unsigned)count), 0);
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct uploader){.peer = world_connect(),
					       .sender = i % SENDERS,
					       .lines = lines,
					       .fights = count > SENDERS};
		ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, run, &clients[i]), 0);
	}
	while (running)
		world_turn(10);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(pthread_join(clients[i].thread, NULL), 0);
		(void)close(clients[i].peer);
	}
	pthread_barrier_destroy(&all_began);
	for (size_t i = 0; i < SENDERS; i++)
		ck_assert_uint_eq(stored[i], lines);
}

START_TEST(each_line_is_stored_once_over_failures)
{
	open_late(20, 0, _i < 2 ? 1 : SINK_IN_FLIGHT_MAX, _i % 2);
	run_all(SENDERS, LINES);
	late_settings.fail = 0;
	once_close();
	unsigned gaps = 0, stolen = 0;
	for (size_t i = 0; i < SENDERS; i++) {
		gaps += clients[i].gaps;
		stolen += clients[i].stolen;
	}
	ck_assert_uint_gt(failed, 0);
	ck_assert_uint_gt(gaps, 0);
	ck_assert_uint_eq(stolen, 0);
	ck_assert_uint_gt(known, 0);
	ck_assert_uint_eq(sent, SENDERS * LINES);
}
END_TEST

/* Commit 1, 2 and so on fails, each in a run of its own. */
START_TEST(each_commit_fails_in_turn)
{
	enum { COMMITS = 30 };
	for (unsigned at = 1; at <= COMMITS; at++) {
		failed = 0;
		for (size_t i = 0; i < SENDERS; i++)
			stored[i] = 0;
		open_late(0, at, _i < 2 ? 1 : SINK_IN_FLIGHT_MAX, _i % 2);
		/* a window takes a commit at least, however many senders share it */
		run_all(SENDERS, (uint64_t)at * WINDOW);
		once_close();
		ck_assert_uint_eq(late_settings.fail_at, 0); /* it has failed */
	}
}
END_TEST

START_TEST(connections_that_fight_store_it_once_too)
{
	open_late(_i < 2 ? 0 : 30, 0, SINK_IN_FLIGHT_MAX, _i % 2);
	run_all(CLIENTS, LINES);
	late_settings.fail = 0;
	once_close();
	unsigned stolen = 0, had = 0;
	for (size_t i = 0; i < CLIENTS; i++) {
		stolen += clients[i].stolen;
		had += clients[i].had;
	}
	ck_assert_uint_gt(stolen, 0);
	ck_assert_uint_gt(had, 0);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("once, late");
	tcase_add_loop_test(cases, each_line_is_stored_once_over_failures, 0, 4);
	tcase_add_loop_test(cases, each_commit_fails_in_turn, 0, 4);
	tcase_add_loop_test(cases, connections_that_fight_store_it_once_too, 0, 4);
	int status = unit_main("once, late", cases, NULL);
	scratch_remove();
	return status;
}
