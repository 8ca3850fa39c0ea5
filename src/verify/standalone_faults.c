/* SPDX-License-Identifier: MIT */
#include "verify/standalone.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct verify_turn visitor_next(const struct visitor *visitor)
{
	struct verify_turn last = visitor->last;
	if (visitor->lone)
		return (struct verify_turn){.thread = last.thread, .iteration = last.iteration + 1};
	if (visitor->threads && last.thread + 1 == visitor->threads)
		return (struct verify_turn){.thread = 0, .iteration = last.iteration + 1};
	return (struct verify_turn){.thread = last.thread + 1, .iteration = last.iteration};
}

/* The line at a place, counted from 0, among those that a client has sent. */
static struct verify_turn turn_at(const struct visitor *visitor, int64_t place)
{
	if (visitor->lone)
		return (struct verify_turn){.thread = visitor->last.thread, .iteration = place + 1};
	int64_t threads = visitor->threads ? visitor->threads : visitor->received;
	return (struct verify_turn){.thread = place % threads, .iteration = place / threads + 1};
}

__attribute__((format(printf, 3, 0))) static void set_fault(struct check *check, int64_t culprit,
							    const char *format, va_list values)
{
	if (check->faulty)
		return;
	/* a fault that is too long is cut, which is all that can be done with it */
	(void)vsnprintf(check->fault.message, sizeof check->fault.message, format, values);
	check->faulty = true;
	check->culprit = culprit;
}

void check_fault(struct check *check, size_t number, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	set_fault(check, (int64_t)number, format, values);
	va_end(values);
}

/* A fault of no client in particular. */
__attribute__((format(printf, 2, 3))) static void fault_at_large(struct check *check,
								 const char *format, ...)
{
	va_list values;
	va_start(values, format);
	set_fault(check, -1, format, values);
	va_end(values);
}

void check_fault_order(struct check *check, size_t number, const struct verify_turn *got,
		       const struct verify_turn *due)
{
	if (check->faulty)
		return;
	check->faulty = check->unexplained = true;
	check->culprit = (int64_t)number;
	check->fault_line = check->log.number;
	check->search = (struct verify_search){
		.got = *got, .due = *due, .first = check->visitors[number].first_line};
}

void check_fault_unanswered(struct check *check, size_t number)
{
	const struct visitor *visitor = &check->visitors[number];
	struct verify_turn turn = turn_at(visitor, visitor->sent);
	char words[VERIFY_TURN_SIZE];
	verify_turn_write(&turn, words);
	check_fault(check, number, "'%s' has no 'sent: ok' in %.200s", words, check->name);
}

void check_fault_ok(struct check *check, int64_t number)
{
	if (number >= 0 && check->visitors[number].client) {
		struct verify_turn none = {0}, due = visitor_next(&check->visitors[number]);
		check_fault_order(check, (size_t)number, &none, &due);
		return;
	}
	char words[VERIFY_EXCERPT_SIZE];
	const struct record_view *record = &check->log.record;
	verify_excerpt(record->subject, record->subject_length, words);
	fault_at_large(check, "%s: the ok at line %" PRId64 " of %.200s answers no line", words,
		       check->log.number, check->name);
}

void check_fault_line(struct check *check, bool torn)
{
	char words[VERIFY_EXCERPT_SIZE];
	verify_excerpt(check->log.bytes, check->log.length, words);
	fault_at_large(check, "line %" PRId64 " of %.200s is %s: '%s'", check->log.number,
		       check->name, torn ? "torn" : "no record", words);
}

static bool of_culprit(const void *context, const struct record_view *record)
{
	const struct check *check = context;
	return address_table_find(&check->addresses_seen, record->subject,
				  record->subject_length) == check->culprit;
}

