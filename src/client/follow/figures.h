/* SPDX-License-Identifier: MIT */
/* How far the files are that are followed: for SIGUSR1, the progress line and metrics. The
 * functions are for the thread that starts and joins those of the files. Those that return bool
 * return false when memory is out. */
#pragma once

#include "base/buffer.h"
#include "client/follow/shipper.h"

struct ship_figures {
	uint64_t sent;	       /* lines, each as often as it was sent */
	uint64_t acknowledged; /* lines */
	uint64_t open;	       /* lines that were sent and not acknowledged */
	int64_t bytes, time;   /* how far it is behind: bytes that are not acknowledged, and ns */
	bool connected;	       /* and the server has said what it has of the file */
	bool down;	       /* it is not, though there is something to send */
};

void ship_figures_read(struct ship_figures *figures, struct shipper *shipper);

/* Appends "N bytes and T s behind", and that there is no connection: of one, or of all of them. */
bool ship_figures_words(struct buffer *text, const struct ship_figures *figures);
bool ship_figures_words_of_all(struct buffer *text, struct shipper *const *shippers, size_t count);

/* How many of them have something to send, and no connection. */
size_t ship_figures_down(struct shipper *const *shippers, size_t count);

/* Appends the metrics of all of them; `start`: of the program, in seconds since the epoch. */
bool ship_figures_metrics(struct buffer *text, struct shipper *const *shippers, size_t count,
			  double start);
