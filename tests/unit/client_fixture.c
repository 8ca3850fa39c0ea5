/* SPDX-License-Identifier: MIT */
#include "client_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"
#include "xor_stream.h"

struct client_session_settings settings;
struct hosts hosts;
struct counters counters[CONNECTIONS];
struct histogram *latency;
struct client_session *session;
struct error error;
size_t connected; /* connections that were reported */

static void note_connection(void *context, size_t connection, const char *local_name)
{
	ck_assert_ptr_eq(context, &connected);
	ck_assert_uint_lt(connection, settings.connections);
	ck_assert_int_eq(strncmp(local_name, "127.0.0.1:", 10), 0);
	connected++;
}

void setup(void)
{
	latency = calloc(1, sizeof *latency);
	ck_assert_ptr_nonnull(latency);
	hosts = (struct hosts){.count = 1,
			       .list = {{.name = "127.0.0.1", .port = script_listen()}}};
	settings = (struct client_session_settings){.hosts = &hosts,
						    .stream_type = stream_type,
						    .connections = 1,
						    .window = 1,
						    .answers = &answers_ok,
						    .timeout = 20 * CLOCK_SECOND,
						    .stop = eventfd(0, EFD_CLOEXEC),
						    .counters = counters,
						    .latency = latency,
						    .connected = note_connection,
						    .context = &connected};
}

void teardown(void)
{
	client_session_free(session);
	free(latency);
	script_end();
	close(settings.stop);
}

void begin(script_t script)
{
	script_begin(script);
	session = client_session_make(&settings, &error);
	ck_assert_ptr_nonnull(session);
	ck_assert_msg(client_session_open(session), "%s", error.message);
}

bool send_text(size_t thread, const char *line)
{
	size_t connection = settings.connections > 1 ? thread : 0;
	const struct inflight_line to_send = {.connection = (uint32_t)connection,
					      .thread = (uint32_t)thread,
					      .length = strlen(line)};
	return client_session_ready(session, CLOCK_NEVER) &&
	       client_session_send(session, &to_send, line);
}

bool send_many(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!send_text(i % CONNECTIONS, "line\n"))
			return false;
	return client_session_finish(session);
}

struct counters total(void)
{
	struct counters sum = {0};
	for (size_t i = 0; i < CONNECTIONS; i++) {
		sum.sent += counters[i].sent;
		sum.acknowledged += counters[i].acknowledged;
		sum.resent += counters[i].resent;
	}
	return sum;
}

void assert_total(uint64_t sent, uint64_t acknowledged, uint64_t resent)
{
	struct counters sum = total();
	ck_assert_uint_eq(sum.sent, sent);
	ck_assert_uint_eq(sum.acknowledged, acknowledged);
	ck_assert_uint_eq(sum.resent, resent);
	ck_assert_uint_eq(latency->count, acknowledged);
}

void assert_done(size_t lines)
{
	ck_assert_msg(send_many(lines), "%s", error.message);
	ck_assert_uint_eq(total().sent, lines);
	ck_assert_uint_eq(total().acknowledged, lines);
}
