/* SPDX-License-Identifier: MIT */
/* The words of answers that server, client and relay share. A refusal is a line of its own. */
#pragma once

#define ANSWER_OK "ok" /* the line is in the log */

#define ANSWER_ERROR "error: " /* each refusal begins with it, and ends in the reason */
#define REASON_NOT_LOGGED "not logged: "
#define REASON_TOO_LONG "longer than " /* behind the name of a frame */
#define REASON_TLS "this port uses TLS"
#define REASON_NO_TLS "this port does not use TLS"
#define REASON_CONNECTIONS "too many connections"
#define REASON_ADDRESS REASON_CONNECTIONS " from this address"
