/* SPDX-License-Identifier: MIT */
#include "net/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "net/addresses.h"

/* The "Connection Attempt Delay" of RFC 8305. */
#define STEP_MAX (250 * CLOCK_MILLISECOND)

/* Attempts to connect, several at a time. */
struct race {
	const struct connect_target *target;
	struct addresses addresses;
	size_t started; /* of the addresses */
	size_t running; /* of those; a socket in `waiting` */
	int64_t step;	/* ns between two starts */
	int64_t next;	/* when to start the next one */
	/* As many as addresses, owned; fd -1: not running. And behind them the one that wakes. */
	struct pollfd *waiting;
};

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

/* An attempt has ended. Returns its descriptor, which is blocking now; -1: it failed. */
static int finish(struct race *race, size_t i, int errnum)
{
	int descriptor = race->waiting[i].fd;
	race->running--;
	race->waiting[i].fd = -1;
	if (!errnum && !is_own(descriptor) && fcntl(descriptor, F_SETFL, 0) == 0 &&
	    socket_set_options(descriptor, race->target->keepalive) == 0)
		return descriptor;
	race->addresses.list[i].errnum = errnum ? errnum : errno;
	descriptor_close(&descriptor);
	return -1;
}

/* Starts the next attempt. Returns the descriptor if it connects at once. */
static int start(struct race *race)
{
	size_t i = race->started++;
	const struct addrinfo *address = race->addresses.list[i].address;
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	race->next = clock_after(race->step);
	race->waiting[i] = (struct pollfd){.fd = descriptor, .events = POLLOUT};
	race->running++;
	if (descriptor >= 0 && connect(descriptor, address->ai_addr, address->ai_addrlen) == 0)
		return finish(race, i, 0);
	return descriptor >= 0 && errno == EINPROGRESS ? -1 : finish(race, i, errno);
}

/* An attempt has an event. Returns the descriptor if it has connected. */
static int settle(struct race *race, size_t i)
{
	int errnum = 0;
	socklen_t length = sizeof errnum;
	if (getsockopt(race->waiting[i].fd, SOL_SOCKET, SO_ERROR, &errnum, &length) < 0)
		errnum = errno;
	return finish(race, i, errnum);
}

/* Waits for events of attempts, or until another is to be started. Returns the first that has
 * connected; -1: none, with *errnum set once there is nothing more to wait for. */
static int wait_for(struct race *race, int *errnum)
{
	int connected = -1;
	size_t count = race->addresses.count;
	int64_t until = race->started < count ? race->next : CLOCK_NEVER;
	int ready =
		clock_poll(race->waiting, count + 1, clock_earlier(until, race->target->deadline));
	if (ready < 0)
		*errnum = errno;
	else if (race->waiting[count].revents)
		*errnum = ECANCELED;
	else if (!ready && clock_now() >= race->target->deadline)
		*errnum = ETIMEDOUT;
	for (size_t i = 0; !*errnum && i < race->started && connected < 0; i++)
		if (race->waiting[i].fd >= 0 && race->waiting[i].revents)
			connected = settle(race, i);
	return connected;
}

/* Returns the descriptor, or -1: each address that was tried has its errno value. */
static int run(struct race *race)
{
	int connected = -1, errnum = 0;
	size_t count = race->addresses.count;
	while (connected < 0 && !errnum && (race->started < count || race->running)) {
		if (race->started < count && (!race->running || clock_now() >= race->next))
			connected = start(race);
		else
			connected = wait_for(race, &errnum);
	}
	for (size_t i = 0; i < race->started; i++)
		if (race->waiting[i].fd >= 0)
			(void)finish(race, i, errnum ? errnum : ECANCELED); /* one has won */
	return connected;
}

/* As many attempts as there are addresses fit into the time. */
static int set_up(struct race *race)
{
	size_t count = race->addresses.count;
	int64_t left = race->target->deadline - clock_now();
	race->step = clock_earlier(STEP_MAX, left > 0 ? left / (int64_t)count : 0);
	race->waiting = memory_calloc(count + 1, sizeof *race->waiting);
	if (!race->waiting)
		return -1;
	for (size_t i = 0; i < count; i++)
		race->waiting[i].fd = -1;
	race->waiting[count] = (struct pollfd){.fd = race->target->wake, .events = POLLIN};
	return 0;
}

int socket_connect(const struct connect_target *target, struct error *error)
{
	struct race race = {.target = target};
	int connected = -1;
	if (unix_is_name(target->host))
		return unix_connect(target->host, target->deadline, target->wake, error);
	if (addresses_find(&race.addresses, target->host, target->port, false, target->deadline,
			   target->wake, error) == 0) {
		if (set_up(&race) < 0)
			error_set(error, "cannot connect to %.200s: %s", target->host,
				  strerror(ENOMEM));
		else if ((connected = run(&race)) < 0)
			(void)addresses_explain(&race.addresses, "connect to", error);
	}
	addresses_free(&race.addresses);
	free(race.waiting);
	return connected;
}
