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
	const struct batch_counts *counts = &batch->counts;
	if (!metrics)
		return;
	metrics_add(&metrics->lines, counts->lines);
	metrics_add(&metrics->bytes, counts->bytes);
	metrics_add(&metrics->rejected, counts->rejected);
	if (errnum) {
		metrics_add(&metrics->failures, 1);
		metrics_add(&metrics->refused, batch->lines);
		return;
	}
	metrics_add(&metrics->refused, batch->left_out);
	metrics_add(&metrics->stored, batch->commit.stored);
	if (counts->lines)
		distribution_add(&metrics->batch_lines, (int64_t)counts->lines, 1);
	distribution_add(&metrics->commit_time, clock_now() - batch->submitted, 1);
}

void log_metrics_fails(struct log_metrics *metrics, int errnum)
{
	if (metrics)
		atomic_store(&metrics->failing, errnum);
}
