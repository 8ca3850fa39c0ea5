/* SPDX-License-Identifier: MIT */
#include "measure/client_result_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nonblocking_writer.h"

void client_result_writer_connection(struct client_result_writer *writer, size_t thread,
				     const char *local_name)
{
	const struct counters *counters = writer->counters;
	uint64_t answered = writer->plan.each ? counters[thread].acknowledged : 0;
	for (size_t i = 0; !writer->plan.each && i < writer->plan.threads; i++)
		answered += counters[i].acknowledged;
	if (!buffer_printf(&writer->connections, "connection %zu %s %" PRIu64 "\n", thread,
			   local_name, answered))
		writer->incomplete = true;
}

void client_result_writer_sender(struct client_result_writer *writer, const char *name,
				 uint64_t last, uint64_t had)
{
	if (!buffer_printf(&writer->connections, "sender %s %" PRIu64 " %" PRIu64 "\n", name, last,
			   had))
		writer->incomplete = true;
}

/* As planned; where time was the plan, the maximum that a thread has sent. */
static uint64_t iterations_of(const struct client_result_writer *writer)
{
	uint64_t max = writer->plan.iterations ? writer->plan.iterations : 1;
	for (size_t i = 0; i < writer->plan.threads; i++)
		if (writer->counters[i].sent > max)
			max = writer->counters[i].sent;
	return max;
}

static bool add_histogram(struct buffer *text, const char *name, const struct histogram *histogram)
{
	bool complete = buffer_printf(text, "histogram %s %" PRIu64 " %" PRId64 " %" PRId64 "\n",
				      name, histogram->count, histogram_quantile(histogram, 0),
				      histogram_quantile(histogram, 1));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS && complete; i++)
		if (histogram->buckets[i])
			complete = buffer_printf(text, "bucket %s %zu %" PRIu64 "\n", name, i,
						 histogram->buckets[i]);
	return complete;
}

static bool add_measured(struct buffer *text, const struct result *measured)
{
	return buffer_printf(text, "measured %" PRId64 " %" PRId64 " %s %" PRIu64 "\n",
			     measured->elapsed, measured->warmup,
			     measured->strict ? "strict" : "free", measured->unsent) &&
	       add_histogram(text, "latency", measured->latency) &&
	       (!measured->uncorrected || add_histogram(text, "raw", measured->uncorrected));
}

static bool add_outcomes(struct buffer *text, const struct assertion_outcome *outcomes,
			 size_t count)
{
	bool complete = true;
	for (size_t i = 0; i < count; i++) {
		const char *how = outcomes[i].met ? "met" : "missed";
		complete &= outcomes[i].measured ? buffer_printf(text, "expected %s %.17g\n", how,
								 outcomes[i].value)
						 : buffer_printf(text, "expected %s -\n", how);
	}
	return complete;
}

static bool compose(struct buffer *text, const struct client_result_writer *writer)
{
	const struct plan *plan = &writer->plan;
	bool complete =
		!writer->incomplete &&
		buffer_printf(text, "plan %zu %" PRIu64 " %" PRIu64 " %s%s%s\n", plan->threads,
			      iterations_of(writer), plan->window, plan->each ? "each" : "shared",
			      plan->free ? " free" : "", plan->iterations ? "" : " open") &&
		buffer_append(text, writer->connections.bytes, writer->connections.length);
	for (size_t i = 0; i < plan->threads; i++) {
		const struct counters *counters = &writer->counters[i];
		complete &=
			buffer_printf(text, "thread %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
				      counters->sent, counters->acknowledged, counters->resent);
	}
	return complete;
}

/* Writes the text, to which the last line is added, closes the descriptor, and frees the text. Not
 * complete: memory was out for it. */
static bool send_text(int descriptor, struct buffer *text, bool complete, struct error *error)
{
	complete &= buffer_append_string(text, "end\n");
	errno = ENOMEM;
	bool written = complete && nonblocking_write_all(descriptor, text->bytes, text->length, -1,
							 CLOCK_NEVER) == 0;
	int errnum = errno;
	buffer_free(text);
	if (close(descriptor) < 0 && written) {
		written = false;
		errnum = errno;
	}
	if (!written)
		error_set(error, "cannot write the client result to descriptor %d: %s", descriptor,
			  strerror(errnum));
	return written;
}

bool client_result_writer_write(const struct client_result_writer *writer, int descriptor,
				const struct result *measured,
				const struct assertion_outcome *outcomes, size_t count,
				struct error *error)
{
	struct buffer text = {0};
	bool complete = compose(&text, writer) &&
			(!measured ||
			 (add_measured(&text, measured) && add_outcomes(&text, outcomes, count)));
	return send_text(descriptor, &text, complete, error);
}

bool chars_result_write(const struct chars_result *chars, int descriptor, struct error *error)
{
	struct buffer text = {0};
	bool complete =
		buffer_printf(&text,
			      "chars %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			      " %" PRIu64 "\n",
			      chars->name, chars->got.messages, chars->got.characters,
			      chars->got.digest, chars->before, chars->stats, chars->counted);
	return send_text(descriptor, &text, complete, error);
}
