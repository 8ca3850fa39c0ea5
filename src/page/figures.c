/* SPDX-License-Identifier: MIT */
#include "page/figures.h"

#include <time.h>

#include "service/forwarding.h"

/* The figures grow with what was counted since. */
static void compare(struct figures *figures, const struct figures *before)
{
	if (!before->at)
		return;
	figures->seconds = (double)(figures->at - before->at) / (double)CLOCK_SECOND;
	if (figures->seconds <= 0)
		return;
	figures->line_rate = (double)(figures->lines - before->lines) / figures->seconds;
	figures->byte_rate = (double)(figures->bytes - before->bytes) / figures->seconds;
	figures->median = distribution_quantile(&before->answer_time, &figures->answer_time, 0.5);
	figures->p99 = distribution_quantile(&before->answer_time, &figures->answer_time, 0.99);
}

static void read_log(struct figures *figures, struct log_metrics *log)
{
	figures->lines = metrics_get(&log->lines);
	figures->bytes = metrics_get(&log->bytes);
	figures->rejected = metrics_get(&log->rejected);
	figures->sent = metrics_get(&log->sent);
	figures->undelivered = metrics_get(&log->undelivered);
	figures->refused = metrics_get(&log->refused);
	figures->stored = metrics_get(&log->stored);
	figures->failures = metrics_get(&log->failures);
	figures->failing = atomic_load(&log->failing);
	distribution_read(&log->batch_lines, &figures->batch_lines);
	distribution_read(&log->commit_time, &figures->commit_time);
	distribution_read(&log->answer_time, &figures->answer_time);
}

void figures_refresh(struct figures *figures, const struct figures_source *source)
{
	const struct service *service = source->service;
	void *state = source->sessions->service;
	read_log(figures, source->log);
	peer_notes_count(source->sessions->notes, figures->notes);
	size_t count = service->figures ? service->figures(state, figures->service) : 0;
	figures->service_count =
		count + forwarding_figures(source->relay, figures->service + count);
}

void figures_read(struct figures *figures, const struct figures_source *source)
{
	const struct figures before = *figures;
	figures->at = clock_now();
	if (!before.at) {
		figures->started = figures->at;
		figures->start = (double)time(NULL);
	}
	figures_refresh(figures, source);
	session_table_survey(source->sessions->table, &figures->survey);
	compare(figures, &before);
}
