/* SPDX-License-Identifier: MIT */
#include "measure/client_result_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "measure/histogram_text.h"

void acks_connection(struct acks *acks, const struct client_options *options,
		     const struct tally *tallies, size_t connection, const char *local_name)
{
	bool each = options->connect == CONNECT_EACH;
	uint64_t answered = each ? tallies[connection].acknowledged : 0;
	for (int64_t i = 0; !each && i < options->threads; i++)
		answered += tallies[i].acknowledged;
	if (!report_add(&acks->connections, "connection %zu %s %" PRIu64 "\n", connection,
			local_name, answered))
		acks->incomplete = true;
}

void acks_free(struct acks *acks)
{
	text_free(&acks->connections);
}

/* What was planned; where time was the plan, the most that a thread has said. */
static int64_t iterations_of(const struct client_options *options, const struct tally *tallies)
{
	int64_t most = options->iterations ? options->iterations : 1;
	for (int64_t i = 0; i < options->threads; i++)
		if ((int64_t)tallies[i].sent > most)
			most = (int64_t)tallies[i].sent;
	return most;
}

static bool acks_compose(struct text *text, const struct acks *acks,
			 const struct client_options *options, const struct tally *tallies,
			 const struct result *measured)
{
	bool complete = !acks->incomplete;
	complete &= report_add(text, "plan %" PRId64 " %" PRId64 " %" PRId64 " %s%s%s\n",
			       options->threads, iterations_of(options, tallies), options->window,
			       options->connect == CONNECT_EACH ? "each" : "shared",
			       options->order == ORDER_FREE ? " free" : "",
			       options->iterations ? "" : " open");
	complete &= text_append(text, acks->connections.bytes, acks->connections.length);
	for (int64_t i = 0; i < options->threads; i++)
		complete &=
			report_add(text, "thread %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				   i, tallies[i].sent, tallies[i].acknowledged, tallies[i].resent);
	if (measured)
		complete &= report_account(text, measured);
	return complete && text_append_string(text, "end\n");
}

/* 0, or -1 with errno. */
static int write_all(int descriptor, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(descriptor, bytes, length);
		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

bool acks_write(const struct acks *acks, const struct client_options *options,
		const struct tally *tallies, const struct result *measured, struct failure *failure)
{
	struct text text = {0};
	bool complete = acks_compose(&text, acks, options, tallies, measured);
	bool written = acks_send((int)options->acks, &text, complete, failure);
	text_free(&text);
	return written;
}

bool acks_send(int descriptor, const struct text *text, bool complete, struct failure *failure)
{
	errno = ENOMEM;
	bool written = complete && write_all(descriptor, text->bytes, text->length) == 0;
	int error = errno;
	if (close(descriptor) < 0 && written) {
		written = false;
		error = errno;
	}
	if (!written)
		failure_set(failure, "cannot write the account to descriptor %d: %s", descriptor,
			    strerror(error));
	return written;
}
