/* SPDX-License-Identifier: MIT */
/* The service chars as it is used on the page: what is seen there is what sessions get, and nothing
 * takes effect before it is in the log. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "service/chars.h"
#include "support.h"
#include "unit.h"
#include "world.h"

static struct timer_queue *timer_queue;
static const struct service_console *console;
static struct fake page;
static struct error error;
static int news;

static void begin(void)
{
	static union service_own_options own;
	const struct service_options options = {
		.delay = {CLOCK_MILLISECOND, CLOCK_MILLISECOND}, .seed = 1, .own = &own};
	for (const struct option_spec *spec = service_chars.options; spec->name; spec++)
		option_unset(spec, &own);
	scratch_enter();
	fake_init(&page, "http:127.0.0.1:4711");
	world_open("log", 4, 100, 0);
	ck_assert_ptr_nonnull(timer_queue = timer_queue_start(&error));
	ck_assert_int_ge(news = eventfd(0, EFD_CLOEXEC), 0);
	const struct service_settings settings = {.options = options,
						  .log = world.log,
						  .timer_queue = timer_queue,
						  .broadcast = &world.table->broadcast,
						  .news = news};
	world.settings.handler = &service_chars.handler;
	ck_assert_ptr_nonnull(world.settings.service = service_chars.start(&settings, &error));
	console = service_chars.console;
}

static void end(void)
{
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	service_chars.stop(world.settings.service);
	timer_queue_free(timer_queue);
	world_close();
	fake_free(&page);
	(void)close(news);
}

/* Waits until something was sent to everyone. */
static void await_news(void)
{
	struct pollfd ready = {.fd = news, .events = POLLIN};
	eventfd_t count;
	ck_assert_int_eq(poll(&ready, 1, 20000), 1);
	ck_assert_int_eq(eventfd_read(news, &count), 0);
}

static bool is_answered(void *context)
{
	(void)context;
	return fake_lines(&page) > 0;
}

static void set(const char *alphabet, int64_t min, int64_t max)
{
	const struct range burst = {min, max};
	ck_assert_int_eq(
		console->set(world.settings.service, &page.recipient, alphabet, &burst, &error), 0);
	ck_assert(eventually(is_answered, NULL));
}

static void assert_settings(const char *alphabet, int64_t min, int64_t max)
{
	char described[CHARS_ALPHABET_SIZE];
	struct range burst;
	console->settings(world.settings.service, described, sizeof described, &burst);
	ck_assert_str_eq(described, alphabet);
	ck_assert_int_eq(burst.min, min);
	ck_assert_int_eq(burst.max, max);
}

START_TEST(what_is_followed_is_what_sessions_get)
{
	char characters[64], *lines;
	uint64_t position = UINT64_MAX;
	size_t length = 0;
	int peer = world_connect();
	/* what was sent just before it came may be told of here just afterwards */
	free(peer_lines(peer, 50));
	(void)console->follow(world.settings.service, &position, NULL, 0);
	uint64_t start = position;
	while (length < sizeof characters) {
		await_news();
		length += console->follow(world.settings.service, &position, characters + length,
					  sizeof characters - length);
	}
	ck_assert_uint_eq(position, start + length);
	/* the session has it within what it gets in all */
	char wanted[33] = "", got[4096] = "";
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	memcpy(wanted, characters + 16, 32);
	while (!strstr(got, wanted)) {
		ck_assert_msg(clock_now() < deadline, "%s has not come", wanted);
		lines = peer_lines(peer, 1);
		ck_assert(!strncmp(lines, "chars ", 6));
		if (strlen(got) >
		    sizeof got / 2) /* its end may be the beginning of what is wanted */
			memmove(got, got + strlen(got) - sizeof wanted, sizeof wanted + 1);
		strncat(got, lines + 6, strcspn(lines + 6, "\n"));
		free(lines);
	}
	(void)close(peer);
	world_await(0);
	end();
}
END_TEST

START_TEST(what_is_not_kept_is_skipped)
{
	char characters[CHARS_KEPT];
	uint64_t position = 0, end_of_all = 0;
	set("x", 1000, 1000);
	while (end_of_all < 2 * CHARS_KEPT) {
		await_news();
		end_of_all = UINT64_MAX;
		(void)console->follow(world.settings.service, &end_of_all, NULL, 0);
	}
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	size_t length =
		console->follow(world.settings.service, &position, characters, sizeof characters);
	ck_assert_uint_eq(length, CHARS_KEPT);
	ck_assert_uint_ge(position, 2 * CHARS_KEPT);
	ck_assert_uint_eq(console->follow(world.settings.service, &position, characters, 1), 0);
	end();
}
END_TEST

