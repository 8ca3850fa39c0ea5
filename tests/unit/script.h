/* SPDX-License-Identifier: MIT */
/* A server that follows a script: what each line of each connection is answered with. There is one,
 * with a thread of its own. */
#pragma once

enum { SCRIPT_CONNECTIONS = 4, SCRIPT_ANSWERS = 40 };

#define SILENCE "" /* no answer to this line */
#define CLOSE NULL /* the connection is closed instead; so it is behind the last answer */

/* script[c][n] answers line n of the c-th connection that was made. */
typedef const char *script_t[SCRIPT_CONNECTIONS][SCRIPT_ANSWERS];

/* Listens on 127.0.0.1. Returns the port. */
int script_listen(void);

/* Follows a script, which is borrowed until script_end(). */
void script_begin(script_t script);

/* Ends the server, which has begun, and closes what is open. */
void script_end(void);
