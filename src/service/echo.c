/* SPDX-License-Identifier: MIT */
/* The service echo: the bytes come back as they are, as in RFC 862. */
#include "service/table.h"

extern const struct service service_echo;

static struct answer answer_echo(const char *line, size_t length)
{
	return (struct answer){line, length};
}

const struct service service_echo = {
	.name = "echo",
	.log = "server.log",
	.format = &record_milliseconds,
	.exact = true,
	.tells_ends = true,
	.answer = answer_echo,
};
