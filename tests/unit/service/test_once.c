/* SPDX-License-Identifier: MIT */
/* The service once above a sink that completes late, out of order, and fails: each line is stored
 * once, and no answer says more than what is stored. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/slice.h"
#include "once/fnv.h"
#include "service/once_client.h"
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

static struct service_settings settings;

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
	uint64_t sender;
	check(slice_skip(rest, "s") && slice_number(rest, &sender) && sender < SENDERS);
	return sender;
}

/* A note `known` states what is stored, not less and not more. */
static void take_note(struct slice note)
{
	uint64_t count, number;
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

/* --- the server --- */

static void open_service(const char *log, unsigned fail, int in_flight)
{
	static const struct sink_type *const types[] = {&sink_file, &sink_late, &sink_hook, NULL};
	static union service_own_options own;
	struct error error;
	for (const struct option_spec *spec = service_once.options; spec->name; spec++)
		option_unset(spec, &own);
	scratch_enter();
	file_write("empty", "");
	sink_types = types;
	if (log == NULL) {
		late_settings = (struct late_settings){.in_flight = in_flight,
						       .fail = fail,
						       .stored = take_stored,
						       .failed = take_failed,
						       .known = ignore_failure};
	}
	world_open(log ? log : "late:", CLIENTS + 1, 1000, 0);
	settings = (struct service_settings){.options = {.own = &own},
					     .log = world.log,
					     .log_name = "empty",
					     .sync = LOG_SYNC_WRITE};
	world.settings.handler = &service_once.handler;
	ck_assert_ptr_nonnull(world.settings.service = service_once.start(&settings, &error));
}

static void close_service(void)
{
	session_table_stop(world.table);
	world_await(0);
	ck_assert(log_flush(world.log, clock_after(20 * CLOCK_SECOND)));
	service_once.stop(world.settings.service);
	(void)world_end();
}

/* --- clients; in their threads, which do not assert --- */

struct uploader {
	pthread_t thread;
	int peer;
	size_t sender;
	bool fights;
	uint64_t next; /* number */
	unsigned gaps, stolen, had, retries;
	struct line_stream *answers;
	char bytes[65536];
	size_t length;
};

static atomic_uint running;

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
	uint64_t last;
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
	while (stored[client->sender] < LINES) {
		if (!good)
			begin(client);
		good = true;
		size_t count = 1 + client->next * 7 % WINDOW;
		if (client->next + count > LINES + 1)
			count = LINES + 1 - client->next;
		send_window(client, count);
		for (size_t i = 0; i < count; i++)
			good &= take_answer(client, client->next + i);
		client->next += count;
		good &= client->next <= LINES;
		client->retries += !good;
		if (client->next % 5 == 0)
			log_reopen(world.log, NULL);
	}
	running--;
	return NULL;
}

static struct uploader clients[CLIENTS];

static void run_all(size_t count)
{
	running = (unsigned)count;
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct uploader){
			.peer = world_connect(), .sender = i % SENDERS, .fights = count > SENDERS};
		ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, run, &clients[i]), 0);
	}
	while (running)
		world_turn(10);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(pthread_join(clients[i].thread, NULL), 0);
		(void)close(clients[i].peer);
	}
	for (size_t i = 0; i < SENDERS; i++)
		ck_assert_uint_eq(stored[i], LINES);
}

static void own_receivers(int own)
{
	if (own)
		world_use_own();
	else
		world_use_groups();
}

