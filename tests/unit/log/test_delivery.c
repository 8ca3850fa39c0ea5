/* SPDX-License-Identifier: MIT */
/* Answers are delivered while the next batch is committed, and each target's in order. */
#include "log/delivery.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

enum { THREADS = 2 + DELIVERIES - 1 }; /* with so many in delivery no batch is committed */

/* Targets whose delivery blocks until the test lets it go on. */
struct slow {
	struct fake fake; /* first member: the pointer is cast between the two types */
	pthread_t thread;
};

static struct slow slow[THREADS];
static struct fake a;
static atomic_uint commits; /* with lines */
static atomic_uint inside;  /* deliveries that block */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool (*fake_deliver)(struct reply_target *target, const char *answers, size_t length,
			    size_t lines);

static bool deliver_slowly(struct reply_target *target, const char *answers, size_t length,
			   size_t lines)
{
	inside++;
	pthread_mutex_lock(&gate.lock);
	while (!gate.open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return fake_deliver(target, answers, length, lines);
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static int count_commit(struct sink_batch *batch)
{
	commits += batch->parts[1].iov_len > 0;
	return 0;
}

static void begin(void)
{
	static const struct sink_type *const hook[] = {&sink_hook, NULL};
	struct error error;
	struct log_settings settings = {.target = "hook:",
					.format = &record_text,
					.sync = LOG_SYNC_DISK,
					.warn = no_warning};
	sink_types = hook;
	sink_hook_submit = count_commit;
	ck_assert_ptr_nonnull(log_under_test = log_open(&settings, &error));
	fake_init(&a, "a");
	fake_deliver = a.recipient.deliver;
	for (int i = 0; i < THREADS; i++) {
		fake_init(&slow[i].fake, "slow");
		slow[i].fake.recipient.deliver = deliver_slowly;
	}
}

static void end(void)
{
	ck_assert(log_close(log_under_test));
	fake_free(&a);
	for (int i = 0; i < THREADS; i++)
		fake_free(&slow[i].fake);
}

static struct log_item item_answered(const char *line)
{
	struct log_item item = item_line(line);
	item.answer = line;
	item.answer_length = item.length;
	return item;
}

/* Leaves the commit to a committer. */
static void submit(struct fake *fake, const char *line)
{
	struct log_item item = item_answered(line);
	ck_assert(log_try_submit(log_under_test, &fake->recipient, &item, 1));
}

static void *submit_and_deliver(void *argument)
{
	struct slow *self = argument;
	struct log_item item = item_answered("one");
	if (!log_submit(log_under_test, &self->fake.recipient, &item, 1, SUBMIT_COMMIT))
		abort();
	return NULL;
}

static bool are_inside(void *count)
{
	return inside == *(unsigned *)count;
}

/* Starts a thread whose commit is done, and that blocks in the delivery. */
static void start_slow(unsigned number)
{
	struct slow *self = &slow[number];
	ck_assert_int_eq(pthread_create(&self->thread, NULL, submit_and_deliver, self), 0);
	unsigned count = number + 1;
	ck_assert(eventually(are_inside, &count));
}

static bool has_lines(void *count)
{
	return fake_lines(&a) == *(size_t *)count;
}

static void await_lines(size_t count)
{
	ck_assert(eventually(has_lines, &count));
}

static bool has_commits(void *count)
{
	return commits == *(unsigned *)count;
}

static void await_commits(unsigned count)
{
	ck_assert(eventually(has_commits, &count));
}

static bool is_flushed_soon(void)
{
	return log_flush(log_under_test, clock_after(CLOCK_MILLISECOND));
}

START_TEST(others_are_delivered_and_the_same_target_in_order)
{
	start_slow(0);
	submit(&a, "one");
	await_lines(1);
	submit(&slow[0].fake, "two");
	await_commits(3); /* and waits to be delivered */
	submit(&a, "two");
	await_lines(2);
	await_commits(4);
	ck_assert_uint_eq(inside, 1);
	ck_assert(!is_flushed_soon());
	open_gate();
	flush();
	ck_assert(fake_has(&slow[0].fake, "one\ntwo\n"));
	ck_assert(fake_has(&a, "one\ntwo\n"));
	ck_assert_int_eq(pthread_join(slow[0].thread, NULL), 0);
}
END_TEST

/* Of one that sends to others, what is before it and behind it is delivered so. */
START_TEST(a_broadcast_is_in_order_with_all)
{
	struct fake all;
	fake_init(&all, "all");
	all.recipient.broadcast = true;
	start_slow(0);
	submit(&all, "one");
	await_commits(2);
	submit(&a, "one");
	await_commits(3);
	ck_assert_uint_eq(fake_lines(&all) + fake_lines(&a), 0);
	open_gate();
	flush();
	ck_assert(fake_has(&all, "one\n"));
	ck_assert(fake_has(&a, "one\n"));
	ck_assert_int_eq(pthread_join(slow[0].thread, NULL), 0);
	fake_free(&all);
}
END_TEST

START_TEST(without_a_spare_batch_nothing_is_committed)
{
	for (unsigned i = 0; i < THREADS; i++)
		start_slow(i);
	submit(&a, "one");
	ck_assert(!is_flushed_soon());
	ck_assert_uint_eq(commits, THREADS);
	ck_assert_uint_eq(fake_lines(&a), 0);
	open_gate();
	await_lines(1); /* by itself */
	flush();
	ck_assert_uint_eq(commits, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(slow[i].thread, NULL), 0);
		ck_assert(fake_has(&slow[i].fake, "one\n"));
	}
}
END_TEST

static char deferred[1024];

/* The first batch with lines has none of the sender s. */
static int refuse_one(struct sink_batch *batch)
{
	const struct iovec *part = batch->parts;
	size_t length = strlen(deferred);
	if (part[1].iov_len)
		batch->refuse(batch, slice_of("s"), 7);
	(void)snprintf(deferred + length, sizeof deferred - length, "%.*s", (int)part[0].iov_len,
		       (const char *)part[0].iov_base);
	return 0;
}

START_TEST(lines_of_one_sender_are_refused_alone)
{
	static const struct {
		const char *line, *sender;
	} lines[] = {{"one", "r"}, {"two", "s"}, {"three", "s"}, {"four", "rs"}, {"five", NULL}};
	sink_hook_submit = refuse_one;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct log_item item = item_answered(lines[i].line);
		item.sender = lines[i].sender;
		item.number = i + 1;
		ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER));
	}
	(void)log_commit(log_under_test, true);
	flush();
	ck_assert(fake_has(&a, "one\n"
			       "error: not logged: gap: 7 is due\n"
			       "error: not logged: gap: 7 is due\n"
			       "four\nfive\n"));
	submit(&a, "six"); /* with the records of the answers that were sent */
	flush();
	ck_assert_ptr_nonnull(strstr(deferred, " sent: one\n"));
	ck_assert_ptr_nonnull(strstr(deferred, " sent: four\n"));
	ck_assert_ptr_nonnull(strstr(deferred, " sent: five\n"));
	ck_assert_ptr_null(strstr(deferred, "two"));
	ck_assert_ptr_null(strstr(deferred, "three"));
	ck_assert(fake_has(&a, "one\n"
			       "error: not logged: gap: 7 is due\n"
			       "error: not logged: gap: 7 is due\n"
			       "four\nfive\nsix\n"));
}
END_TEST

static void *run_open_gate(void *argument)
{
	open_gate();
	return argument;
}

START_TEST(a_close_waits_for_deliveries)
{
	pthread_t opener;
	start_slow(0);
	ck_assert_int_eq(pthread_create(&opener, NULL, run_open_gate, NULL), 0);
	ck_assert(log_close(log_under_test));
	ck_assert(fake_has(&slow[0].fake, "one\n"));
	log_under_test = NULL;
	ck_assert_int_eq(pthread_join(opener, NULL), 0);
	ck_assert_int_eq(pthread_join(slow[0].thread, NULL), 0);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("delivery");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, others_are_delivered_and_the_same_target_in_order);
	tcase_add_test(cases, a_broadcast_is_in_order_with_all);
	tcase_add_test(cases, without_a_spare_batch_nothing_is_committed);
	tcase_add_test(cases, lines_of_one_sender_are_refused_alone);
	tcase_add_test(cases, a_close_waits_for_deliveries);
	int status = unit_main("delivery", cases, NULL);
	scratch_remove();
	return status;
}