static void explain_turn(struct check *check, const struct verify_search *found)
{
	size_t culprit = (size_t)check->culprit;
	char got[VERIFY_TURN_SIZE], due[VERIFY_TURN_SIZE];
	verify_turn_write(&found->got, got);
	verify_turn_write(&found->due, due);
	if (found->got_line && found->got_line < check->fault_line)
		check_fault(check, culprit,
			    "'%s' is there twice (lines %" PRId64 " and %" PRId64 " of %.200s)",
			    got, found->got_line, check->fault_line, check->name);
	else if (found->due_line)
		check_fault(check, culprit,
			    "'%s' is out of order at line %" PRId64 " of %.200s: '%s' was due", got,
			    check->fault_line, check->name, due);
	else
		check_fault(check, culprit,
			    "'%s' is missing in %.200s, line %" PRId64 " goes on with '%s'", due,
			    check->name, check->fault_line, got);
}

static int explain(struct check *check, struct error *error)
{
	struct verify_search found = check->search;
	found.belongs = of_culprit;
	found.context = check;
	if (log_reader_search(&check->log, &found, error) < 0)
		return -1;
	check->faulty = false; /* to be noted anew, in words */
	char due[VERIFY_TURN_SIZE];
	verify_turn_write(&found.due, due);
	if (found.got.iteration)
		explain_turn(check, &found);
	else if (found.due_line)
		check_fault(check, (size_t)check->culprit,
			    "the ok at line %" PRId64 " of %.200s came before its line '%s'",
			    check->fault_line, check->name, due);
	else
		check_fault(check, (size_t)check->culprit,
			    "the ok at line %" PRId64 " of %.200s answers no line: '%s' was due",
			    check->fault_line, check->name, due);
	return 0;
}

/* Clients each of whose threads had a connection of its own: one for each of Thread 0. Where they
 * may differ in the number of threads, no thread can have more connections than the one before. */
static void count_each(struct check *check)
{
	for (int64_t i = 1; i < check->lone_count; i++)
		if (check->expected.threads ? check->lone[i] != check->lone[i - 1]
					    : check->lone[i] > check->lone[i - 1])
			fault_at_large(check,
				       "Thread %" PRId64 " has %" PRId64
				       " connections in %.200s, Thread %" PRId64 " has %" PRId64,
				       i - 1, check->lone[i - 1], check->name, i, check->lone[i]);
	int64_t threads = check->expected.threads;
	if (threads && check->lone_count && check->lone_count != threads)
		fault_at_large(check, "%" PRId64 " thread%s in %.200s instead of %" PRId64,
			       check->lone_count, verdict_plural(check->lone_count), check->name,
			       threads);
	check->clients += check->lone_count ? check->lone[0] : 0;
}

static void add_fault(const struct check *check, struct verdict *verdict)
{
	if (check->culprit >= 0) {
		char words[VERIFY_EXCERPT_SIZE];
		size_t length;
		const char *name =
			address_table_name(&check->addresses_seen, (size_t)check->culprit, &length);
		verify_excerpt(name, length, words);
		verdict_add(verdict, "%s: ", words);
	}
	verdict_add(verdict, "%s; ", check->fault.message);
}

int check_conclude(struct check *check, struct verdict *verdict, struct error *error)
{
	if (check->unexplained && explain(check, error) < 0)
		return -1;
	if (!check->faulty)
		count_each(check);
	int64_t expected = check->expected.clients;
	if (expected && check->clients != expected)
		fault_at_large(check, "%" PRId64 " client%s instead of %" PRId64, check->clients,
			       verdict_plural(check->clients), expected);
	verdict->good = verdict->complete = !check->faulty && check->lines > 0;
	if (check->faulty)
		add_fault(check, verdict);
	if (check->lines || check->faulty)
		verdict_add(verdict, "%" PRId64 " line%s in %.200s", check->lines,
			    verdict_plural(check->lines), check->name);
	else
		verdict_add(verdict, "no line of a client in %.200s: nothing is proved",
			    check->name);
	if (verdict->good)
		verdict_add(verdict, ", each acknowledged, %" PRId64 " client%s in strict order",
			    check->clients, verdict_plural(check->clients));
	if (check->strangers)
		verdict_add(verdict,
			    " (and %" PRId64 " line%s from %" PRId64 " other connection%s)",
			    check->foreign, verdict_plural(check->foreign), check->strangers,
			    verdict_plural(check->strangers));
	return 0;
}
