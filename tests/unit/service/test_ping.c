/* SPDX-License-Identifier: MIT */
/* The service ping, with its log in text. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/ping_message.h"
#include "base/timer_queue.h"
#include "service/table.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"
#include "world.h"

enum { REQUESTS = 200 };

static struct timer_queue *timer_queue;
static struct error error;

struct given {
	const char *loss, *keepalive;
	struct range delay;
	int64_t seed;
};

static void open_ping(const char *log, const struct given *given)
{
	static union service_own_options own;
	const char *const values[] = {given->loss, given->keepalive};
	for (size_t i = 0; i < 2; i++) /* in the order of its own table */
		ck_assert_int_eq(option_store(&service_ping.options[i], &own, values[i], &error),
				 0);
	world_open(log, 10, 100, 0);
	ck_assert_ptr_nonnull(timer_queue = timer_queue_start(&error));
	const struct service_settings settings = {
		.options = {.delay = given->delay, .seed = given->seed, .own = &own},
		.log = world.log,
		.log_name = log,
		.timer_queue = timer_queue,
		.broadcast = &world.table->broadcast,
	};
	world.settings.handler = &service_ping.handler;
	ck_assert_ptr_nonnull(world.settings.service = service_ping.start(&settings, &error));
}

static void close_ping(void)
{
	/* a keepalive that is delivered later would meet a table that is freed */
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	bool written = world_end();
	timer_queue_free(timer_queue);
	service_ping.stop(world.settings.service);
	ck_assert(written);
}

/* Sends requests 0 to REQUESTS - 1 on one connection, and marks which were answered. */
static void ask_all(int64_t seed, const char *loss, char answered[REQUESTS + 1])
{
	const struct given options = {
		.delay = {0, CLOCK_MILLISECOND}, .seed = seed, .loss = loss, .keepalive = "0"};
	open_ping("log", &options);
	int peer = world_connect();
	char line[PING_MESSAGE_SIZE];
	memset(answered, '.', REQUESTS);
	answered[REQUESTS] = '\0';
	for (uint64_t i = 0; i < REQUESTS; i++) {
		const struct ping_message asked = {.kind = PING_REQUEST, .request = i};
		size_t length = ping_message_write(line, &asked);
		line[length++] = '\n';
		peer_send(peer, line, length);
	}
	(void)shutdown(peer, SHUT_WR);
	char *answers = peer_all(peer), *next = NULL;
	uint64_t message = 0;
	for (char *at = strtok_r(answers, "\n", &next); at; at = strtok_r(NULL, "\n", &next)) {
		struct ping_message read;
		ck_assert_msg(ping_message_read(slice_of(at), &read), "%s", at);
		ck_assert_int_eq(read.kind, PING_ANSWER);
		ck_assert_uint_eq(read.message, ++message); /* no gap, in the order of leaving */
		ck_assert_uint_eq(read.client, 1);
		ck_assert_uint_lt(read.request, REQUESTS);
		ck_assert_int_eq(answered[read.request], '.');
		answered[read.request] = 'x';
	}
	free(answers);
	(void)close(peer);
	world_await(0);
	assert_logged(" received: [", REQUESTS);
	assert_logged(" sent: [", message);
	assert_logged(" ignored: [", REQUESTS - message);
	close_ping();
}

/* Answers may come in any order, and differ in their times: what is ignored does not. */
START_TEST(the_same_seed_ignores_the_same_requests)
{
	char first[REQUESTS + 1], second[REQUESTS + 1], other[REQUESTS + 1];
	ask_all(5, "50%", first);
	ask_all(5, "50%", second);
	ask_all(6, "50%", other);
	ck_assert_str_eq(first, second);
	ck_assert_str_ne(first, other);
	size_t ignored = count_of(first, ".");
	ck_assert(ignored > REQUESTS / 4 && ignored < REQUESTS * 3 / 4);
}
END_TEST

