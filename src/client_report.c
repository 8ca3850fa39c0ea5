/* SPDX-License-Identifier: MIT */
#include "client_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { REPORT_LINE = 256 };

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void tell(FILE *where, const char *program, const char *line)
{
	/* nowhere is left to report that stderr cannot be written; stdout is checked at its end */
	(void)fprintf(where, "%s: %s\n", program, line);
}

void report_latency(FILE *where, const char *program, const struct latency *latency)
{
	char line[REPORT_LINE];
	if (!latency->count)
		return;
	char min[DURATION_SIZE], median[DURATION_SIZE], p99[DURATION_SIZE], max[DURATION_SIZE];
	duration_show(latency->min, min);
	duration_show(latency_quantile(latency, 0.5), median);
	duration_show(latency_quantile(latency, 0.99), p99);
	duration_show(latency->max, max);
	(void)snprintf(line, sizeof line, "latency min %s, median %s, p99 %s, max %s", min, median,
		       p99, max);
	tell(where, program, line);
}

void report_show(FILE *where, const char *program, const struct tally *total,
		 const struct latency *latency, int64_t elapsed)
{
	char line[REPORT_LINE];
	double seconds = (double)elapsed / (double)CLOCK_SECOND;
	double rate = elapsed > 0 ? (double)total->acknowledged / seconds : 0;
	(void)snprintf(line, sizeof line,
		       "%" PRIu64 " line%s sent, %" PRIu64 " acknowledged, %" PRIu64
		       " lost in %.3f s (%.0f lines/s)",
		       total->sent, plural(total->sent), total->acknowledged,
		       total->sent - total->acknowledged, seconds, rate);
	tell(where, program, line);
	if (total->resent) {
		(void)snprintf(line, sizeof line,
			       "%" PRIu64
			       " line%s sent again after a lost connection: may have been "
			       "logged twice",
			       total->resent, plural(total->resent));
		tell(where, program, line);
	}
	report_latency(where, program, latency);
}

static bool append_line(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends a line that is known to be short. False: out of memory. */
static bool append_line(struct text *text, const char *format, ...)
{
	char line[REPORT_LINE];
	va_list values;
	va_start(values, format);
	(void)vsnprintf(line, sizeof line, format, values);
	va_end(values);
	return text_append_string(text, line);
}

void acks_connection(struct acks *acks, const struct client_options *options,
		     const struct tally *tallies, size_t connection, const char *local_name)
{
	bool each = options->connect == CONNECT_EACH;
	uint64_t answered = each ? tallies[connection].acknowledged : 0;
	for (int64_t i = 0; !each && i < options->threads; i++)
		answered += tallies[i].acknowledged;
	if (!append_line(&acks->connections, "connection %zu %s %" PRIu64 "\n", connection,
			 local_name, answered))
		acks->incomplete = true;
}

void acks_free(struct acks *acks)
{
	text_free(&acks->connections);
}

static bool acks_compose(struct text *text, const struct acks *acks,
			 const struct client_options *options, const struct tally *tallies)
{
	bool complete = !acks->incomplete;
	complete &= append_line(text, "plan %" PRId64 " %" PRId64 " %" PRId64 " %s\n",
				options->threads, options->iterations, options->window,
				options->connect == CONNECT_EACH ? "each" : "shared");
	complete &= text_append(text, acks->connections.bytes, acks->connections.length);
	for (int64_t i = 0; i < options->threads; i++)
		complete &= append_line(
			text, "thread %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
			tallies[i].sent, tallies[i].acknowledged, tallies[i].resent);
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
		const struct tally *tallies, struct failure *failure)
{
	struct text text = {0};
	int descriptor = (int)options->acks;
	bool complete = acks_compose(&text, acks, options, tallies);
	errno = ENOMEM;
	bool written = complete && write_all(descriptor, text.bytes, text.length) == 0;
	int error = errno;
	if (close(descriptor) < 0 && written) {
		written = false;
		error = errno;
	}
	text_free(&text);
	if (!written)
		failure_set(failure, "cannot write the account to descriptor %d: %s", descriptor,
			    strerror(error));
	return written;
}
