/* SPDX-License-Identifier: MIT */
#include "verify/standalone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verify/run.h"

enum { THREADS_MOST = 1000000 }; /* a number above is not taken for one of a thread */

/* Takes the current line of the log as the first of a new visitor; turn is NULL for a stranger. */
static void begin(struct check *check, struct visitor *visitor, const struct verify_turn *turn)
{
	*visitor = (struct visitor){.life = check->life,
				    .first_line = check->log.number,
				    .received = 1,
				    .client = turn != NULL};
	if (!turn)
		return;
	visitor->last = *turn;
	visitor->lone = turn->thread > 0;
}

/* Learns how many threads take turns from a line that begins the second iteration, or, where that
 * is expected, from the second line. */
static void learn(const struct check *check, struct visitor *visitor,
		  const struct verify_turn *turn)
{
	bool second = turn->thread == 0 && turn->iteration == 2;
	if (visitor->lone || visitor->threads)
		return;
	if (second && visitor->last.thread == 0)
		visitor->lone = true;
	else if (check->expected.threads)
		visitor->threads = check->expected.threads;
	else if (second)
		visitor->threads = visitor->last.thread + 1;
}

/* Is that the line which the visitor has to send next? Then takes it. */
static bool go_on(const struct check *check, struct visitor *visitor,
		  const struct verify_turn *turn)
{
	learn(check, visitor, turn);
	struct verify_turn next = visitor_next(visitor);
	if (next.thread != turn->thread || next.iteration != turn->iteration)
		return false;
	visitor->last = *turn;
	visitor->received++;
	return true;
}

/* Counts a connection that carried one thread's lines. */
static bool count_lone(struct check *check, int64_t thread)
{
	if (thread >= check->lone_count) {
		size_t old = (size_t)check->lone_count, count = (size_t)thread + 1;
		int64_t *larger = memory_realloc(check->lone, count * sizeof *larger);
		if (!larger)
			return false;
		memset(larger + old, 0, (count - old) * sizeof *larger);
		check->lone = larger;
		check->lone_count = thread + 1;
	}
	check->lone[thread]++;
	return true;
}

/* How many lines a visitor should have sent; 0: any number. */
static int64_t expected_lines(const struct check *check, const struct visitor *visitor)
{
	int64_t threads = visitor->threads ? visitor->threads : visitor->last.thread + 1;
	if (!visitor->lone && check->expected.threads)
		threads = check->expected.threads;
	return (visitor->lone || visitor->received == 1 ? 1 : threads) * check->expected.iterations;
}

/* Nothing more comes from a visitor: was all of it answered, and is it as much as expected? */
static bool finish(struct check *check, size_t number)
{
	const struct visitor *visitor = &check->visitors[number];
	if (!visitor->client)
		return true;
	int64_t expected = expected_lines(check, visitor);
	bool lone = visitor->lone || visitor->received == 1;
	char words[VERIFY_TURN_SIZE];
	verify_turn_write(&visitor->last, words);
	if (visitor->sent < visitor->received)
		check_fault_unanswered(check, number);
	else if (expected && visitor->received != expected)
		check_fault(check, number, "%" PRId64 " lines instead of %" PRId64 " in %.200s",
			    visitor->received, expected, check->name);
	else if (!lone && check->expected.threads &&
		 visitor->last.thread + 1 != check->expected.threads)
		check_fault(check, number, "'%s' is the last line in %.200s", words, check->name);
	if (lone)
		return count_lone(check, visitor->last.thread);
	check->clients++;
	return true;
}

/* May the address of a client belong to another one now? Where the first has come to an end at
 * which it may end, and the line cannot be merely a doubled one. */
static bool may_begin_again(const struct check *check, const struct visitor *visitor,
			    const struct verify_turn *turn)
{
	if (visitor->sent < visitor->received || turn->iteration > 1)
		return false;
	if (check->expected.iterations)
		return visitor->received == expected_lines(check, visitor);
	bool whole = !visitor->threads || visitor->last.thread + 1 == visitor->threads;
	return visitor->received > 1 && whole;
}

/* A line of a client. False: out of memory. */
static bool take_turn(struct check *check, size_t number, const struct verify_turn *turn)
{
	struct visitor *visitor = &check->visitors[number];
	bool present = visitor->life == check->life;
	if (present && go_on(check, visitor, turn))
		return true;
	if (present && !may_begin_again(check, visitor, turn)) {
		struct verify_turn due = visitor_next(visitor);
		check_fault_order(check, number, turn, &due);
		return true;
	}
	if (!finish(check, number))
		return false;
	begin(check, visitor, turn);
	char words[VERIFY_TURN_SIZE];
	verify_turn_write(turn, words);
	if (turn->iteration > 1)
		check_fault(check, number, "it begins with '%s' at line %" PRId64 " of %.200s",
			    words, check->log.number, check->name);
	return true;
}

