/* SPDX-License-Identifier: MIT */
/* A server's store and forward: reads received lines back from the log, works on several at once,
 * and sends them to the next server in the order of arrival. Notes in the log say which lines the
 * next server has acknowledged, so that a restart goes on behind them. */
#ifndef ACKLINE_RELAY_RELAY_H
#define ACKLINE_RELAY_RELAY_H

#include <stdint.h>

#include "base/error.h"
#include "net/socket.h"
#include "relay/settings.h"

struct relay;

/* Splits HOST:PORT or [IPv6]:PORT, strictly: the port is from 1 to 65535, and only an address with
 * colons has brackets. 0, or -1: it is neither. */
int relay_next_parse(const char *next, char host[SOCKET_NAME_SIZE], int *port);

/* Finds the first line of the log that is not acknowledged, and starts the threads. NULL: the error
 * is set. */
struct relay *relay_start(const struct relay_settings *settings, struct error *error);

/* Waits while too many bytes of the log are not yet forwarded; any thread. */
void relay_wait_space(struct relay *relay);

/* From now on relay_wait_space() returns at once. */
void relay_drain(struct relay *relay);

/* Waits until the next server has acknowledged each line, and the log says so. -1: not by the
 * deadline, and the error is set. */
int relay_finish(struct relay *relay, int64_t deadline, struct error *error);

/* Ends the threads and frees. The timer queue must have been stopped. */
void relay_stop(struct relay *relay);

#endif
