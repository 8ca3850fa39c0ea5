/* SPDX-License-Identifier: MIT */
/* Socket activation: a listening socket that the service manager has opened, as sd_listen_fds(3)
 * describes. */
#pragma once

#include "base/error.h"

/* Takes the socket that LISTEN_FDS and LISTEN_PID tell of, and takes these out of the environment.
 * Not for several threads. Sets *descriptor to the socket, non-blocking and close-on-exec, or to
 * -1: there is none for this process. 0, or -1: it is not exactly one listening stream socket, TCP
 * or Unix, and the error is set. */
int activation_take(int *descriptor, struct error *error);
