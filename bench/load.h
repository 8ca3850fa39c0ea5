/* SPDX-License-Identifier: MIT */
/* A load: many connections in one thread, each with a window of requests in flight, and what their
 * answers show. Requests are counted between a warm-up, in which every connection has its window
 * acknowledged once, and a drain, in which no more are sent: so the load is full all the time that
 * is counted, and still every request gets its answer. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "measure/histogram.h"

struct protocol;
struct stream_type;

struct load_settings {
	const struct protocol *protocol;
	const char *host;
	int port;
	const char *ca; /* file with the server's CA: TLS; NULL: plain */
	const struct stream_type *stream_type;
	size_t connections;
	size_t window;
	uint64_t lines; /* to be counted, besides the warm-up and the drain */
	pid_t server;	/* whose CPU time is measured; 0: nobody's */
};

struct load_result {
	uint64_t errors;  /* requests that were refused, counted or not */
	char errnum[160]; /* the first answer that was none, made printable */
	int64_t elapsed;  /* ns */
	int64_t cpu;	  /* ns of the server's time on a CPU, all threads, or -1 */
	struct histogram latency;
};

/* Connects, puts the load on, and takes it off again. 0, or -1 with the failure set: a connection
 * was lost, answered nonsense, or was silent for ten seconds. */
int load_run(const struct load_settings *settings, struct load_result *result, struct error *error);
