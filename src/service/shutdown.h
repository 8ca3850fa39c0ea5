/* SPDX-License-Identifier: MIT */
/* The end of a server: its sessions, its service and its log finish their work, each until the
 * deadline of -drain. A second signal to end leaves the rest undone and exits at once. Only main's
 * thread uses it. */
#ifndef ACKLINE_SERVICE_SHUTDOWN_H
#define ACKLINE_SERVICE_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "service/table.h"
#include "session/acceptor.h"

/* What is to be ended. Borrowed. */
struct shutdown {
	int signals; /* a descriptor of signalfd_open() */
	struct log *log;
	struct timer_queue *timer_queue;
	struct acceptor *acceptor;
	struct session_settings *sessions;
	const struct service *service;
	void *state; /* the service's */
	void (*warn)(const char *message);
	int64_t deadline; /* 0: the drain did not begin */
};

/* Sets the deadline, accepts nothing more, and lets each session answer what has arrived. False:
 * sessions did not end, and their threads still use all of it. */
bool shutdown_sessions(struct shutdown *shutdown, int64_t duration);

/* When all sessions have ended: finishes the service. -1: not done, and the error is set. */
int shutdown_service(struct shutdown *shutdown, struct error *error);

/* Waits until the log has delivered all that it was given, for a second at least: a disk can be
 * slow without being broken. Exits if the log is stuck. */
void shutdown_log(struct shutdown *shutdown);

#endif
