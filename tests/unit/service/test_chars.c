/* SPDX-License-Identifier: MIT */
/* The service chars from within: whoever asks, and whatever comes back, nothing is lost. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/table.h"
#include "support.h"
#include "unit.h"
#include "world.h"

enum { ASKERS = 8, QUESTIONS = 2000, GIVERS = 2 };

static struct timer_queue *timer_queue;

/* Nothing is generated: counts only come from answers that did not leave. */
static void begin(void)
{
	static union service_own_options own;
	const struct service_options options = {
		.delay = {3600 * CLOCK_SECOND, 3600 * CLOCK_SECOND}, .seed = 862, .own = &own};
	for (const struct option_spec *spec = service_chars.options; spec->name; spec++)
		option_unset(spec, &own);
	struct error error;
	scratch_enter();
	world_open("log", ASKERS, 100, 0);
	ck_assert_ptr_nonnull(timer_queue = timer_queue_start(&error));
	const struct service_settings settings = {.options = options,
						  .log = world.log,
						  .timer_queue = timer_queue,
						  .broadcast = &world.table->broadcast,
						  .news = -1};
	world.settings.handler = &service_chars.handler;
	ck_assert_ptr_nonnull(world.settings.service = service_chars.start(&settings, &error));
}

static void end(void)
{
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(CLOCK_SECOND));
	service_chars.stop(world.settings.service);
	timer_queue_free(timer_queue);
	world_close();
}

/* The sum over answers, each of which has to be a stat. */
static unsigned long long sum_of(const char *answers)
{
	unsigned long long sum = 0;
	while (*answers) {
		ck_assert_msg(!strncmp(answers, "stat ", 5), "%.40s", answers);
		sum += strtoull(answers + 5, NULL, 10);
		answers = strchr(answers, '\n') + 1;
	}
	return sum;
}

struct asker {
	pthread_t thread;
	int peer;
	unsigned long long sum;
};

static void *ask(void *argument)
{
	struct asker *asker = argument;
	for (int i = 0; i < QUESTIONS; i++)
		peer_send(asker->peer, "stat\n", 5);
	char *answers = peer_lines(asker->peer, QUESTIONS);
	asker->sum = sum_of(answers);
	free(answers);
	return NULL;
}

struct giver {
	pthread_t thread;
	atomic_bool *enough;
	unsigned long long gifts;
};

/* Without a pause, as long as somebody asks: else a count that is taken in two steps would hardly
 * ever meet one that grows. */
static void *give(void *argument)
{
	static const char gift[] = "stat 3\nerror: unknown request\nstat 4\n";
	struct giver *giver = argument;
	for (; !atomic_load(giver->enough); giver->gifts++) {
		service_chars.handler.on_undelivered(world.settings.service, gift, sizeof gift - 1);
		(void)sched_yield(); /* or it may take the lock again and again before the others */
	}
	return NULL;
}

START_TEST(counting_and_resetting_are_one_step)
{
	struct asker askers[ASKERS];
	struct giver givers[GIVERS];
	atomic_bool enough = false;
	unsigned long long sum = 0, given = 0;
	for (int i = 0; i < ASKERS; i++)
		askers[i].peer = world_connect();
	for (int i = 0; i < GIVERS; i++) {
		givers[i] = (struct giver){.enough = &enough};
		ck_assert_int_eq(pthread_create(&givers[i].thread, NULL, give, &givers[i]), 0);
	}
	for (int i = 0; i < ASKERS; i++)
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	for (int i = 0; i < ASKERS; i++) {
		ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
		sum += askers[i].sum;
	}
	atomic_store(&enough, true);
	for (int i = 0; i < GIVERS; i++) {
		ck_assert_int_eq(pthread_join(givers[i].thread, NULL), 0);
		given += givers[i].gifts;
	}
	peer_send(askers[0].peer, "stat\n", 5);
	char *rest = peer_lines(askers[0].peer, 1);
	sum += sum_of(rest);
	free(rest);
	ck_assert_uint_eq(sum, 7 * given);
	for (int i = 0; i < ASKERS; i++)
		(void)close(askers[i].peer);
	world_await(0);
	end();
}
END_TEST

START_TEST(only_stat_is_a_request)
{
	static const char *const lines[] = {"",	     "sta",  "stat ",  " stat",
					    "stats", "STAT", "chars a"};
	int peer = world_connect();
	service_chars.handler.on_undelivered(world.settings.service, "stat 7\n", 7);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		peer_send(peer, lines[i], strlen(lines[i]));
		peer_send(peer, "\n", 1);
		assert_answers(peer, 1, "error: unknown request\n");
	}
	peer_send(peer, "stat\r\nstat\n", 11);
	assert_answers(peer, 2, "stat 7\nstat 0\n");
	(void)close(peer);
	world_await(0);
	end();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("chars");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, counting_and_resetting_are_one_step);
	tcase_add_test(cases, only_stat_is_a_request);
	int status = unit_main("chars", cases, NULL);
	scratch_remove();
	return status;
}
