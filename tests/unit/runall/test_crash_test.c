/* SPDX-License-Identifier: MIT */
/* The drill, with shell scripts for a server and a client. */
#include "runall/crash_test.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/log_reader.h"
#include "support.h"
#include "unit.h"

#define LOG "d.log"
#define SILENT "while :; do sleep 0.1; done"
#define RECORD(words) "INFO\\t| 2019-02-24 15:10:14 --1.1.1.1:5 " words "\\n"
#define WRITING(words) "while printf '" RECORD(words) "' >>" LOG "; do sleep 0.001; done"
#define BUSY WRITING("received: x")
#define NOTING WRITING("connected")
#define LATE /* client 1 is back after others, and lines of others look like its own */            \
	"printf '" RECORD("client2#9 received: client1#1") RECORD("client1/2#1 received: x")       \
		RECORD("client#1 received: x") "' >>" LOG                                          \
					       "; sleep 0.1; " WRITING("client1#7 received: x")
#define OTHERS WRITING("client2#9 received: x")

static struct supervisor watch;
static struct error error;
static const char *server;
static int starts_left; /* how often the server can be started again */

static void start(size_t i, const char *script)
{
	struct argument_list list = {0};
	argument_add(&list, "sh", NULL);
	argument_add(&list, "-c", script);
	ck_assert_msg(supervisor_start(&watch, i, "/bin/sh", &list, "-pipe", &error) == 0, "%s",
		      error.message);
}

static int start_client(void *context, size_t i, struct error *why)
{
	(void)context;
	(void)why;
	start(1 + i, SILENT);
	return 0;
}

static int start_no_client(void *context, size_t i, struct error *why)
{
	(void)context;
	return error_set(why, "client %zu cannot be started", i + 1);
}

static int start_again(void *context, struct error *why)
{
	(void)context;
	if (starts_left-- == 0)
		return error_set(why, "no start is left");
	start(0, server);
	return 0;
}

static void set_up(struct drill *drill, const char *script, const char *client, int64_t patience)
{
	static const struct runall_options options = {
		.server.log = LOG, .drill = 3, .client.seed = 7, .client.delay = {0, 0}};
	file_write(LOG, "INFO\t| 2019-02-24 15:10:14 --1.1.1.1:5 received: before\n");
	ck_assert_msg(supervisor_open(&watch, 1, 1, &error) == 0, "%s", error.message);
	drill_set_up(drill, &options, &watch);
	drill->patience = patience;
	drill->start = start_again;
	drill->context = drill;
	server = script;
	starts_left = 100;
	ck_assert_int_eq(start_again(drill, &error), 0);
	drill_note_start(drill);
	start(1, client);
}

static void end(void)
{
	for (size_t i = 0; i < watch.count; i++)
		process_signal(&watch.children[i], SIGKILL);
	ck_assert(supervisor_until(&watch, supervisor_clients_over, 0,
				   clock_after(30 * CLOCK_SECOND)));
	ck_assert(supervisor_until(&watch, supervisor_over, 0, clock_after(30 * CLOCK_SECOND)));
	supervisor_close(&watch);
}

START_TEST(kills_as_often_as_wanted)
{
	struct drill drill;
	set_up(&drill, BUSY, SILENT, CLOCK_NEVER);
	ck_assert_msg(drill_run(&drill, &error) == 0, "%s", error.message);
	ck_assert_int_eq(drill.kills, 3);
	ck_assert_int_eq(drill.starts, 4);
	ck_assert(watch.children[0].running);
	struct stat status;
	ck_assert_int_eq(stat(LOG, &status), 0);
	ck_assert_int_gt(status.st_size, drill.end.offset);
	end();
}
END_TEST

/* Client 1 has lines since the last start. */
static bool is_back(const struct drill *drill)
{
	struct log_reader log;
	ck_assert_int_eq(log_reader_open_all(&log, LOG, &drill->end, false, &error), 0);
	bool back = false;
	while (!back && log_reader_next_record(&log, &error) == LOG_RECORD)
		back = slice_equals(log.record.sender, "client1");
	log_reader_close(&log);
	return back;
}

