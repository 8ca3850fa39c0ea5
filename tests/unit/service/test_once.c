/* SPDX-License-Identifier: MIT */
/* The service once: what it answers, and when. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/slice.h"
#include "once_fixture.h"
#include "service/once_client.h"
#include "service/table.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"
#include "world.h"

enum { CONNECTIONS = 7 };

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
	once_open("log", CONNECTIONS, _i);
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
	once_close();
}
END_TEST

START_TEST(a_long_line_has_a_number)
{
	char line[1100];
	once_open("log", CONNECTIONS, _i);
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
	once_close();
}
END_TEST

/* Groups of other connections than the owner's settle in no order, and `from` counts groups. */
START_TEST(a_long_line_counts_only_from_the_owner)
{
	char line[1100];
	memset(line, 'x', 1001);
	strcpy(line + 1001, "\n");
	once_open("log", CONNECTIONS, _i);
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
	once_close();
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
	tester = pthread_self();
	memory_realloc = claim_and_fail;
	once_open("log", CONNECTIONS, _i);
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
	once_close();
	memory_realloc = realloc;
}
END_TEST

START_TEST(numbers_end)
{
	once_open("log", CONNECTIONS, _i);
	int peer = world_connect();
	assert_says(peer,
		    "from a 9223372036854775806\n1\n2\n3\n4\nfrom a ?\n"
		    "from a 9223372036854775807\n2\n",
		    "ok 0\nok\nok\n"
		    "error: not logged: numbers end at 9223372036854775807\n"
		    "error: not logged: numbers end at 9223372036854775807\n"
		    "ok 9223372036854775807 af63af4c8601a015\n"
		    "ok 9223372036854775807 af63af4c8601a015\nhad\n");
	(void)close(peer);
	once_close();
}
END_TEST

/* Both say it again and again, behind lines that are not answered yet. */
START_TEST(a_storm_of_from_is_answered)
{
	enum { ROUNDS = 300 };
	static char lines[ROUNDS * 64];
	size_t length = 0;
	once_open("log", CONNECTIONS, _i);
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
	once_close();
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
static int open_held(bool own)
{
	sink_hook_submit = hold;
	lines_stored = 0;
	once_open("hook:", CONNECTIONS, own);
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
	int peer = open_held(true);
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
	once_close();
	fake_free(&filler);
}
END_TEST

/* Also where nothing follows, and the thread that receives serves others meanwhile. */
START_TEST(from_is_answered_when_its_lines_are_stored)
{
	int peer = open_held(_i % 2), other = world_connect();
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
	once_close();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("once");
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
