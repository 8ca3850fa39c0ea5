/* SPDX-License-Identifier: MIT */
/* A service decides how the server answers a connection. It is one file with one struct service,
 * which is named here and in table.c, and nowhere else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "base/timer_queue.h"
#include "log.h"
#include "record/format.h"
#include "session/handler.h"

/* Space for the struct of a service's own options, with which it must fit. */
union service_own_options {
	struct range ranges[2];
	int64_t numbers[4];
	const char *texts[4];
};

/* The options that only some services take. What was not given is -1 in a number or a range's min,
 * NULL in a text. */
struct service_options {
	struct range delay; /* ns; for services that are random */
	int64_t seed;	    /* the same; given or drawn, once the options are complete */
	const void *own;    /* the struct that the service's option specs describe */
};

/* What the server lends to a service that it starts; all of it outlives the service. */
struct service_settings {
	struct service_options options;
	struct log *log;
	const char *log_name;
	bool appends; /* to an existing log */
	enum log_sync sync;
	int64_t timeout; /* ns, for a database over the network */
	struct relay_route *route; /* which relays lines may have come through */
	struct timer_queue *timer_queue;
	struct reply_target *broadcast; /* delivers to each session */
	int news; /* an eventfd, to be written to when the console has something new; -1: none */
};

enum { SERVICE_FIGURES_MAX = 8 };

/* A number of a service, for metrics. The strings are static. */
struct service_figure {
	const char *name; /* by the conventions of Prometheus; ackline_ goes before it */
	const char *help; /* a phrase */
	bool counter;	  /* it only grows; else it is a gauge */
	double value;
};

/* What people can do with a service besides, at the page of -http. Any thread, until `stop`. */
struct service_console {
	/* Copies what was sent to everyone, printable ASCII, from *position on, a number of bytes,
	 * and moves it on; what is not kept any more is skipped. Returns how many bytes: 0 if there
	 * are none. UINT64_MAX is the end. */
	size_t (*follow)(void *state, uint64_t *position, char *space, size_t size);
	/* Submits the target's question, whose answer it gets. False: the log takes nothing now. */
	bool (*ask)(void *state, struct reply_target *target);
	/* Submits a note of the target on what is to be sent from now on: it holds once it is
	 * stored, when the target gets "ok". Returns 0, or an errno value with the error set:
	 * EINVAL for an alphabet that is none, ENOMEM, or EAGAIN: the log takes nothing now. */
	int (*set)(void *state, struct reply_target *target, const char *alphabet,
		   const struct range *burst, struct error *error);
	/* What holds now. */
	void (*settings)(void *state, char *alphabet, size_t size, struct range *burst);
	int64_t burst_max;
};

struct service {
	const char *name;
	/* Its own options, with offsets in a struct of its own, for which a union
	 * service_own_options has space. An entry without a name ends them; NULL: none. */
	const struct option_spec *options;
	const char *log;		    /* the log's name, unless -log gives another */
	const struct record_format *format; /* what -format text means */
	bool random;			    /* it draws at random: the log has the seed */
	bool forwards;			    /* its lines can be forwarded to a next server */
	bool needs_next;		    /* and have to be */
	bool reads_log;			    /* its log is a file with all records */
	bool numbers_lines;		    /* its records have senders and numbers */
	struct handler handler;

	/* The rest may be NULL. */
	/* Checks its options before anything is opened. -1: the error names one. */
	int (*check)(const struct service_options *options, struct error *error);
	/* Called once, before the first connection, with the log open. Returns its state, or NULL
	 * and the error is set. */
	void *(*start)(const struct service_settings *settings, struct error *error);
	/* Writes what it counts besides, and returns how many figures. Any thread, until `stop`.
	 */
	size_t (*figures)(void *state, struct service_figure figures[SERVICE_FIGURES_MAX]);
	const struct service_console *console;
	/* The drain begins: no connection is accepted any more, and admit() must not wait. */
	void (*drain)(void *state);
	/* Frees the state. None of its tasks is scheduled, and all its answers are delivered. */
	void (*stop)(void *state);
};

extern const struct service service_chars, service_echo, service_ok, service_once, service_ping,
	service_relay;

enum { SERVICES_MAX = 16 };

/* All services; NULL ends the list. */
extern const struct service *const services[];
