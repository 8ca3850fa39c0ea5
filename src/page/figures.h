/* SPDX-License-Identifier: MIT */
/* All numbers of the server at one time, and what the last minutes were like. */
#pragma once

#include "log/metrics.h"
#include "service/table.h"
#include "session/survey.h"

enum { FIGURES_HISTORY = 300 }; /* seconds */

/* What is read from. */
struct figures_source {
	struct log_metrics *log;
	const struct session_settings *sessions;
	const struct service *service;
	void *relay; /* as of forwarding_start(); NULL: none */
};

struct figures {
	int64_t at;	 /* ns */
	int64_t started; /* ns, when it was read first */
	double start;	 /* the same, seconds since the epoch */
	uint64_t lines, bytes, rejected, sent, undelivered, refused, stored, failures;
	int failing; /* errno value, or 0 */
	struct distribution_counts batch_lines, commit_time, answer_time;
	uint64_t notes[PEER_NOTE_KINDS];
	struct survey survey;
	struct service_figure service[SERVICE_FIGURES_MAX];
	size_t service_count;
	/* since the figures before */
	double seconds;		     /* 0: there were none */
	double line_rate, byte_rate; /* a second */
	double median, p99;	     /* of answer times, ns; 0: there were no answers */
};

/* Reads all numbers, and compares them with those of the last time, which *figures has; zeroed, it
 * has none. */
void figures_read(struct figures *figures, const struct figures_source *source);
/* Reads what can be read at any time: all but the survey and what is compared. */
void figures_refresh(struct figures *figures, const struct figures_source *source);
