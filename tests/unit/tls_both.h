/* SPDX-License-Identifier: MIT */
/* A fixture: the settings of a server and a client that trust each other's certificates, and a
 * connection of both, which a test makes. */
#pragma once

#include "tls_fixture.h"

extern struct tls *server_tls, *client_tls;
extern struct tls_ends ends;

void both_begin(void);
void both_end(void);

/* Connects them, and fails the test where they do not shake hands. */
void both_connect(void);

/* Bytes to be sent from any place of the first PATTERN on, PIECE_MAX at the most; both_begin()
 * fills it. */
enum { PATTERN = 251, PIECE_MAX = 100000 };
extern char pattern[PATTERN + PIECE_MAX];
