/* SPDX-License-Identifier: MIT */
/* What a log counts where somebody asks for it, and the last records that were stored. The log's
 * threads write, any other thread reads; nobody waits. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/distribution.h"
#include "log/recent.h"

/* To be set up by log_metrics_open(); then it counts from 0. */
struct log_metrics {
	/* received, as far as their batch is settled; bytes without line ends */
	atomic_uint_fast64_t lines, bytes;
	atomic_uint_fast64_t rejected;	  /* lines that were too long or malformed */
	atomic_uint_fast64_t sent;	  /* answers that their peers' systems have, or will get */
	atomic_uint_fast64_t undelivered; /* whose peer was gone */
	atomic_uint_fast64_t refused;	  /* answers: the line could not be logged */
	atomic_uint_fast64_t stored;	  /* bytes that the log has grown by */
	atomic_uint_fast64_t failures;	  /* batches that could not be stored */
	atomic_int failing; /* the errno value, while the log cannot be written; 0: it can */
	struct distribution batch_lines; /* of each stored batch that has some */
	struct distribution commit_time; /* ns, of each batch, from its submission to the sink */
	struct distribution answer_time; /* ns, from the line's way into a batch to its answer */
	struct recent recent;
};

void log_metrics_open(struct log_metrics *metrics);
void log_metrics_close(struct log_metrics *metrics);

static inline void metrics_add(atomic_uint_fast64_t *counter, uint64_t count)
{
	atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static inline uint64_t metrics_get(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The present time; 0 where nothing is counted. The functions below accept NULL, too: then nothing
 * is. */
static inline int64_t log_metrics_now(const struct log_metrics *metrics)
{
	return metrics ? clock_now() : 0;
}

struct batch;

/* `lines` answers to lines that were received then: sent, or not, as their peer is gone. */
void log_metrics_answered(struct log_metrics *metrics, int64_t received, size_t lines, bool sent);
/* A batch is settled: stored, or failed with the errno value. */
void log_metrics_settled(struct log_metrics *metrics, const struct batch *batch, int errnum);
/* The log cannot be written, or can again: 0. */
void log_metrics_fails(struct log_metrics *metrics, int errnum);