START_TEST(settings_hold_from_their_note_on)
{
	assert_settings("a-zA-Z", 1, 20);
	set("xy", 2, 3);
	ck_assert(fake_has(&page, "ok\n"));
	assert_settings("xy", 2, 3);
	await_news();
	await_news();
	await_news();
	timer_queue_stop(timer_queue);
	char *log = world_log();
	char *note = strstr(log, "--http:127.0.0.1:4711 characters from now on: xy, 2 to 3 in a "
				 "message\n");
	ck_assert_ptr_nonnull(note);
	ck_assert_uint_eq(count_of(log, "sent: ok"), 0);
	/* the one that was drawn before may come yet */
	char *burst = strstr(note, "sent: chars ");
	while (burst && (burst = strstr(burst + 1, "sent: chars "))) {
		size_t length = strspn(burst + 12, "xy");
		ck_assert_int_eq(burst[12 + length], '\n');
		ck_assert_uint_ge(length, 2);
		ck_assert_uint_le(length, 3);
	}
	free(log);
	end();
}
END_TEST

START_TEST(settings_that_cannot_be_logged_do_not_hold)
{
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	file_limit(file_size("log"));
	const struct range burst = {1, 1};
	int given = console->set(world.settings.service, &page.recipient, "x", &burst, &error);
	bool answered = eventually(is_answered, NULL);
	file_unlimit();
	ck_assert_int_eq(given, 0);
	ck_assert(answered);
	ck_assert(fake_has(&page, "error: not logged: File too large\n"));
	assert_settings("a-zA-Z", 1, 20);
	end();
}
END_TEST

START_TEST(a_count_that_cannot_be_logged_is_given_back)
{
	struct chars *chars = world.settings.service;
	await_news();
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	uint64_t since = chars->since;
	ck_assert_uint_gt(since, 0);
	file_limit(file_size("log"));
	bool given = console->ask(chars, &page.recipient);
	bool answered = eventually(is_answered, NULL);
	file_unlimit();
	ck_assert(given);
	ck_assert(answered);
	ck_assert(fake_has(&page, "error: not logged: File too large\n"));
	ck_assert_uint_eq(chars->since, since);
	end();
}
END_TEST

START_TEST(a_count_is_told_and_begins_anew)
{
	struct chars *chars = world.settings.service;
	char answer[64];
	await_news();
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	(void)snprintf(answer, sizeof answer, "stat %llu\n", (unsigned long long)chars->generated);
	ck_assert(console->ask(chars, &page.recipient));
	ck_assert(eventually(is_answered, NULL));
	ck_assert(fake_has(&page, answer));
	ck_assert_uint_eq(chars->since, 0);
	assert_logged("--http:127.0.0.1:4711 received: stat\n", 1);
	assert_logged("--http:127.0.0.1:4711 sent: stat ", 1);
	end();
}
END_TEST

START_TEST(what_is_no_alphabet_is_refused)
{
	char too_long[CHARS_ALPHABET_SIZE + 1] = "";
	const struct range burst = {1, 1};
	memset(too_long, 'x', CHARS_ALPHABET_SIZE);
	const char *const bad[] = {"", "z-a", "a\n", "ö", too_long};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(console->set(world.settings.service, &page.recipient, bad[i],
					      &burst, &error),
				 EINVAL);
		ck_assert_ptr_null(strstr(error.message, "-alphabet"));
	}
	assert_settings("a-zA-Z", 1, 20);
	end();
}
END_TEST

static void *no_memory(size_t count, size_t size)
{
	(void)count;
	(void)size;
	return NULL;
}

START_TEST(without_memory_nothing_is_set)
{
	const struct range burst = {1, 1};
	timer_queue_stop(timer_queue);
	(void)log_flush(world.log, clock_after(20 * CLOCK_SECOND));
	memory_calloc = no_memory;
	int errnum = console->set(world.settings.service, &page.recipient, "x", &burst, &error);
	memory_calloc = calloc;
	ck_assert_int_eq(errnum, ENOMEM);
	ck_assert_str_eq(error.message, "out of memory");
	assert_settings("a-zA-Z", 1, 20);
	end();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("chars_console");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, what_is_followed_is_what_sessions_get);
	tcase_add_test(cases, what_is_not_kept_is_skipped);
	tcase_add_test(cases, settings_hold_from_their_note_on);
	tcase_add_test(cases, settings_that_cannot_be_logged_do_not_hold);
	tcase_add_test(cases, a_count_that_cannot_be_logged_is_given_back);
	tcase_add_test(cases, a_count_is_told_and_begins_anew);
	tcase_add_test(cases, what_is_no_alphabet_is_refused);
	tcase_add_test(cases, without_memory_nothing_is_set);
	int status = unit_main("chars_console", cases, NULL);
	scratch_remove();
	return status;
}
