/* SPDX-License-Identifier: MIT */
/* The service echo: the bytes come back as they are, as in RFC 862. */
#include "service/table.h"

static struct slice answer(void *state, const struct frame *frame)
{
	(void)state;
	return (struct slice){frame->bytes, frame->length + frame->end};
}

const struct service service_echo = {
	.name = "echo",
	.log = "server.log",
	.format = &record_milliseconds,
	.handler = {.protocol = &protocol_chunks, .notes_ends = true, .answer = answer},
};
