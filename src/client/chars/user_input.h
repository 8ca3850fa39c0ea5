/* SPDX-License-Identifier: MIT */
/* What a user of the chars client asks for on stdin: commands in lines, or single keys on a
 * terminal. Its raw mode gives each key as it is pressed, and does not echo it; the mode before
 * comes back when the program ends or is stopped. Nothing blocks. */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"
#include "net/line_splitter.h"

enum user_command {
	USER_NOTHING, /* no more for now */
	USER_STAT,
	USER_END,   /* when the answers that are due have come; also at the end of stdin */
	USER_LEAVE, /* at once */
};

struct user_input {
	const char *program; /* for complaints about commands; borrowed */
	bool keys;	     /* stdin is a terminal */
	bool raw;	     /* it is in raw mode; after a stop the shell has restored its own */
	bool ended;
	struct termios before;
	struct line_splitter received;
};

/* user_input_close() restores the mode; it accepts a zeroed input. */
void user_input_open(struct user_input *input, const char *program);
void user_input_close(struct user_input *input);

/* Enters raw mode, unless stdin is no terminal or the program is in the background. */
void user_input_enter(struct user_input *input);

/* Stops the program with the mode before, as Ctrl-Z does; returns when it continues. SIGTSTP must
 * be blocked and not ignored. */
void user_input_stop(struct user_input *input);

/* After any stop: enters raw mode again, as the shell may have left it. */
void user_input_continue(struct user_input *input);

/* Reads once. 0, or -1: the error is set. */
int user_input_read(struct user_input *input, struct error *error);
/* The next command that was read. Complains about what is none. */
enum user_command user_input_next(struct user_input *input);
