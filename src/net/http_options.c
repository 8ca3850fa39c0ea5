/* SPDX-License-Identifier: MIT */
#include "net/http.h"

int http_check_options(const char *address, const char *token, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	int port;
	if (token && !address)
		return error_set(error, "-http: required with -http-token");
	if (!address)
		return 0;
	if (!http_is_built)
		return error_set(error, HTTP_MISSING);
	if (socket_name_split(address, host, &port) < 0)
		return error_set(error, "-http: '%.100s' is not HOST:PORT or [IPv6]:PORT", address);
	if (!token && !socket_host_is_local(host))
		return error_set(error,
				 "-http-token: required with -http %.100s, which other machines "
				 "may reach",
				 address);
	return 0;
}