START_TEST(all_or_none_may_be_ignored)
{
	char answered[REQUESTS + 1];
	ask_all(1, "0%", answered);
	ck_assert_uint_eq(count_of(answered, "x"), REQUESTS);
	ask_all(1, "100%", answered);
	ck_assert_uint_eq(count_of(answered, "x"), 0);
}
END_TEST

START_TEST(malformed_lines_are_skipped)
{
	static const char lines[] = "[0] PING\nhello\n\n[1/0] PONG (1)\n[01] PING\n[1] PING\r\n";
	const struct given options = {.delay = {0, 0}, .seed = 1, .loss = "0%", .keepalive = "0"};
	open_ping("log", &options);
	int peer = world_connect();
	peer_send(peer, lines, sizeof lines - 1);
	char *answers = peer_lines(peer, 2);
	ck_assert_uint_eq(count_of(answers, "0] PONG (1)\n"), 1);
	ck_assert_uint_eq(count_of(answers, "1] PONG (1)\n"), 1);
	free(answers);
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "");
	world_await(0);
	assert_logged(" malformed line: hello\n", 1);
	assert_logged(" malformed line: \n", 1);
	assert_logged(" malformed line: [1/0] PONG (1)\n", 1);
	assert_logged(" malformed line: [01] PING\n", 1);
	assert_logged("WARNING\t", 4);
	assert_logged(" received: ", 2);
	close_ping();
}
END_TEST

START_TEST(a_delay_holds_up_nothing_else)
{
	const struct given slow = {.delay = {3600 * CLOCK_SECOND, 3600 * CLOCK_SECOND},
				   .loss = "0%",
				   .keepalive = "1ms"};
	open_ping("log", &slow);
	int first = world_connect(), second = world_connect();
	peer_send(first, "[0] PING\n[1] PING\n", 18);
	peer_send(second, "[0] PING\n", 9);
	char *lines = peer_lines(first, 3); /* keepalives, while answers are held */
	ck_assert_uint_ge(count_of(lines, "] keepalive\n"), 3);
	free(lines);
	/* what is held when the scheduler stops is let go */
	while (count_of(lines = world_log(), " received: ") < 3)
		free(lines);
	free(lines);
	timer_queue_stop(timer_queue);
	(void)shutdown(first, SHUT_WR);
	(void)shutdown(second, SHUT_WR);
	world_await(0);
	assert_logged(" PONG ", 0);
	assert_logged(" PING will not be answered\n", 3);
	(void)close(first);
	(void)close(second);
	close_ping();
}
END_TEST

/* The number of the next one. */
static uint64_t read_keepalive(int peer)
{
	uint64_t message;
	char *line = peer_lines(peer, 1);
	ck_assert_int_eq(sscanf(line, "[%" SCNu64 "] keepalive", &message), 1);
	free(line);
	return message;
}

/* One message, whoever and however many get it. */
START_TEST(everyone_gets_the_same_keepalives)
{
	const struct given options = {.delay = {0, 0}, .loss = "0%", .keepalive = "10ms"};
	open_ping("log", &options);
	int addresses_seen[] = {world_connect(), world_connect()};
	uint64_t last = read_keepalive(addresses_seen[0]);
	uint64_t second = read_keepalive(addresses_seen[1]);
	ck_assert_uint_ge(second, last); /* it may have come much later */
	for (uint64_t more = second - last + 4; more; more--, last++)
		ck_assert_uint_eq(read_keepalive(addresses_seen[0]), last + 1);
	for (; second < last; second++)
		ck_assert_uint_eq(read_keepalive(addresses_seen[1]), second + 1);
	(void)close(addresses_seen[0]);
	(void)close(addresses_seen[1]);
	world_await(0);
	close_ping();
}
END_TEST

