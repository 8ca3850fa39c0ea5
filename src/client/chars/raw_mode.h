/* SPDX-License-Identifier: MIT */
/* Raw mode of a terminal: each key is read as it is pressed, and not echoed. The mode before comes
 * back when the program ends or is stopped. Without a terminal these functions do nothing. */
#ifndef ACKLINE_CLIENT_CHARS_RAW_MODE_H
#define ACKLINE_CLIENT_CHARS_RAW_MODE_H

#include <stdbool.h>
#include <termios.h>

struct raw_mode {
	int descriptor;
	bool known; /* it is a terminal, and `before` is its mode */
	bool raw;   /* it is in raw mode */
	struct termios before;
};

/* Reads the mode, and changes nothing. */
void raw_mode_open(struct raw_mode *terminal, int descriptor);

/* Enters raw mode, unless the program is in the background. Call it again after a stop. */
void raw_mode_enter(struct raw_mode *terminal);

/* Restores the mode before. Does not wait for output. Any number of times. */
void raw_mode_leave(struct raw_mode *terminal);

/* Stops the program, as Ctrl-Z does, with the mode before; returns when it continues. SIGTSTP must
 * be blocked and not ignored. */
void raw_mode_stop(struct raw_mode *terminal);

#endif
