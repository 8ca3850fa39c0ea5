/* SPDX-License-Identifier: MIT */
/* What the files of console share; nobody else includes this. console.c has the loop,
 * console_server.c what goes to the server and comes from it, console_user.c the user: keys,
 * commands and signals. */
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

enum console_state {
	CONSOLE_OPEN,
	CONSOLE_LEAVING, /* nothing more is asked; answers are waited for */
	CONSOLE_OVER,	 /* what is to be shown is shown, until a deadline */
};

struct console {
	const struct client_options *options;
	const char *program;
	enum console_state state;
	bool keys;    /* the user has a terminal, and commands with single keys */
	bool by_self; /* there is no user */
	bool failed;  /* the failure says why, unless it was told */
	struct failure failure;

	int signals, socket; /* -1: not open */
	struct terminal terminal;
	struct flow flow;
	struct line_buffer answers, commands;
	struct text requests; /* not yet sent */
	uint64_t asked;	      /* and not yet answered */
	int64_t answer_deadline;

	/* of one that asks by itself */
	uint64_t random;
	int64_t next; /* when it asks again */
	int64_t end;  /* when it asks for the last time */
	struct chars_account account;

	int64_t over_deadline;
};

/* Ends it, as failed. Returns -1. The first failure is the one that is told. */
int console_fail(struct console *console, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* It is over: shows what is left for so many nanoseconds. */
void console_leave(struct console *console, int64_t grace);

/* All return 0, or -1: it is over, by console_fail(). */

/* console_server.c */
int console_ask(struct console *console);
int console_send(struct console *console);
int console_receive(struct console *console);

/* console_user.c */
int console_command(struct console *console); /* reads stdin */
void console_signal(struct console *console);

#endif