/* M is given to what is stored. */
START_TEST(a_full_log_leaves_no_gap)
{
	const struct given options = {.delay = {0, 0}, .loss = "0%", .keepalive = "0"};
	open_ping("log", &options);
	int peer = world_connect();
	peer_send(peer, "[0] PING\n", 9);
	assert_answers(peer, 1, "[1/0] PONG (1)\n");
	free(world_log()); /* all of it is written */
	file_limit(file_size("log"));
	peer_send(peer, "[1] PING\n[2] PING\n[3] PING\n", 27);
	char *errors = peer_lines(peer, 3);
	file_unlimit();
	ck_assert_uint_eq(count_of(errors, "error: not logged: File too large\n"), 3);
	free(errors);
	peer_send(peer, "[4] PING\n", 9);
	assert_answers(peer, 1, "[2/4] PONG (1)\n");
	(void)close(peer);
	world_await(0);
	close_ping();
}
END_TEST

static atomic_uint_fast64_t last_stored, gaps, failures;

static void take_stored(const struct sink_record *record)
{
	const char *message = sink_record_bytes(record) + record->subject_length;
	if (record->event != RECORD_SENT || record->length < 4 || *message != '[')
		return;
	uint64_t number = strtoull(message + 1, NULL, 10);
	gaps += number != last_stored + 1;
	last_stored = number;
}

static void take_failed(const struct sink_record *record, unsigned failure)
{
	(void)failure;
	failures += record->event == RECORD_SENT;
}

static void take_known(unsigned failure)
{
	(void)failure;
}

static void send_requests(int peer)
{
	char line[PING_MESSAGE_SIZE];
	for (int i = 0; i < REQUESTS; i++) {
		int length = snprintf(line, sizeof line, "[%d] PING\n", i);
		peer_send(peer, line, (size_t)length);
	}
	(void)shutdown(peer, SHUT_WR);
}

/* Batches fail again and again, several in flight, while answers and keepalives come in. */
START_TEST(a_log_that_fails_at_times_leaves_no_gap)
{
	enum { PEERS = 3 };
	static const struct sink_type *const late[] = {&sink_late, NULL};
	const struct sink_type *const *kept = sink_types;
	const struct given options = {
		.delay = {0, 20 * CLOCK_MILLISECOND}, .loss = "0%", .keepalive = "1ms"};
	int peers[PEERS];
	uint64_t pongs = 0, refused = 0;
	sink_types = late;
	late_settings = (struct late_settings){.in_flight = 4,
					       .fail = 5,
					       .stored = take_stored,
					       .failed = take_failed,
					       .known = take_known};
	open_ping("late:", &options);
	for (size_t i = 0; i < PEERS; i++) /* before one of them can end */
		peers[i] = world_connect();
	for (size_t i = 0; i < PEERS; i++)
		send_requests(peers[i]);
	for (size_t i = 0; i < PEERS; i++) {
		char *answers = peer_all(peers[i]);
		pongs += count_of(answers, "] PONG (");
		refused += count_of(answers, "error: not logged: ");
		free(answers);
		(void)close(peers[i]);
	}
	world_await(0);
	late_settings.fail = 0;
	close_ping();
	sink_types = kept;
	ck_assert_uint_eq(pongs + refused, PEERS * REQUESTS);
	ck_assert_uint_gt(failures, 0);
	ck_assert_uint_ge(last_stored, pongs);
	ck_assert_uint_eq(gaps, 0);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("ping");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, the_same_seed_ignores_the_same_requests);
	tcase_add_test(cases, all_or_none_may_be_ignored);
	tcase_add_test(cases, malformed_lines_are_skipped);
	tcase_add_test(cases, a_delay_holds_up_nothing_else);
	tcase_add_test(cases, everyone_gets_the_same_keepalives);
	tcase_add_test(cases, a_full_log_leaves_no_gap);
	tcase_add_test(cases, a_log_that_fails_at_times_leaves_no_gap);
	int status = unit_main("ping", cases, NULL);
	scratch_remove();
	return status;
}
