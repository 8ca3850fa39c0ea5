/* SPDX-License-Identifier: MIT */
/* A look at all sessions, for metrics: how many there are, what they hold, and the busiest. */
#pragma once

#include "session/session.h"

/* An address, and a certificate's name in parentheses. */
#define SURVEY_NAME_SIZE (SOCKET_NAME_SIZE + STREAM_CERTIFICATE_SIZE + 3)

enum { SURVEY_BUSIEST = 32 };

struct surveyed_session {
	char name[SURVEY_NAME_SIZE];
	uint64_t number, lines; /* lines in all */
	uint64_t more;		/* since the last survey */
	size_t unsent;		/* bytes */
};

struct survey {
	uint64_t live;	  /* sessions, those in a TLS handshake too */
	uint64_t started; /* sessions in all */
	uint64_t unsent;  /* bytes of answers that peers have not taken */
	size_t count;
	struct surveyed_session busiest[SURVEY_BUSIEST]; /* the busiest since the last survey first
							  */
};

/* Takes the table's lock for a microsecond or less a session, and each send queue's. By one thread
 * at a time: `more` counts from its last survey. */
void session_table_survey(struct session_table *table, struct survey *survey);
