/* SPDX-License-Identifier: MIT */
/* A terminal from which each key is read as it is pressed, without being shown; and as it was
 * before, as soon as the program ends or is stopped. */
#ifndef ACKLINE_CLIENT_CHARS_RAW_MODE_H
#define ACKLINE_CLIENT_CHARS_RAW_MODE_H

#include <stdbool.h>
#include <termios.h>

struct raw_mode {
	int descriptor;
	bool known; /* it is a terminal, and `before` is how it was */
	bool keys;  /* it has been changed */
	struct termios before;
};

/* Looks at a descriptor, and changes nothing. Without a terminal there all of these do nothing. */
void raw_mode_open(struct raw_mode *terminal, int descriptor);

/* Has it give single keys. A program in the background has no right to that, and leaves it. To be
 * called again when the program was stopped and goes on. */
void raw_mode_enter(struct raw_mode *terminal);

/* Puts it back. Does not wait for output. Any number of times. */
void raw_mode_leave(struct raw_mode *terminal);

/* Stops the program, as Ctrl-Z does, with the terminal as before; returns when it goes on, and then
 * raw_mode_enter() is due. SIGTSTP has to be blocked, and not ignored. */
void raw_mode_stop(struct raw_mode *terminal);

#endif
