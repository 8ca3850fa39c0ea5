/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"

static const struct socket_keepalive accepted_keepalive = {
	.idle = 60, .interval = 10, .probes = 6, .user_timeout = 120000};

static struct addrinfo *resolve(const char *host, int port, int flags, struct error *error)
{
	char service[16];
	struct addrinfo *found = NULL;
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = flags | AI_NUMERICSERV};
	(void)snprintf(service, sizeof service, "%d", port);
	int errnum = getaddrinfo(host, service, &hints, &found);
	if (errnum) {
		error_set(error, "cannot resolve '%.200s': %s", host,
			  errnum == EAI_SYSTEM ? strerror(errno) : gai_strerror(errnum));
		return NULL;
	}
	return found;
}

static int set_flag(int descriptor, int level, int name, int value)
{
	return setsockopt(descriptor, level, name, &value, sizeof value);
}

/* Closes and keeps errno. Returns -1. */
static int close_failed(int descriptor)
{
	int saved = errno;
	(void)close(descriptor); /* nothing was written through it */
	errno = saved;
	return -1;
}

static int bind_address(const struct addrinfo *address)
{
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return -1;
	if (set_flag(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
	    (address->ai_family == AF_INET6 &&
	     set_flag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0) < 0) ||
	    bind(descriptor, address->ai_addr, address->ai_addrlen) < 0)
		return close_failed(descriptor);
	return descriptor;
}

int socket_bind(const char *host, int port, struct error *error)
{
	struct addrinfo *found = resolve(host, port, AI_PASSIVE, error);
	if (!found)
		return -1;
	int descriptor = -1;
	for (struct addrinfo *address = found; address && descriptor < 0;
	     address = address->ai_next)
		descriptor = bind_address(address);
	if (descriptor < 0) {
		char name[SOCKET_NAME_SIZE];
		socket_name(found->ai_addr, found->ai_addrlen, name);
		error_set(error, "cannot listen on %s: %s", name, strerror(errno));
	}
	freeaddrinfo(found);
	return descriptor;
}

/* The options of all connections. 0, or -1 with errno. */
static int set_options(int descriptor, const struct socket_keepalive *keepalive)
{
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

int socket_listen(int descriptor, struct error *error)
{
	if (set_options(descriptor, &accepted_keepalive) == 0 &&
	    listen(descriptor, SOCKET_BACKLOG) == 0)
		return 0;
	char name[SOCKET_NAME_SIZE];
	int saved = errno;
	socket_local_name(descriptor, name);
	return error_set(error, "cannot listen on %s: %s", name, strerror(saved));
}

/* Waits until a connection is made. 0, or -1 with errno. */
static int wait_connected(int descriptor, int64_t deadline)
{
	struct pollfd waiting = {.fd = descriptor, .events = POLLOUT};
	int ready = clock_poll(&waiting, 1, deadline);
	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0)
		return -1;
	int errnum = 0;
	socklen_t length = sizeof errnum;
	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &errnum, &length) < 0)
		return -1;
	errno = errnum;
	return errnum ? -1 : 0;
}

/* Whether the socket is connected to itself, with errno as if the port were free: the kernel can
 * choose a port as its own on which no server listens. It would keep the server from that port. */
static bool is_own(int descriptor)
{
	char local[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE];
	socket_local_name(descriptor, local);
	socket_peer_name(descriptor, peer);
	errno = ECONNREFUSED;
	return !strcmp(local, peer) && strcmp(local, "unknown") != 0;
}

static int connect_address(const struct addrinfo *address, const struct socket_keepalive *keepalive,
			   int64_t deadline)
{
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return -1;
	if ((connect(descriptor, address->ai_addr, address->ai_addrlen) < 0 &&
	     (errno != EINPROGRESS || wait_connected(descriptor, deadline) < 0)) ||
	    is_own(descriptor) || fcntl(descriptor, F_SETFL, 0) < 0 ||
	    set_options(descriptor, keepalive) < 0)
		return close_failed(descriptor);
	return descriptor;
}

int socket_connect(const char *host, int port, const struct socket_keepalive *keepalive,
		   int64_t deadline, struct error *error)
{
	struct addrinfo *found = resolve(host, port, 0, error);
	if (!found)
		return -1;
	int descriptor = -1;
	for (struct addrinfo *address = found; address && descriptor < 0;
	     address = address->ai_next)
		descriptor = connect_address(address, keepalive, deadline);
	if (descriptor < 0)
		error_set(error, "cannot connect to %s%.200s%s:%d: %s",
			  strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "", port,
			  strerror(errno));
	freeaddrinfo(found);
	return descriptor;
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
	if (getnameinfo(address, length, host, sizeof host, port, sizeof port,
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

int socket_name_split(const char *name, char host[SOCKET_NAME_SIZE], int *port)
{
	const char *colon = strrchr(name, ':');
	int64_t number;
	if (!colon || number_parse(colon + 1, 0, 65535, &number) < 0)
		return -1;
	size_t length = (size_t)(colon - name);
	if (length > 2 && *name == '[' && name[length - 1] == ']') {
		name++;
		length -= 2;
	}
	if (!length || length >= SOCKET_NAME_SIZE)
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
	if (socket_name_split(name, host, &port) < 0)
		return 0;
	int written = dprintf(descriptor, "%s %d\n", host, port);
	if (written < 0)
		error_set(error, "cannot write to descriptor %d: %s", descriptor, strerror(errno));
	if (descriptor > STDERR_FILENO) /* no connection may become stdout or stderr */
		(void)close(descriptor);
	return written < 0 ? -1 : 0;
}

int socket_ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port)
{
	struct slice name;
	uint64_t number;
	if (!slice_cut(&line, ' ', &name) || name.length >= SOCKET_NAME_SIZE ||
	    !slice_number(&line, &number) || number < 1 || number > 65535 ||
	    !slice_begins(line, "\n"))
		return -1;
	memcpy(host, name.bytes, name.length);
	host[name.length] = '\0';
	*port = (int)number;
	return 0;
}