/* Makes room for the visitor of that number. */
static bool reserve(struct check *check, size_t number)
{
	if (number < check->visitor_capacity)
		return true;
	size_t old = check->visitor_capacity, capacity = old ? old * 2 : 64;
	struct visitor *larger = memory_realloc(check->visitors, capacity * sizeof *larger);
	if (!larger)
		return false;
	memset(larger + old, 0, (capacity - old) * sizeof *larger);
	check->visitors = larger;
	check->visitor_capacity = capacity;
	return true;
}

/* A line that is none of a client's. False: out of memory. */
static bool take_other(struct check *check, size_t number)
{
	struct visitor *visitor = &check->visitors[number];
	const struct record_view *record = &check->log.record;
	if (visitor->life != check->life) {
		if (!finish(check, number))
			return false;
		begin(check, visitor, NULL);
		check->strangers++;
	} else if (visitor->client) {
		char words[VERIFY_EXCERPT_SIZE];
		verify_excerpt(record->bytes, record->length, words);
		check_fault(check, number,
			    "'%s' at line %" PRId64 " of %.200s is not what a client sends", words,
			    check->log.number, check->name);
	} else {
		visitor->received++;
	}
	check->lines += visitor->client;
	check->foreign += !visitor->client;
	return true;
}

static bool take_received(struct check *check)
{
	const struct record_view *record = &check->log.record;
	int64_t number = address_table_number(&check->addresses_seen, record->subject,
					      record->subject_length);
	if (number < 0 || !reserve(check, (size_t)number))
		return false;
	const struct visitor *visitor = &check->visitors[number];
	struct verify_turn turn;
	bool stranger = visitor->life == check->life && !visitor->client;
	if (stranger || !verify_turn_read(record->bytes, record->length, &turn) || turn.client ||
	    turn.thread >= THREADS_MOST)
		return take_other(check, (size_t)number);
	check->lines++;
	return check->faulty || take_turn(check, (size_t)number, &turn);
}

static void take_sent(struct check *check)
{
	const struct record_view *record = &check->log.record;
	int64_t number =
		address_table_find(&check->addresses_seen, record->subject, record->subject_length);
	struct visitor *visitor = number < 0 ? NULL : &check->visitors[number];
	if (check->faulty)
		return;
	if (verify_acknowledges(record) && (!visitor || visitor->sent == visitor->received)) {
		check_fault_ok(check, number);
	} else if (verify_acknowledges(record)) {
		visitor->sent++;
	} else if (visitor && visitor->client) {
		char words[VERIFY_EXCERPT_SIZE];
		verify_excerpt(record->bytes, record->length, words);
		check_fault(check, (size_t)number,
			    "it was answered '%s' at line %" PRId64 " of %.200s", words,
			    check->log.number, check->name);
	}
}

static bool take_record(struct check *check)
{
	const struct record_view *record = &check->log.record;
	if (record->event == RECORD_RECEIVED)
		return take_received(check);
	if (record->event == RECORD_SENT)
		take_sent(check);
	else if (verify_is_start(record))
		check->life++;
	return true;
}

static int stream(struct check *check, struct error *error)
{
	enum verify_line kind;
	while ((kind = log_reader_next(&check->log, error)) != VERIFY_END) {
		if (kind == VERIFY_BROKEN)
			return -1;
		if (kind != VERIFY_RECORD)
			check_fault_line(check, kind == VERIFY_TORN);
		else if (!take_record(check))
			return error_set(error, "cannot verify: %s", strerror(ENOMEM));
	}
	for (size_t i = 0; i < check->addresses_seen.count && !check->faulty; i++)
		if (!finish(check, i))
			return error_set(error, "cannot verify: %s", strerror(ENOMEM));
	return 0;
}

int verify_check(const char *log, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error)
{
	/* lives count from 1: a zeroed visitor belongs to none */
	struct check check = {.name = log, .expected = *expected, .life = 1};
	*verdict = (struct verdict){0};
	if (log_reader_open(&check.log, log, 0, error) < 0)
		return -1;
	int result = stream(&check, error);
	if (result == 0)
		result = check_conclude(&check, verdict, error);
	log_reader_close(&check.log);
	address_table_free(&check.addresses_seen);
	free(check.visitors);
	free(check.lone);
	return result;
}
