/* SPDX-License-Identifier: MIT */
#include "talks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

struct talk_settings settings;
struct tally tallies[CONNECTIONS];
struct latency *latency;
struct talk *talk;
struct failure failure;
size_t told; /* connections that were told of */

static void note_connection(void *context, size_t connection, const char *local_name)
{
	ck_assert_ptr_eq(context, &told);
	ck_assert_uint_lt(connection, settings.connections);
	ck_assert_int_eq(strncmp(local_name, "127.0.0.1:", 10), 0);
	told++;
}

void setup(void)
{
	latency = calloc(1, sizeof *latency);
	ck_assert_ptr_nonnull(latency);
	settings = (struct talk_settings){.host = "127.0.0.1",
					  .port = script_listen(),
					  .connections = 1,
					  .window = 1,
					  .timeout = 20 * CLOCK_SECOND,
					  .stop = eventfd(0, EFD_CLOEXEC),
					  .tallies = tallies,
					  .latency = latency,
					  .connected = note_connection,
					  .context = &told};
}

void teardown(void)
{
	talk_free(talk);
	free(latency);
	script_end();
	close(settings.stop);
}

void begin(script_t script)
{
	script_begin(script);
	talk = talk_make(&settings, &failure);
	ck_assert_ptr_nonnull(talk);
	ck_assert_msg(talk_open(talk, &failure), "%s", failure.words);
}

bool say(size_t thread, const char *line)
{
	size_t connection = settings.connections > 1 ? thread : 0;
	struct talk_line said = {
		.connection = connection, .thread = thread, .bytes = line, .length = strlen(line)};
	return talk_ready(talk, CLOCK_NEVER, &failure) && talk_send(talk, &said, &failure);
}

bool say_many(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!say(i % CONNECTIONS, "line\n"))
			return false;
	return talk_finish(talk, &failure);
}

struct tally total(void)
{
	struct tally sum = {0};
	for (size_t i = 0; i < CONNECTIONS; i++)
		tally_merge(&sum, &tallies[i]);
	return sum;
}

void assert_total(uint64_t sent, uint64_t acknowledged, uint64_t resent)
{
	struct tally sum = total();
	ck_assert_uint_eq(sum.sent, sent);
	ck_assert_uint_eq(sum.acknowledged, acknowledged);
	ck_assert_uint_eq(sum.resent, resent);
	ck_assert_uint_eq(latency->count, acknowledged);
}

void assert_done(size_t lines)
{
	ck_assert_msg(say_many(lines), "%s", failure.words);
	ck_assert_uint_eq(total().sent, lines);
	ck_assert_uint_eq(total().acknowledged, lines);
}
