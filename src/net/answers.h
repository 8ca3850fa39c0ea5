/* SPDX-License-Identifier: MIT */
/* The words of answers that server, client and relay share. A refusal is a line of its own. */
#pragma once

#include <stdbool.h>
#include <string.h>

#define ANSWER_OK "ok" /* the line is in the log */

#define ANSWER_ERROR "error: " /* each refusal begins with it, and ends in the reason */
#define REASON_NOT_LOGGED "not logged: "
#define REASON_UNKNOWN "unknown: " /* the line may be in the log, or may be yet */
#define REASON_GAP "gap: "	   /* of a numbered line: another number is due */
#define REASON_GAP_FORMAT REASON_GAP "%" PRIu64 " is due"
#define REASON_TOO_LONG "longer than " /* behind the name of a frame */
#define REASON_TLS "this port uses TLS"
#define REASON_NO_TLS "this port does not use TLS"
#define REASON_CONNECTIONS "too many connections"
#define REASON_ADDRESS REASON_CONNECTIONS " from this address"

/* What stands before a reason for which lines were not stored. */
static inline const char *reason_words(const char *reason)
{
	bool says_so = !strncmp(reason, REASON_UNKNOWN, sizeof REASON_UNKNOWN - 1) ||
		       !strncmp(reason, REASON_GAP, sizeof REASON_GAP - 1);
	return says_so ? "" : REASON_NOT_LOGGED;
}
