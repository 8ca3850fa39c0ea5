/* SPDX-License-Identifier: MIT */
/* The service ok: each line is answered ok, which says that it is in the log; and relay, which is
 * the same with a next server that the lines are forwarded to. */
#include "net/answers.h"
#include "service/table.h"

static struct slice answer(void *state, const struct frame *frame)
{
	(void)state;
	(void)frame;
	return (struct slice){ANSWER_OK, sizeof ANSWER_OK - 1};
}

const struct service service_ok = {
	.name = "ok",
	.log = "logging.log",
	.format = &record_text,
	.forwards = true,
	.handler = {.protocol = &protocol_lines, .answer = answer},
};

const struct service service_relay = {
	.name = "relay",
	.log = "server.log",
	.format = &record_text,
	.forwards = true,
	.needs_next = true,
	.reads_log = true,
	.handler = {.protocol = &protocol_lines, .answer = answer},
};
