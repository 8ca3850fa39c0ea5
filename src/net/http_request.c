/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "net/http_microhttpd.h"

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_header(const struct http_request *request, const char *name)
{
	const char *value = NULL;
	size_t length = 0;
	if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
					  &value, &length) != MHD_YES ||
	    !value || strlen(value) != length)
		return NULL;
	return value;
}

struct argument_reader {
	bool (*each)(void *context, const char *name, struct slice value);
	void *context;
};

static enum MHD_Result read_argument(void *argument, enum MHD_ValueKind kind, const char *name,
				     size_t name_length, const char *value, size_t length)
{
	const struct argument_reader *reader = argument;
	(void)kind;
	/* a name that a NUL cuts short is not the one that it looks like */
	if (strlen(name) != name_length)
		name = "";
	return reader->each(reader->context, name, (struct slice){value, length}) ? MHD_YES
										  : MHD_NO;
}

void http_each_argument(const struct http_request *request,
			bool (*each)(void *context, const char *name, struct slice value),
			void *context)
{
	struct argument_reader reader = {each, context};
	(void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, read_argument,
					  &reader);
}

struct slice http_body(const struct http_request *request)
{
	return (struct slice){request->body, request->length};
}

void http_peer(const struct http_request *request, char name[SOCKET_NAME_SIZE])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	if (address)
		socket_name(address,
			    address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							   : sizeof(struct sockaddr_in),
			    name);
	else
		(void)strcpy(name, "unknown");
}
