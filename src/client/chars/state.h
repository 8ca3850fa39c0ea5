/* SPDX-License-Identifier: MIT */
/* What the files of console share; nobody else includes this. console.c has the loop,
 * chars_client_server.c what goes to the server and comes from it, chars_client_user.c the user:
 * keys, commands and signals. */
#ifndef ACKLINE_CLIENT_CHARS_STATE_H
#define ACKLINE_CLIENT_CHARS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/chars_result.h"
#include "base/error.h"
#include "client/chars/output.h"
#include "net/line_splitter.h"
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

	int signals, socket; /* -1: not open */
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

/* Ends it, as failed. Returns -1. The first failure is the one that is told. */
int chars_client_fail(struct chars_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* It is over: shows what is left for so many nanoseconds. */
void chars_client_leave(struct chars_client *client, int64_t grace);

/* All return 0, or -1: it is over, by chars_client_fail(). */

/* chars_client_server.c */
int chars_client_ask(struct chars_client *client);
int chars_client_send(struct chars_client *client);
int chars_client_receive(struct chars_client *client);

/* chars_client_user.c */
int chars_client_command(struct chars_client *client); /* reads stdin */
void chars_client_signal(struct chars_client *client);

#endif
