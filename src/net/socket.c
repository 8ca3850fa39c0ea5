/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

static int set_flag(int descriptor, int level, int name, int value)
{
	return setsockopt(descriptor, level, name, &value, sizeof value);
}

bool socket_is_unix(int descriptor)
{
	int domain = 0;
	socklen_t length = sizeof domain;
	return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
	       domain == AF_UNIX;
}

int socket_set_options(int descriptor, const struct socket_keepalive *keepalive)
{
	if (socket_is_unix(descriptor))
		return 0;
	int result = set_flag(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!keepalive)
		return result;
	result |= set_flag(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
	result |= set_flag(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, keepalive->idle);
	result |= set_flag(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, keepalive->interval);
	result |= set_flag(descriptor, IPPROTO_TCP, TCP_KEEPCNT, keepalive->probes);
	result |= set_flag(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, keepalive->user_timeout);
	return result;
}

int socket_check_options(const char *host, int64_t *port, struct error *error)
{
	struct error why;
	if (!unix_is_name(host))
		*port = *port < 0 ? SOCKET_PORT : *port;
	else if (unix_check(host, &why) < 0)
		return error_set(error, "-host: %.400s", why.message);
	else if (*port >= 0)
		return error_set(error, "-port: not with -host unix:PATH, which has no port");
	return 0;
}

void socket_name(const struct sockaddr *address, socklen_t length, char name[SOCKET_NAME_SIZE])
{
	struct sockaddr_in plain = {.sin_family = AF_INET};
	const struct sockaddr_in6 *six = (const void *)address;
	if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		plain.sin_port = six->sin6_port;
		memcpy(&plain.sin_addr, &six->sin6_addr.s6_addr[12], sizeof plain.sin_addr);
		address = (const void *)&plain;
		length = sizeof plain;
	}
	char host[SOCKET_NAME_SIZE - 9], port[8];
	if (address->sa_family == AF_UNIX &&
	    unix_name((const void *)address, length, getpid(), name))
		return;
	if (address->sa_family == AF_UNIX ||
	    getnameinfo(address, length, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV))
		(void)snprintf(name, SOCKET_NAME_SIZE, "unknown");
	else
		(void)snprintf(name, SOCKET_NAME_SIZE, strchr(host, ':') ? "[%s]:%s" : "%s:%s",
			       host, port);
}

static void name_of(int descriptor, char name[SOCKET_NAME_SIZE],
		    int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	if (ask(descriptor, (struct sockaddr *)&address, &length) == 0)
		socket_name((struct sockaddr *)&address, length, name);
	else
		(void)snprintf(name, SOCKET_NAME_SIZE, "unknown");
}

void socket_local_name(int descriptor, char name[SOCKET_NAME_SIZE])
{
	name_of(descriptor, name, getsockname);
}

void socket_peer_name(int descriptor, char name[SOCKET_NAME_SIZE])
{
	name_of(descriptor, name, getpeername);
}

bool socket_is_local(int descriptor)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	const struct in_addr *four = &((struct sockaddr_in *)(void *)&address)->sin_addr;
	const struct in6_addr *six = &((struct sockaddr_in6 *)(void *)&address)->sin6_addr;
	if (getsockname(descriptor, (struct sockaddr *)&address, &length) < 0)
		return false;
	if (address.ss_family == AF_INET)
		return ntohl(four->s_addr) >> 24 == IN_LOOPBACKNET;
	if (address.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(six) ||
		       (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
	return true;
}

bool socket_host_is_local(const char *host)
{
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return !strcmp(host, "localhost");
}

void socket_accepted_name(int descriptor, const struct sockaddr *address, socklen_t length,
			  char name[SOCKET_NAME_SIZE])
{
	if (address->sa_family == AF_UNIX)
		unix_accepted_name(descriptor, (const void *)address, length, name);
	else
		socket_name(address, length, name);
}

int socket_name_split(const char *name, char host[SOCKET_NAME_SIZE], int *port)
{
	const char *colon = strrchr(name, ':');
	int64_t number;
	if (unix_is_name(name) || !colon || number_parse(colon + 1, 0, 65535, &number) < 0)
		return -1;
	size_t length = (size_t)(colon - name);
	if (memchr(name, ':', length)) { /* IPv6 */
		if (*name++ != '[' || colon[-1] != ']')
			return -1;
		length -= 2;
	}
	if (!length || length >= SOCKET_NAME_SIZE)
		return -1;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] <= ' ' || strchr("[]\x7f", name[i]))
			return -1;
	memcpy(host, name, length);
	host[length] = '\0';
	*port = (int)number;
	return 0;
}

int socket_ready_write(int descriptor, const char *name, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	int port;
	int written = socket_name_split(name, host, &port) < 0
			      ? dprintf(descriptor, "%s\n", name)
			      : dprintf(descriptor, "%s %d\n", host, port);
	if (written < 0)
		error_set(error, "cannot write to descriptor %d: %s", descriptor, strerror(errno));
	if (descriptor > STDERR_FILENO) /* no connection may become stdout or stderr */
		(void)close(descriptor);
	return written < 0 ? -1 : 0;
}

int socket_ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port)
{
	struct slice name;
	uint64_t number = 0;
	bool is_unix = slice_begins(line, UNIX_PREFIX);
	if (!slice_cut(&line, is_unix ? '\n' : ' ', &name) || name.length >= SOCKET_NAME_SIZE)
		return -1;
	if (!is_unix && (!slice_number(&line, &number) || number < 1 || number > 65535 ||
			 !slice_begins(line, "\n")))
		return -1;
	memcpy(host, name.bytes, name.length);
	host[name.length] = '\0';
	*port = (int)number;
	return 0;
}
