/* SPDX-License-Identifier: MIT */
/* One batch of records as text, with answers for two targets, that is delivered by hand. */
#pragma once

#include "log/delivery.h"
#include "support.h"

/* How its records begin. */
#define AT "INFO\t| 2019-02-24 15:10:14 --"

extern const struct stamp batch_stamp;
extern struct batch batch;
extern struct buffer sent; /* the sent records of what was delivered */
extern struct fake a, b;

/* Fixtures. */
void batch_begin(void);
void batch_end(void);

/* Adds a line, answered ok. False: out of memory. */
bool batch_take(struct fake *fake, const char *line);

/* Delivers the answers, or refuses them for that errno value. */
void batch_deliver(int reason);

void assert_text(const struct buffer *text, const char *expected);
