/* SPDX-License-Identifier: MIT */
#include "tls_both.h"

#include "unit.h"

struct tls *server_tls, *client_tls;
struct tls_ends ends;
char pattern[PATTERN + PIECE_MAX];

void both_begin(void)
{
	tls_begin();
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (char)(i % PATTERN);
	server_tls = tls_of(STREAM_SERVER, "server", "ca", NULL);
	client_tls = tls_of(STREAM_CLIENT, "client", "ca", NULL);
}

void both_end(void)
{
	tls_close(&ends);
	tls_free(server_tls);
	tls_free(client_tls);
}

void both_connect(void)
{
	tls_connect(server_tls, client_tls, &ends);
	ck_assert_msg(ends.server && ends.client, "%s; %s", ends.server_error.message,
		      ends.client_error.message);
}
