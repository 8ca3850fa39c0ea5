/* SPDX-License-Identifier: MIT */
#include "page/metrics.h"

#include <inttypes.h>

#include "measure/exposition.h"

/* The buckets from `first` to `last`, every `step`-th; their bounds are divided by `unit`. */
struct scale {
	size_t first, last, step;
	double unit;
};

static const struct scale sizes = {0, 2 * 17, 2, 1};		/* 1 to 131072 */
static const struct scale durations = {2 * 11, 2 * 34, 1, 1e9}; /* ns: 2 µs to 17 s, as seconds */

static void histogram(struct exposition *output, const char *name, const char *help,
		      const struct distribution_counts *counts, const struct scale *scale)
{
	uint64_t below = 0;
	size_t next = scale->first;
	exposition_head(output, name, "histogram", help);
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++) {
		below += counts->counts[i];
		if (i != next || i > scale->last)
			continue;
		next += scale->step;
		output->failed =
			output->failed ||
			!buffer_printf(output->text, "ackline_%s_bucket{le=\"%.9g\"} %" PRIu64 "\n",
				       name, (double)distribution_bound(i) / scale->unit, below);
	}
	output->failed =
		output->failed ||
		!buffer_printf(output->text,
			       "ackline_%s_bucket{le=\"+Inf\"} %" PRIu64
			       "\nackline_%s_sum %.15g\nackline_%s_count %" PRIu64 "\n",
			       name, below, name, (double)counts->sum / scale->unit, name, below);
}

static void append_connections(struct exposition *output, const struct figures *figures)
{
	static const struct {
		const char *labels;
		enum peer_note kind;
	} refused[] = {{"{reason=\"connections\"}", NOTE_REFUSED},
		       {"{reason=\"address\"}", NOTE_REFUSED_ADDRESS},
		       {"{reason=\"handshake\"}", NOTE_HANDSHAKE}},
	  closed[] = {{"{reason=\"silent\"}", NOTE_SILENT},
		      {"{reason=\"unfinished\"}", NOTE_UNFINISHED},
		      {"{reason=\"not_reading\"}", NOTE_NOT_TAKEN},
		      {"{reason=\"memory\"}", NOTE_NO_MEMORY}};
	exposition_one(output, "connections", "gauge", "Open connections.",
		       (double)figures->survey.live);
	exposition_one(output, "connections_accepted_total", "counter",
		       "Connections that were accepted.", (double)figures->survey.started);
	exposition_head(output, "connections_refused_total", "counter",
			"Connections that were refused: over the limit of all, or of an address, "
			"or without a "
			"TLS handshake.");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		exposition_value(output, "connections_refused_total", refused[i].labels,
				 (double)figures->notes[refused[i].kind]);
	exposition_head(output, "connections_closed_total", "counter",
			"Connections that the server ended.");
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		exposition_value(output, "connections_closed_total", closed[i].labels,
				 (double)figures->notes[closed[i].kind]);
	exposition_one(output, "accept_failures_total", "counter",
		       "How often the system had no space for a connection.",
		       (double)figures->notes[NOTE_PAUSED]);
	exposition_one(output, "unsent_bytes", "gauge",
		       "Bytes of answers that peers have not taken.",
		       (double)figures->survey.unsent);
}

static void append_lines(struct exposition *output, const struct figures *figures)
{
	exposition_one(output, "lines_received_total", "counter",
		       "Lines that were received, and logged or refused.", (double)figures->lines);
	exposition_one(output, "lines_rejected_total", "counter",
		       "Lines that were too long or malformed.", (double)figures->rejected);
	exposition_one(output, "received_bytes_total", "counter",
		       "Bytes of these lines, without their ends.", (double)figures->bytes);
	exposition_head(
		output, "answers_total", "counter",
		"Answers: sent, not sent as the peer was gone, and errors as a line could not be "
		"logged.");
	exposition_value(output, "answers_total", "{kind=\"sent\"}", (double)figures->sent);
	exposition_value(output, "answers_total", "{kind=\"undelivered\"}",
			 (double)figures->undelivered);
	exposition_value(output, "answers_total", "{kind=\"not_logged\"}",
			 (double)figures->refused);
	histogram(output, "answer_seconds",
		  "Time from a line's way into a batch until its answer is sent.",
		  &figures->answer_time, &durations);
}

static void append_log(struct exposition *output, const struct figures *figures)
{
	histogram(output, "batch_lines", "Received lines of each stored batch that has some.",
		  &figures->batch_lines, &sizes);
	histogram(output, "commit_seconds", "Time to store a batch, as safely as -sync says.",
		  &figures->commit_time, &durations);
	exposition_one(output, "log_written_bytes_total", "counter",
		       "Bytes that the log has grown by.", (double)figures->stored);
	exposition_one(output, "log_failures_total", "counter", "Batches that could not be stored.",
		       (double)figures->failures);
	exposition_one(output, "log_failing", "gauge", "1 while the log cannot be written.",
		       figures->failing ? 1 : 0);
}

bool metrics_append(struct buffer *text, const struct figures *figures)
{
	struct exposition output = {.text = text};
	append_connections(&output, figures);
	append_lines(&output, figures);
	append_log(&output, figures);
	for (size_t i = 0; i < figures->service_count; i++) {
		const struct service_figure *figure = &figures->service[i];
		exposition_one(&output, figure->name, figure->counter ? "counter" : "gauge",
			       figure->help, figure->value);
	}
	exposition_process(&output, figures->start);
	return !output.failed;
}
