/* SPDX-License-Identifier: MIT */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "net/addresses.h"

static const struct socket_keepalive accepted_keepalive = {
	.idle = 60, .interval = 10, .probes = 6, .user_timeout = 120000};

static int set_flag(int descriptor, int level, int name, int value)
{
	return setsockopt(descriptor, level, name, &value, sizeof value);
}

/* Returns the descriptor, or -1 with errno. */
static int bind_address(const struct addrinfo *address)
{
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return -1;
	if (set_flag(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    (address->ai_family != AF_INET6 ||
	     set_flag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0) &&
	    bind(descriptor, address->ai_addr, address->ai_addrlen) == 0)
		return descriptor;
	descriptor_close(&descriptor);
	return -1;
}

int socket_bind(const char *host, int port, int wake, struct error *error)
{
	struct addresses addresses;
	int descriptor = -1;
	if (addresses_find(&addresses, host, port, true, CLOCK_NEVER, wake, error) == 0) {
		for (size_t i = 0; i < addresses.count && descriptor < 0; i++) {
			descriptor = bind_address(addresses.list[i].address);
			addresses.list[i].errnum = descriptor < 0 ? errno : 0;
		}
		if (descriptor < 0)
			(void)addresses_explain(&addresses, "listen on", error);
	}
	addresses_free(&addresses);
	return descriptor;
}

int listener_open(int passed, const char *host, int port, int wake, struct unix_file *file,
		  struct error *error)
{
	if (passed >= 0)
		return passed;
	if (unix_is_name(host))
		return unix_listen(host, wake, file, error);
	return socket_bind(host, port, wake, error);
}

int socket_listen(int descriptor, struct error *error)
{
	if (socket_set_options(descriptor, &accepted_keepalive) == 0 &&
	    listen(descriptor, SOCKET_BACKLOG) == 0)
		return 0;
	char name[SOCKET_NAME_SIZE];
	int saved = errno;
	socket_local_name(descriptor, name);
	return error_set(error, "cannot listen on %s: %s", name, strerror(saved));
}

/* A server takes lines from all who can connect: being on another machine is what keeps them out.
 */
bool listener_is_exposed(int descriptor, struct error *warning)
{
	char name[SOCKET_NAME_SIZE];
	if (socket_is_local(descriptor))
		return false;
	socket_local_name(descriptor, name);
	error_set(warning,
		  "WARNING: listening on %s: every machine that can reach this address can write "
		  "to the log; restrict it with a firewall, or use -host 127.0.0.1",
		  name);
	return true;
}
