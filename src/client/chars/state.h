/* SPDX-License-Identifier: MIT */
/* The state of the chars client, shared by its files: event_loop.c on top; user_input.c reads keys,
 * commands and signals; server_side.c sends requests and receives; state.c is at the bottom. A
 * function that fails has called chars_client_fail(), and the state is OVER. None blocks. */
#ifndef ACKLINE_CLIENT_CHARS_STATE_H
#define ACKLINE_CLIENT_CHARS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "client/chars/output.h"
#include "client/chars/raw_mode.h"
#include "client/options.h"
#include "measure/client_result.h"
#include "net/line_splitter.h"
#include "net/stream.h"

enum chars_client_state {
	CHARS_CLIENT_OPEN,
	CHARS_CLIENT_LEAVING, /* no more requests; the answers are waited for */
	CHARS_CLIENT_OVER,    /* the remaining output is written, until `over_deadline` */
};

struct chars_client {
	const struct client_options *options;
	const char *program;
	enum chars_client_state state;
	bool keys;	/* commands are single keys of a terminal */
	bool automatic; /* without a user: requests at random times */
	bool failed;	/* with the error set */
	struct error error;

	int signals;	       /* -1: not open */
	struct stream *stream; /* NULL: not open */
	struct raw_mode terminal;
	struct terminal_output output;
	struct line_splitter answers, commands;
	struct buffer requests; /* not yet sent */
	uint64_t asked;		/* requests that are not answered */
	struct chars_result result;
	/* ns, CLOCK_NEVER: none */
	int64_t answer_deadline, over_deadline;

	/* of an automatic client */
	uint64_t random;
	int64_t next; /* ns, of the next request */
	int64_t end;  /* ns, of the last request */
};

/* state.c */

/* Ends the client, with this error unless an earlier one is set. */
void chars_client_fail(struct chars_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the client. Its output is still written, for up to `grace` nanoseconds; a later call can
 * only shorten that. */
void chars_client_leave(struct chars_client *client, int64_t grace);

/* server_side.c */

void chars_client_ask(struct chars_client *client);  /* adds a request, and sends */
void chars_client_send(struct chars_client *client); /* sends what is left of requests */
bool chars_client_has_unsent(const struct chars_client *client);
void chars_client_receive(struct chars_client *client); /* receives once, takes whole lines */

/* user_input.c */

void chars_client_command(struct chars_client *client); /* reads stdin once */
void chars_client_signal(struct chars_client *client);	/* takes one signal */

#endif
