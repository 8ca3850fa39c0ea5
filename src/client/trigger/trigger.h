/* SPDX-License-Identifier: MIT */
/* Load on request (client -http): an HTTP server whose GET / starts a run and is answered with its
 * report. One thread serves HTTP; main runs what is asked for, one at a time, and does not wait for
 * HTTP clients. The two hand a request and its report to each other by one atomic state.
 *
 * All functions are main's. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/program.h"
#include "client/options.h"
#include "client/trigger/query.h"
#include "net/socket.h"

struct trigger;

/* Runs a client that waits for requests, until SIGINT or SIGTERM; complains on stderr. */
enum exit_status trigger_client_run(const struct client_options *options, const char *program);

/* Listens on the address of the options, which are borrowed, and serves HTTP; sets its name, for a
 * message. The signals are blocked. A name is looked up until the descriptor `wake` is readable.
 * NULL: the error is set. */
struct trigger *trigger_open(const struct client_options *options, int wake,
			     char name[SOCKET_NAME_SIZE], struct error *error);

/* An eventfd that is readable when there is a request. */
int trigger_asked(const struct trigger *trigger);

/* Takes the request that has come. False: there is none. True: trigger_answer() is due, and further
 * requests are refused until then. */
bool trigger_take(struct trigger *trigger, struct trigger_query *query);

/* How many lines were acknowledged so far, for those who watch the run. */
void trigger_progress(struct trigger *trigger, uint64_t acknowledged);

/* Answers the request with a line of JSON, which is taken over; empty: memory was out for it. */
void trigger_answer(struct trigger *trigger, struct buffer *report);

/* Ends the thread, at most a second after the last answer was given. Accepts NULL. */
void trigger_close(struct trigger *trigger);
