/* SPDX-License-Identifier: MIT */
#include "log/metrics.h"

#include "log/batch.h"

void log_metrics_open(struct log_metrics *metrics)
{
	*metrics = (struct log_metrics){0};
	recent_open(&metrics->recent);
}

void log_metrics_close(struct log_metrics *metrics)
{
	recent_close(&metrics->recent);
}

size_t log_metrics_received(struct log_metrics *metrics, const struct log_item *items, size_t count)
{
	size_t lines = 0, bytes = 0, rejected = 0;
	if (!metrics)
		return 0;
	for (size_t i = 0; i < count; i++) {
		bool received = items[i].event == RECORD_RECEIVED;
		lines += received;
		bytes += received ? items[i].length : 0;
		/* a warning that is answered stands in place of a line */
		rejected += items[i].level == RECORD_WARNING && items[i].answer_length > 0;
	}
	if (lines) {
		metrics_add(&metrics->lines, lines);
		metrics_add(&metrics->bytes, bytes);
	}
	if (rejected)
		metrics_add(&metrics->rejected, rejected);
	return lines;
}

void log_metrics_answered(struct log_metrics *metrics, int64_t received, size_t lines, bool sent)
{
	if (!metrics)
		return;
	metrics_add(sent ? &metrics->sent : &metrics->undelivered, lines);
	if (sent)
		distribution_add(&metrics->answer_time, clock_now() - received, lines);
}

void log_metrics_settled(struct log_metrics *metrics, const struct batch *batch, int errnum)
{
	if (!metrics)
		return;
	if (errnum) {
		metrics_add(&metrics->failures, 1);
		metrics_add(&metrics->refused, batch->lines);
		return;
	}
	metrics_add(&metrics->stored, batch->commit.stored);
	if (batch->received)
		distribution_add(&metrics->batch_lines, (int64_t)batch->received, 1);
	distribution_add(&metrics->commit_time, clock_now() - batch->submitted, 1);
}

void log_metrics_fails(struct log_metrics *metrics, int errnum)
{
	if (metrics)
		atomic_store(&metrics->failing, errnum);
}
