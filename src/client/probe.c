/* SPDX-License-Identifier: MIT */
#include "client/probe.h"

#include <errno.h>

#include "base/clock.h"
#include "base/slice.h"
#include "measure/histogram.h"
#include "net/answers.h"
#include "net/stream.h"
#include "record/escape.h"

enum { PROBE_SPACE = 4096 };

/* Is it an error line of the server? Then the error is set. */
static bool is_refusal(struct slice input, struct error *error)
{
	char excerpt[EXCERPT_SIZE];
	struct slice line;
	if (!slice_cut(&input, '\n', &line) || !slice_begins(line, ANSWER_ERROR))
		return false;
	error_set(error, "the server refused the connection: '%s'",
		  record_excerpt(excerpt, line.bytes, line.length));
	return true;
}

/* A connection that the system has accepted can still be one that the server never takes: its end
 * comes from the server. Returns 0, or -1 with *error set. */
static int await_end(struct stream *stream, const struct client_options *options,
		     struct error *error)
{
	int64_t deadline = clock_after(options->timeout);
	char bytes[PROBE_SPACE], time[DURATION_SIZE];
	ssize_t length;
	do {
		length = stream_receive_until(stream, bytes, sizeof bytes, deadline);
		if (length > 0 && is_refusal((struct slice){bytes, (size_t)length}, error))
			return -1;
	} while (length > 0 && clock_now() < deadline);
	if (length == 0)
		return 0;
	if (length < 0 && errno != EAGAIN)
		return error_set(error, "the connection broke: %s", stream_failure(stream, errno));
	duration_format(options->timeout, time);
	return error_set(error, "the server did not end the connection within %s", time);
}

static int probe(const struct client_options *options, const struct host_turn *turn,
		 struct error *error)
{
	char name[HOST_NAME_SIZE];
	struct stream *stream = stream_connect_turn(options->stream_type, turn,
						    clock_after(options->timeout), -1, error);
	if (!stream)
		return -1;
	stream_end(stream);
	int result = await_end(stream, options, error);
	stream_close(stream, 0);
	if (result < 0)
		error_prefix(error, host_turn_name(turn, name));
	return result;
}

/* One host that accepts connections is enough. */
enum exit_status client_probe(const struct client_options *options, const char *program)
{
	struct error error = {""}, why;
	struct host_turn turn = {.hosts = &options->hosts};
	do {
		if (probe(options, &turn, &why) == 0)
			return EXIT_DONE;
		error_join(&error, &why);
	} while (!host_turn_fails(&turn));
	program_complain(program, error.message);
	return EXIT_FAILED;
}
