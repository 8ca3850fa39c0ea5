/* SPDX-License-Identifier: MIT */
/* A world whose service answers each line with the number of the connection whose thread received
 * it: so a peer sees who leads, and who is served by its own thread. */
#pragma once

#include "session/receiver.h"
#include "world.h"

enum { RECEIVER_CONNECTIONS = 40 };

/* Fixtures: whether leaders busy-poll. */
void receiver_use_sleep(void);
void receiver_use_busy_poll(void);

/* The service; tests may change it before they connect. */
extern struct handler receiver_handler;
/* NULL; or called for each line, by the thread that received it. */
extern void (*receiver_on_line)(const struct frame *frame);

/* Opens a world with so many groups; 0: each connection receives in its own thread. Lines have
 * at most 100,000 bytes. */
void receiver_open(size_t groups);

/* Connects, and has a line received by that connection's thread. */
int receiver_connect(size_t by);

/* Receives the answer to a line. */
size_t receiver_answer(int peer);
/* Sends a line and receives its answer. */
size_t receiver_of(int peer);
void assert_received_by(int peer, size_t number);

/* That connection's session, which must be open. */
struct session *receiver_session(size_t number);
/* Waits until all that its peer has sent is there; until it was received, too. */
void receiver_await_arrival(int peer);
void receiver_await_receipt(int peer, size_t number);

/* A line "gate" waits where it is received, until the gate is open. Waits until so many do. */
void receiver_await_gate(unsigned lines);
void receiver_open_gate(void);
/* Sends such a line, the lines-th. */
void receiver_block(int peer, unsigned lines);