START_TEST(ends_when_each_client_is_back)
{
	struct drill drill;
	set_up(&drill, LATE, SILENT, CLOCK_NEVER);
	drill.start_client = start_client;
	ck_assert_msg(drill_run(&drill, &error) == 0, "%s", error.message);
	ck_assert_int_eq(drill.kills, 3);
	ck_assert_int_eq(drill.client_kills, 3);
	ck_assert(watch.children[1].running);
	ck_assert(is_back(&drill));
	end();
}
END_TEST

START_TEST(a_client_does_not_come_back)
{
	struct drill drill;
	set_up(&drill, OTHERS, SILENT, 3 * CLOCK_SECOND);
	drill.start_client = start_client;
	ck_assert_int_eq(drill_run(&drill, &error), -1);
	ck_assert_str_eq(error.message,
			 "client 1 is not back: it had no line logged for 3 s after the last kill");
	ck_assert_int_eq(drill.kills, 3);
	end();
}
END_TEST

START_TEST(a_killed_client_has_not_failed)
{
	struct drill drill;
	set_up(&drill, BUSY, SILENT, CLOCK_NEVER);
	drill.start_client = start_no_client;
	ck_assert_int_eq(drill_run(&drill, &error), -1);
	ck_assert_str_eq(error.message, "client 1 cannot be started");
	ck_assert_int_eq(drill.client_kills, 1);
	ck_assert_int_eq(watch.children[1].pid, 0);
	end();
}
END_TEST

static const struct {
	const char *server, *client;
	int starts_left;
	int64_t patience;
	int kills;
	const char *words;
} broken[] = {
	{SILENT, SILENT, 100, 20 * CLOCK_MILLISECOND, 0,
	 "no line was logged for 20 ms after 0 of 3 kills"},
	{NOTING, SILENT, 100, 20 * CLOCK_MILLISECOND, 0, /* that is no line of anybody */
	 "no line was logged for 20 ms after 0 of 3 kills"},
	{"exit 7", SILENT, 100, CLOCK_NEVER, 0, "server ended with status 7 after 0 of 3 kills"},
	{"kill -SEGV $$", SILENT, 100, CLOCK_NEVER, 0,
	 "server was killed by signal 11 (Segmentation fault) after 0 of 3 kills"},
	{SILENT, "exit 0", 100, CLOCK_NEVER, 0, "the drill ended after 0 of 3 kills"},
	{BUSY, SILENT, 1, CLOCK_NEVER, 2, "no start is left"},
};

START_TEST(tells_why_it_ended)
{
	struct drill drill;
	set_up(&drill, broken[_i].server, broken[_i].client, broken[_i].patience);
	starts_left = broken[_i].starts_left;
	ck_assert_int_eq(drill_run(&drill, &error), -1);
	ck_assert_str_eq(error.message, broken[_i].words);
	ck_assert_int_eq(drill.kills, broken[_i].kills);
	end();
}
END_TEST

START_TEST(interrupt_ends_it)
{
	struct drill drill;
	set_up(&drill, SILENT, SILENT, CLOCK_NEVER);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(drill_run(&drill, &error), -1);
	ck_assert_str_eq(error.message, "interrupted");
	end();
}
END_TEST

START_TEST(moments_follow_from_the_seed)
{
	struct runall_options options = {.server.log = LOG, .drill = 1, .client.seed = 7};
	struct drill drill, same, other;
	drill_set_up(&drill, &options, &watch);
	drill_set_up(&same, &options, &watch);
	ck_assert_uint_eq(drill.random, same.random);
	options.client.seed = 8;
	drill_set_up(&other, &options, &watch);
	ck_assert_uint_ne(drill.random, other.random);
}
END_TEST

int main(void)
{
	TCase *drill = tcase_create("drill");
	scratch_make();
	tcase_add_checked_fixture(drill, scratch_enter, NULL);
	tcase_add_test(drill, kills_as_often_as_wanted);
	tcase_add_test(drill, ends_when_each_client_is_back);
	tcase_add_test(drill, a_client_does_not_come_back);
	tcase_add_test(drill, a_killed_client_has_not_failed);
	tcase_add_loop_test(drill, tells_why_it_ended, 0, sizeof broken / sizeof *broken);
	tcase_add_test(drill, interrupt_ends_it);
	tcase_add_test(drill, moments_follow_from_the_seed);
	int status = unit_main("runall_drill", drill, NULL);
	scratch_remove();
	return status;
}
