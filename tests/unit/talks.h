/* SPDX-License-Identifier: MIT */
/* A talk under test, with a server that follows a script. All but say() and say_many() fail the
 * test where it is not as they say. */
#ifndef ACKLINE_TALKS_H
#define ACKLINE_TALKS_H

#include "script.h"
#include "client/session.h"

enum { CONNECTIONS = SCRIPT_CONNECTIONS };

#define OK4 "ok\n", "ok\n", "ok\n", "ok\n"
#define OK20 OK4, OK4, OK4, OK4, OK4

extern struct client_session_settings settings; /* to be changed before begin() */
extern struct counters counters[CONNECTIONS];
extern struct histogram *latency;
extern struct client_session *session;
extern struct error error;
extern size_t told; /* connections that were told of */

/* A checked fixture. */
void setup(void);
void teardown(void);

/* Starts the server and opens the talk with the settings as they are. */
void begin(script_t script);

/* Says a line for a thread, on its own connection where each has one. False: see failure. */
bool say(size_t thread, const char *line);

/* Says so many lines, the threads by turns, and waits for their answers. */
bool say_many(size_t count);

/* What all threads have counted together. */
struct counters total(void);
void assert_total(uint64_t sent, uint64_t acknowledged, uint64_t resent);

/* Says so many lines, each of which is acknowledged. */
void assert_done(size_t lines);

#endif
