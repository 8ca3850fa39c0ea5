/* SPDX-License-Identifier: MIT */
/* A second stream type for tests. It XORs each byte, receives in small odd pieces from a buffer of
 * its own, keeps a part of what it takes until a flush, and begins with a handshake of one byte
 * from the client. */
#pragma once

#include "net/stream.h"

extern const struct stream_type xor_stream;

/* The type under test: plain TCP at first. */
extern const struct stream_type *stream_type;

/* Checked fixtures: the type under test is this one. */
void tcp_use(void);
void xor_use(void);

/* For the raw end of a connection, if the type under test is xor_stream; else they do nothing:
 * translates bytes, in both directions; sends the handshake. */
void xor_bytes(char *bytes, size_t length);
void xor_greet(int descriptor);
