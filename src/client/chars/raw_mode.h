/* SPDX-License-Identifier: MIT */
/* A terminal from which each key is read as it is pressed, without being shown; and as it was
 * before, as soon as the program ends or is stopped. */
#ifndef ACKLINE_CLIENT_CHARS_RAW_MODE_H
#define ACKLINE_CLIENT_CHARS_RAW_MODE_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int descriptor;
	bool known; /* it is a terminal, and `before` is how it was */
	bool keys;  /* it has been changed */
	struct termios before;
};

/* Looks at a descriptor, and changes nothing. Without a terminal there all of these do nothing. */
void terminal_open(struct terminal *terminal, int descriptor);

/* Has it give single keys. A program in the background has no right to that, and leaves it. To be
 * called again when the program was stopped and goes on. */
void terminal_enter(struct terminal *terminal);

/* Puts it back. Does not wait for output. Any number of times. */
void terminal_leave(struct terminal *terminal);

/* Stops the program, as Ctrl-Z does, with the terminal as before; returns when it goes on, and then
 * terminal_enter() is due. SIGTSTP has to be blocked, and not ignored. */
void terminal_stop(struct terminal *terminal);

#endif
