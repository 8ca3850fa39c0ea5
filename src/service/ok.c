/* SPDX-License-Identifier: MIT */
/* The service ok: each line is answered ok, which says that it is in the log. */
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
	.handler = {.protocol = &protocol_lines, .answer = answer},
};
