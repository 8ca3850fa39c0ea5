/* SPDX-License-Identifier: MIT */
/* A client session under test, with a server that follows a script. All functions but send_text()
 * and send_many() fail the test where it is not as they expect. */
#pragma once

#include "script.h"
#include "client/session.h"
#include "net/hosts.h"

enum { CONNECTIONS = SCRIPT_CONNECTIONS };

#define OK4 "ok\n", "ok\n", "ok\n", "ok\n"
#define OK20 OK4, OK4, OK4, OK4, OK4

extern struct client_session_settings settings; /* to be changed before begin() */
extern struct hosts hosts;			/* of the settings: the server */
extern struct counters counters[CONNECTIONS];
extern struct histogram *latency;
extern struct client_session *session;
extern struct error error;
extern size_t connected; /* connections that were reported */

/* A checked fixture. */
void setup(void);
void teardown(void);

/* Starts the server and opens the session with the settings as they are. */
void begin(script_t script);

/* Sends a line of a thread, on its own connection where each has one. False: see `error`. */
bool send_text(size_t thread, const char *line);

/* Sends so many lines, from one thread after the other, and waits for their answers. */
bool send_many(size_t count);

/* What all threads have counted together. */
struct counters total(void);
void assert_total(uint64_t sent, uint64_t acknowledged, uint64_t resent);

/* Sends so many lines, each of which is acknowledged. */
void assert_done(size_t lines);
