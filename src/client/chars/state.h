/* SPDX-License-Identifier: MIT */
/* The state of the chars client, shared by its files: event_loop.c on top; user_input.c reads keys,
 * commands and signals; server_side.c sends requests and reads answers; state.c is at the bottom.
 */
#ifndef ACKLINE_CLIENT_CHARS_STATE_H
#define ACKLINE_CLIENT_CHARS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/chars_result.h"
#include "base/error.h"
#include "client/chars/output.h"
#include "net/line_splitter.h"
#include "net/stream.h"
#include "client/options.h"
#include "client/chars/raw_mode.h"
#include "base/buffer.h"

enum chars_client_state {
	CHARS_CLIENT_OPEN,
	CHARS_CLIENT_LEAVING, /* nothing more is asked; answers are waited for */
	CHARS_CLIENT_OVER,    /* what is to be shown is shown, until a deadline */
};

struct chars_client {
	const struct client_options *options;
	const char *program;
	enum chars_client_state state;
	bool keys;    /* the user has a terminal, and commands with single keys */
	bool by_self; /* there is no user */
	bool failed;  /* the failure says why, unless it was told */
	struct error error;

	int signals;	       /* -1: not open */
	struct stream *stream; /* NULL: not open */
	struct raw_mode terminal;
	struct terminal_output flow;
	struct line_splitter answers, commands;
	struct buffer requests; /* not yet sent */
	uint64_t asked;		/* and not yet answered */
	int64_t answer_deadline;

	/* of one that asks by itself */
	uint64_t random;
	int64_t next; /* when it asks again */
	int64_t end;  /* when it asks for the last time */
	struct chars_result account;

	int64_t over_deadline;
};

/* state.c */

/* Ends the client as failed, with this error unless an earlier one is set. Returns -1. */
int chars_client_fail(struct chars_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the client. It still writes its output, for up to `grace` nanoseconds. A later call can only
 * shorten that. */
void chars_client_leave(struct chars_client *client, int64_t grace);

/* server_side.c. Each returns 0, or -1 after chars_client_fail(). None blocks. */

int chars_client_ask(struct chars_client *client);  /* adds a request, and sends */
int chars_client_send(struct chars_client *client); /* sends what is left of requests */
bool chars_client_has_unsent(const struct chars_client *client);
int chars_client_receive(struct chars_client *client); /* receives once, takes whole lines */

/* user_input.c */

int chars_client_command(struct chars_client *client); /* reads stdin; 0 or -1 as above */
void chars_client_signal(struct chars_client *client); /* takes one signal */

#endif
