/* SPDX-License-Identifier: MIT */
#include "measure/client_result_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "measure/histogram_text.h"

void client_result_writer_connection(struct client_result_writer *acks,
				     const struct client_options *options,
				     const struct counters *counters, size_t connection,
				     const char *local_name)
{
	bool each = options->connect == CONNECT_EACH;
	uint64_t answered = each ? counters[connection].acknowledged : 0;
	for (int64_t i = 0; !each && i < options->threads; i++)
		answered += counters[i].acknowledged;
	if (!report_add(&acks->connections, "connection %zu %s %" PRIu64 "\n", connection,
			local_name, answered))
		acks->incomplete = true;
}

void client_result_writer_free(struct client_result_writer *acks)
{
	buffer_free(&acks->connections);
}

/* What was planned; where time was the plan, the most that a thread has said. */
static int64_t iterations_of(const struct client_options *options, const struct counters *counters)
{
	int64_t most = options->iterations ? options->iterations : 1;
	for (int64_t i = 0; i < options->threads; i++)
		if ((int64_t)counters[i].sent > most)
			most = (int64_t)counters[i].sent;
	return most;
}

static bool client_result_writer_compose(struct buffer *text,
					 const struct client_result_writer *acks,
					 const struct client_options *options,
					 const struct counters *counters,
					 const struct result *measured)
{
	bool complete = !acks->incomplete;
	complete &= report_add(text, "plan %" PRId64 " %" PRId64 " %" PRId64 " %s%s%s\n",
			       options->threads, iterations_of(options, counters), options->window,
			       options->connect == CONNECT_EACH ? "each" : "shared",
			       options->order == ORDER_FREE ? " free" : "",
			       options->iterations ? "" : " open");
	complete &= buffer_append(text, acks->connections.bytes, acks->connections.length);
	for (int64_t i = 0; i < options->threads; i++)
		complete &= report_add(
			text, "thread %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
			counters[i].sent, counters[i].acknowledged, counters[i].resent);
	if (measured)
		complete &= report_account(text, measured);
	return complete && buffer_append_string(text, "end\n");
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

bool client_result_writer_write(const struct client_result_writer *acks,
				const struct client_options *options,
				const struct counters *counters, const struct result *measured,
				struct error *error)
{
	struct buffer text = {0};
	bool complete = client_result_writer_compose(&text, acks, options, counters, measured);
	bool written = client_result_writer_send((int)options->acks, &text, complete, error);
	buffer_free(&text);
	return written;
}

bool client_result_writer_send(int descriptor, const struct buffer *text, bool complete,
			       struct error *error)
{
	errno = ENOMEM;
	bool written = complete && write_all(descriptor, text->bytes, text->length) == 0;
	int errnum = errno;
	if (close(descriptor) < 0 && written) {
		written = false;
		errnum = errno;
	}
	if (!written)
		error_set(error, "cannot write the account to descriptor %d: %s", descriptor,
			  strerror(errnum));
	return written;
}
