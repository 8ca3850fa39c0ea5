/* SPDX-License-Identifier: MIT */
#include "page/metrics.h"

#include <inttypes.h>
#include <sys/resource.h>

/* Sets *failed once memory is out; then nothing more is appended. */
struct output {
	struct buffer *text;
	bool failed;
};

static void head(struct output *output, const char *name, const char *type, const char *help)
{
	output->failed =
		output->failed ||
		!buffer_printf(output->text, "# HELP ackline_%s %s\n# TYPE ackline_%s %s\n", name,
			       help, name, type);
}

static void value(struct output *output, const char *name, const char *labels, double number)
{
	output->failed = output->failed ||
			 !buffer_printf(output->text, "ackline_%s%s %.15g\n", name, labels, number);
}

static void one(struct output *output, const char *name, const char *type, const char *help,
		double number)
{
	head(output, name, type, help);
	value(output, name, "", number);
}

/* The buckets from `first` to `last`, every `step`-th; their bounds are divided by `unit`. */
struct scale {
	size_t first, last, step;
	double unit;
};

static const struct scale sizes = {0, 2 * 17, 2, 1};		/* 1 to 131072 */
static const struct scale durations = {2 * 11, 2 * 34, 1, 1e9}; /* ns: 2 µs to 17 s, as seconds */

static void histogram(struct output *output, const char *name, const char *help,
		      const struct distribution_counts *counts, const struct scale *scale)
{
	uint64_t below = 0;
	size_t next = scale->first;
	head(output, name, "histogram", help);
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

static void append_connections(struct output *output, const struct figures *figures)
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
	one(output, "connections", "gauge", "Open connections.", (double)figures->survey.live);
	one(output, "connections_accepted_total", "counter", "Connections that were accepted.",
	    (double)figures->survey.started);
	head(output, "connections_refused_total", "counter",
	     "Connections that were refused: over the limit of all, or of an address, or without a "
	     "TLS handshake.");
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		value(output, "connections_refused_total", refused[i].labels,
		      (double)figures->notes[refused[i].kind]);
	head(output, "connections_closed_total", "counter", "Connections that the server ended.");
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		value(output, "connections_closed_total", closed[i].labels,
		      (double)figures->notes[closed[i].kind]);
	one(output, "accept_failures_total", "counter",
	    "How often the system had no space for a connection.",
	    (double)figures->notes[NOTE_PAUSED]);
	one(output, "unsent_bytes", "gauge", "Bytes of answers that peers have not taken.",
	    (double)figures->survey.unsent);
}

static void append_lines(struct output *output, const struct figures *figures)
{
	one(output, "lines_received_total", "counter", "Lines that were received, and logged or refused.",
	    (double)figures->lines);
	one(output, "lines_rejected_total", "counter", "Lines that were too long or malformed.",
	    (double)figures->rejected);
	one(output, "received_bytes_total", "counter", "Bytes of these lines, without their ends.",
	    (double)figures->bytes);
	head(output, "answers_total", "counter",
	     "Answers: sent, not sent as the peer was gone, and errors as a line could not be "
	     "logged.");
	value(output, "answers_total", "{kind=\"sent\"}", (double)figures->sent);
	value(output, "answers_total", "{kind=\"undelivered\"}", (double)figures->undelivered);
	value(output, "answers_total", "{kind=\"not_logged\"}", (double)figures->refused);
	histogram(output, "answer_seconds",
		  "Time from a line's way into a batch until its answer is sent.",
		  &figures->answer_time, &durations);
}

static void append_log(struct output *output, const struct figures *figures)
{
	histogram(output, "batch_lines", "Received lines of each stored batch that has some.",
		  &figures->batch_lines, &sizes);
	histogram(output, "commit_seconds", "Time to store a batch, as safely as -sync says.",
		  &figures->commit_time, &durations);
	one(output, "log_written_bytes_total", "counter", "Bytes that the log has grown by.",
	    (double)figures->stored);
	one(output, "log_failures_total", "counter", "Batches that could not be stored.",
	    (double)figures->failures);
	one(output, "log_failing", "gauge", "1 while the log cannot be written.",
	    figures->failing ? 1 : 0);
}

/* What each program tells, by the conventions: without our prefix. */
static void append_process(struct output *output, const struct figures *figures)
{
	struct rusage used;
	(void)getrusage(RUSAGE_SELF, &used); /* cannot fail */
	double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	output->failed =
		output->failed ||
		!buffer_printf(
			output->text,
			"# HELP process_start_time_seconds When it started, since the epoch.\n"
			"# TYPE process_start_time_seconds gauge\n"
			"process_start_time_seconds %.15g\n"
			"# HELP process_cpu_seconds_total CPU time that was used.\n"
			"# TYPE process_cpu_seconds_total counter\n"
			"process_cpu_seconds_total %.6f\n",
			figures->start, seconds);
}

bool metrics_append(struct buffer *text, const struct figures *figures)
{
	struct output output = {.text = text};
	append_connections(&output, figures);
	append_lines(&output, figures);
	append_log(&output, figures);
	for (size_t i = 0; i < figures->service_count; i++) {
		const struct service_figure *figure = &figures->service[i];
		one(&output, figure->name, figure->counter ? "counter" : "gauge", figure->help,
		    figure->value);
	}
	append_process(&output, figures);
	return !output.failed;
}
