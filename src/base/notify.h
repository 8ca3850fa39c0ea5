/* SPDX-License-Identifier: MIT */
/* Tells the service manager that started the program, systemd or another, how the program is: by
 * the datagrams that sd_notify(3) describes, to the socket that NOTIFY_SOCKET names. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

struct notify {
	int descriptor; /* -1: there is no service manager to notify */
	struct sockaddr_un address;
	socklen_t length;
};

#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"
#define NOTIFY_RELOADING "RELOADING=1" /* until the next NOTIFY_READY */

/* Takes NOTIFY_SOCKET, and takes it out of the environment, so that no child process has it. Not
 * for several threads. 0, also where it is not set, or -1: the error is set. In any case the
 * functions below can be called. */
int notify_open(struct notify *notify, struct error *error);
void notify_close(struct notify *notify);

/* Sends a state, and what `systemctl status` is to show: one line, as printf(). Waits a second at
 * most. 0, or -1: the error is set. */
int notify_send(const struct notify *notify, struct error *error, const char *state,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