START_TEST(each_line_is_stored_once_over_failures)
{
	own_receivers(_i % 2);
	open_service(NULL, 20, _i < 2 ? 1 : SINK_IN_FLIGHT_MAX);
	run_all(SENDERS);
	late_settings.fail = 0;
	close_service();
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

START_TEST(connections_that_fight_store_it_once_too)
{
	own_receivers(_i % 2);
	open_service(NULL, _i < 2 ? 0 : 30, SINK_IN_FLIGHT_MAX);
	run_all(CLIENTS);
	late_settings.fail = 0;
	close_service();
	unsigned stolen = 0, had = 0;
	for (size_t i = 0; i < CLIENTS; i++) {
		stolen += clients[i].stolen;
		had += clients[i].had;
	}
	ck_assert_uint_gt(stolen, 0);
	ck_assert_uint_gt(had, 0);
}
END_TEST

/* --- answers, one by one --- */

static void assert_says(int peer, const char *lines, const char *answers)
{
	size_t count = count_of(answers, "\n");
	peer_send(peer, lines, strlen(lines));
	char *got = peer_lines(peer, count);
	ck_assert_str_eq(got, answers);
	free(got);
}

START_TEST(what_is_said_is_answered)
{
	own_receivers(_i);
	open_service("log", 0, 0);
	int one = world_connect(), other = world_connect();
	assert_says(one, "hello\nfrom a 017\n",
		    "error: say from NAME NUMBER first\nerror: say from NAME NUMBER first\n");
	assert_says(one, "from a ?\nfrom a 1\nfoobar\n", "ok 0\nok 0\nok\n");
	assert_says(one, "from a ?\n", "ok 1 85944171f73967e8\n");
	assert_says(one, "from b 17\nx\r\nfrom a 1\nfoobar\n",
		    "ok 0\nok\nok 1 85944171f73967e8\nhad\n");
	assert_says(one, "from a 1\nother\ntwo\n",
		    "ok 1 85944171f73967e8\nerror: a differs at 1\nok\n");
	assert_says(one, "from a 4\nfour\n", "error: gap: 3 is due\nerror: gap: 3 is due\n");
	assert_says(one, "from a 1\n1\n2\n3\n",
		    "ok 2 5714d319447c9709\nhad\nerror: a differs at 2\nok\n");
	assert_says(other, "from a 4\n", "ok 3 af63ae4c86019e62\n");
	assert_says(one, "four\n", "error: a is sent from elsewhere\n");
	assert_says(other, "four\nfrom a ?\n", "ok\nok 4 dd33fe790c41dde5\n");
	assert_says(one, "from a ?\nfive\n",
		    "ok 4 dd33fe790c41dde5\nerror: a is sent from elsewhere\n");
	assert_says(one, "from a x\nfrom a 5\nfrom a b 6\n",
		    "error: a is sent from elsewhere\nok 4 dd33fe790c41dde5\nok\n");
	(void)close(one);
	(void)close(other);
	world_await(0);
	assert_logged(" b begins at 17\n", 1);
	assert_logged(" begins at ", 1);
	assert_logged(" a#2 received: two\n", 1);
	assert_logged(" received: ", 6);
	assert_logged(" sent: ", 6);
	close_service();
}
END_TEST

START_TEST(a_long_line_has_a_number)
{
	char line[1100];
	own_receivers(_i);
	open_service("log", 0, 0);
	int peer = world_connect();
	memset(line, 'x', 1001);
	strcpy(line + 1001, "\n");
	peer_send(peer, line, strlen(line));
	assert_says(peer, "from a 1\none\n", "error: line longer than 1000 bytes\nok 0\nok\n");
	peer_send(peer, line, strlen(line));
	assert_says(peer, "three\nfrom a 3\nfrom a 2\ntwo\n",
		    "error: line longer than 1000 bytes\nerror: gap: 2 is due\n"
		    "error: gap: 2 is due\nok 1 1a08aa1921ca5caf\nok\n");
	(void)close(peer);
	close_service();
}
END_TEST

/* Groups of other connections than the owner's settle in no order, and `from` counts groups. */
START_TEST(a_long_line_counts_only_from_the_owner)
{
	char line[1100];
	memset(line, 'x', 1001);
	strcpy(line + 1001, "\n");
	own_receivers(_i);
	open_service("log", 0, 0);
	int peer = world_connect(), owner = world_connect();
	assert_says(peer, "from a 1\none\n", "ok 0\nok\n");
	assert_says(owner, "from a 2\n", "ok 1 1a08aa1921ca5caf\n");
	assert_says(peer, line, "error: line longer than 1000 bytes\n");
	struct once *once = world.settings.service;
	pthread_mutex_lock(&once->lock);
	ck_assert_uint_eq(senders_find(&once->senders, slice_of("a"))->given, 1);
	pthread_mutex_unlock(&once->lock);
	(void)close(peer);
	(void)close(owner);
	close_service();
}
END_TEST

/* --- a line for which there is no memory, and a claim just before --- */

static atomic_bool starves;
static pthread_t tester;
static struct sender *claimed;
static uint64_t mark;

/* Fails when a line has its number and is submitted to the log. */
static void *claim_and_fail(void *bytes, size_t size)
{
	struct once *once = world.settings.service;
	if (!starves || pthread_equal(pthread_self(), tester))
		return realloc(bytes, size);
	pthread_mutex_lock(&once->lock);
	struct sender *sender = senders_find(&once->senders, slice_of("a"));
	bool given = sender->next == 2;
	if (given) {
		senders_reference(claimed = sender);
		mark = sender_claim(sender, &mark);
		starves = false;
	}
	pthread_mutex_unlock(&once->lock);
	return given ? NULL : realloc(bytes, size);
}

START_TEST(a_claim_does_not_wait_for_a_line_without_memory)
{
	own_receivers(_i);
	tester = pthread_self();
	memory_realloc = claim_and_fail;
	open_service("log", 0, 0);
	int peer = world_connect();
	assert_says(peer, "from a 1\n", "ok 0\n");
	starves = true;
	peer_send(peer, "one\n", 4);
	assert_last(peer, "");
	world_await(0);
	ck_assert(!starves);
	struct once *once = world.settings.service;
	pthread_mutex_lock(&once->lock);
	ck_assert(sender_is_settled(claimed, mark));
	ck_assert_uint_eq(claimed->next, 1);
	senders_release(&once->senders, claimed);
	pthread_mutex_unlock(&once->lock);
	close_service();
	memory_realloc = realloc;
}
END_TEST

START_TEST(numbers_end)
{
	own_receivers(_i);
	open_service("log", 0, 0);
	int peer = world_connect();
	assert_says(peer,
		    "from a 9223372036854775807\n1\n2\n3\n4\nfrom a ?\n"
		    "from a 9223372036854775808\n2\n",
		    "ok 0\nok\nok\n"
		    "error: not logged: numbers end at 9223372036854775808\n"
		    "error: not logged: numbers end at 9223372036854775808\n"
		    "ok 9223372036854775808 af63af4c8601a015\n"
		    "ok 9223372036854775808 af63af4c8601a015\nhad\n");
	(void)close(peer);
	close_service();
}
END_TEST

/* Both say it again and again, behind lines that are not answered yet. */
START_TEST(a_storm_of_from_is_answered)
{
	enum { ROUNDS = 300 };
	static char lines[ROUNDS * 64];
	size_t length = 0;
	own_receivers(_i);
	open_service("log", 0, 0);
	int peers[] = {world_connect(), world_connect(), world_connect()};
	for (int i = 0; i < ROUNDS; i++)
		length +=
			(size_t)sprintf(lines + length, "from a 1\none\nfrom a ?\nfrom b%d 1\n", i);
	for (int i = 0; i < 3; i++)
		peer_send(peers[i], lines, length);
	for (int i = 0; i < 3; i++) {
		char *answers = peer_lines(peers[i], 4 * ROUNDS);
		ck_assert_uint_eq(count_of(answers, "\n"), 4 * ROUNDS);
		ck_assert_uint_eq(count_of(answers, "error: a is sent from elsewhere\n") +
					  count_of(answers, "\nok\n") + count_of(answers, "had\n"),
				  ROUNDS);
		free(answers);
		(void)close(peers[i]);
	}
	world_await(0);
	assert_logged(" a#1 received: one\n", 1);
	assert_logged(" received: ", 1);
	close_service();
}
END_TEST

/* --- a commit that the test holds --- */

static struct sink_batch *_Atomic held;
static atomic_bool holds;
static atomic_uint lines_stored;

static int hold(struct sink_batch *batch)
{
	const struct iovec *part = &batch->parts[1];
	const char *end = (const char *)part->iov_base + part->iov_len;
	if (part->iov_len && holds && memmem(part->iov_base, part->iov_len, "received", 8)) {
		holds = false;
		held = batch;
		return SINK_PENDING;
	}
	for (const char *at = part->iov_base; at && at < end; at++)
		lines_stored += end - at > 3 && !memcmp(at, " a#", 3);
	return 0;
}

static bool is_held(void *ignored)
{
	(void)ignored;
	return held;
}

/* Whether the sender a was given all numbers before that one. */
static bool is_given(void *next)
{
	struct once *once = world.settings.service;
	pthread_mutex_lock(&once->lock);
	struct sender *sender = senders_find(&once->senders, slice_of("a"));
	bool given = sender && sender->next == *(uint64_t *)next;
	pthread_mutex_unlock(&once->lock);
	return given;
}

static void complete(int errnum)
{
	struct sink_batch *batch = held;
	held = NULL;
	batch->complete(batch, errnum);
}

/* Opens the service, and has line 1 of the sender a under way. */
static int open_held(void)
{
	sink_hook_submit = hold;
	lines_stored = 0;
	open_service("hook:", 0, 0);
	int peer = world_connect();
	assert_says(peer, "from a 1\n", "ok 0\n");
	holds = true;
	peer_send(peer, "one\n", 4);
	ck_assert(eventually(is_held, NULL));
	return peer;
}

/* The failure becomes known when line 2 has its number and is not in the log yet: it waits for
 * space there. */
START_TEST(a_failure_behind_a_number_reaches_its_line)
{
	enum { FULL = 1 << 22 };
	static char bytes[FULL];
	struct fake filler;
	fake_init(&filler, "filler");
	world_use_own();
	int peer = open_held();
	memset(bytes, 'x', sizeof bytes);
	const struct log_item full = {.event = RECORD_NOTE, .bytes = bytes, .length = FULL};
	ck_assert(log_submit(world.log, &filler.recipient, &full, 1, SUBMIT_DEFER));
	peer_send(peer, "two\n", 4);
	ck_assert(eventually(is_given, &(uint64_t){3}));
	complete(EIO);
	assert_says(peer, "three\nfrom a 1\none\ntwo\n",
		    "error: not logged: Input/output error\nerror: gap: 1 is due\n"
		    "error: gap: 1 is due\nok 0\nok\nok\n");
	ck_assert_uint_eq(lines_stored, 2);
	(void)close(peer);
	close_service();
	fake_free(&filler);
}
END_TEST

/* Also where nothing follows, and the thread that receives serves others meanwhile. */
START_TEST(from_is_answered_when_its_lines_are_stored)
{
	own_receivers(_i % 2);
	int peer = open_held(), other = world_connect();
	peer_send(peer, "two\nfrom a ?\n", 13);
	ck_assert(eventually(is_given, &(uint64_t){3}));
	peer_send(other, "from a 2\n", 9);
	struct pollfd answered[] = {{.fd = peer, .events = POLLIN},
				    {.fd = other, .events = POLLIN}};
	ck_assert_int_eq(poll(answered, 2, 20), 0);
	complete(_i / 2 ? EIO : 0);
	if (_i / 2) {
		assert_says(peer, "",
			    "error: not logged: Input/output error\nerror: gap: 1 is due\nok 0\n");
		assert_says(other, "two\n", "ok 0\nok\n");
	} else {
		assert_says(peer, "", "ok\nok\nok 2 5714d319447c9709\n");
		assert_says(other, "two\n", "ok 2 5714d319447c9709\nhad\n");
	}
	(void)close(peer);
	(void)close(other);
	close_service();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("once");
	tcase_add_loop_test(cases, each_line_is_stored_once_over_failures, 0, 4);
	tcase_add_loop_test(cases, connections_that_fight_store_it_once_too, 0, 4);
	tcase_add_loop_test(cases, what_is_said_is_answered, 0, 2);
	tcase_add_loop_test(cases, a_long_line_has_a_number, 0, 2);
	tcase_add_loop_test(cases, a_long_line_counts_only_from_the_owner, 0, 2);
	tcase_add_loop_test(cases, a_claim_does_not_wait_for_a_line_without_memory, 0, 2);
	tcase_add_loop_test(cases, numbers_end, 0, 2);
	tcase_add_loop_test(cases, a_storm_of_from_is_answered, 0, 2);
	tcase_add_test(cases, a_failure_behind_a_number_reaches_its_line);
	tcase_add_loop_test(cases, from_is_answered_when_its_lines_are_stored, 0, 4);
	int status = unit_main("once", cases, NULL);
	scratch_remove();
	return status;
}
