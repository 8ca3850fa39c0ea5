/* SPDX-License-Identifier: MIT */
/* Signals as data: they are blocked in every thread, and one thread reads them from a descriptor
 * between its other events. Nothing ever runs in a signal handler. */
#ifndef ACKLINE_BASE_SIGNALFD_H
#define ACKLINE_BASE_SIGNALFD_H

#include "base/error.h"

/* To be called before the first thread is made: ignores SIGPIPE and SIGXFSZ (a closed peer and a
 * file that is too large are errors of the call), blocks the signals listed, 0 ends the list, and
 * returns a close-on-exec, non-blocking descriptor that is readable when one has come, or -1. */
int signalfd_open(const int *list, struct error *error);

/* Takes one signal off the descriptor: its number, or 0 when none waits. */
int signalfd_take(int descriptor);

/* Puts dispositions and mask back to what a program expects that is executed. The signals held, 0
 * ends the list, NULL: none, stay blocked: they wait until the program takes them. */
void signalfd_restore(const int *held);

#endif
