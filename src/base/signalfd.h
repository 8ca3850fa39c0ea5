/* SPDX-License-Identifier: MIT */
/* Signals are blocked in every thread and read from a descriptor. There are no signal handlers. */
#pragma once

#include "base/error.h"

/* Blocks the signals in the list, which 0 ends, and ignores SIGPIPE and SIGXFSZ, so that a closed
 * connection and a file at the size limit are errors of the call. To be called before the first
 * thread is made. Returns a close-on-exec, non-blocking descriptor that is readable when a signal
 * is pending, or -1 with *error set. */
int signalfd_open(const int *list, struct error *error);

/* Reads a pending signal. Returns its number, or 0: there is none. */
int signalfd_take(int descriptor);

/* Restores the dispositions and the mask for a program that is executed. The signals in the list
 * `pending`, which 0 ends (NULL: none), stay blocked, so that the program gets those that come
 * early. */
void signalfd_restore(const int *pending);
