/* SPDX-License-Identifier: MIT */
/* A send queue under test, and the peer to which it sends numbered answers of 8 bytes each. */
#pragma once

#include "session/send_queue.h"

extern struct flusher *flusher;
extern struct stream *stream;
extern struct send_queue queue;
extern int peer; /* the other end; -1: the test has closed it */

/* A checked fixture. */
void outboxes_begin(void);
void outboxes_end(void);

/* Writes an answer of 8 bytes, without a NUL. */
void put_number(char *answer, int number);

/* Announces answers, unless too much is unsent. */
bool reserve(size_t lines);
/* The same, once it is not. */
void wait_and_reserve(size_t lines);

/* Sends numbered answers, from *next on. Returns whether they were taken. */
bool send_numbers(int *next, int count);

/* Sends as much as is taken until the high-water mark. Returns how many answers. */
int fill(void);

/* Receives the answers from 0 on, and fails the test if one is another. */
void assert_numbers(int count);

/* How many bytes wait in the send queue. */
size_t unsent(void);
