/* SPDX-License-Identifier: MIT */
#include "session/session_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct registry {
	struct recipient everyone; /* first, so that the one is the other */
	int descriptor;		   /* an eventfd */
	pthread_mutex_t lock;
	/* under the lock */
	struct connection *live;     /* whose sockets are open */
	struct connection *finished; /* whose threads can be joined */
	size_t count;		     /* not yet joined */
};

/* Whoever lives has an outbox that is not freed: registry_closing() comes before that. */
static bool release_to_all(struct recipient *everyone, const char *bytes, size_t length,
			   size_t lines)
{
	struct registry *registry = (struct registry *)everyone;
	(void)lines; /* nobody announced them */
	pthread_mutex_lock(&registry->lock);
	for (struct connection *at = registry->live; at; at = at->next)
		outbox_post(&at->peer.outbox, bytes, length);
	pthread_mutex_unlock(&registry->lock);
	return true;
}

struct registry *registry_new(struct failure *failure)
{
	struct registry *registry = calloc(1, sizeof *registry);
	if (registry && (registry->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0) {
		pthread_mutex_init(&registry->lock, NULL); /* cannot fail without attributes */
		registry->everyone = (struct recipient){
			.name = "everyone", .release = release_to_all, .unasked = true};
		return registry;
	}
	failure_set(failure, "cannot keep connections: %s", strerror(errno));
	free(registry);
	return NULL;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	(void)close(registry->descriptor); /* only ever an event */
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

struct recipient *registry_everyone(struct registry *registry)
{
	return &registry->everyone;
}

int registry_descriptor(const struct registry *registry)
{
	return registry->descriptor;
}

static void link_live(struct registry *registry, struct connection *connection)
{
	connection->previous = NULL;
	connection->next = registry->live;
	if (registry->live)
		registry->live->previous = connection;
	registry->live = connection;
}

static void unlink_live(struct registry *registry, struct connection *connection)
{
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		registry->live = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
}

int registry_add(struct registry *registry, struct connection *connection)
{
	/* the thread that is started waits at this lock, should it end at once */
	pthread_mutex_lock(&registry->lock);
	int error = connection_start(connection);
	if (!error) {
		link_live(registry, connection);
		registry->count++;
	}
	pthread_mutex_unlock(&registry->lock);
	return error;
}

size_t registry_count(struct registry *registry)
{
	pthread_mutex_lock(&registry->lock);
	size_t count = registry->count;
	pthread_mutex_unlock(&registry->lock);
	return count;
}

void registry_join(struct registry *registry)
{
	eventfd_t ignored;
	(void)eventfd_read(registry->descriptor, &ignored); /* EAGAIN: nothing new, which is fine */
	pthread_mutex_lock(&registry->lock);
	struct connection *finished = registry->finished;
	registry->finished = NULL;
	pthread_mutex_unlock(&registry->lock);
	size_t joined = 0;
	while (finished) {
		struct connection *connection = finished;
		finished = connection->next;
		connection_join(connection);
		joined++;
	}
	pthread_mutex_lock(&registry->lock);
	registry->count -= joined;
	pthread_mutex_unlock(&registry->lock);
}

static void for_all(struct registry *registry, void (*act)(struct connection *))
{
	pthread_mutex_lock(&registry->lock);
	for (struct connection *at = registry->live; at; at = at->next)
		act(at);
	pthread_mutex_unlock(&registry->lock);
}

void registry_drain(struct registry *registry)
{
	for_all(registry, connection_drain);
}

void registry_stop(struct registry *registry)
{
	for_all(registry, connection_stop);
}

void registry_closing(void *context, struct connection *connection)
{
	struct registry *registry = context;
	pthread_mutex_lock(&registry->lock);
	unlink_live(registry, connection);
	pthread_mutex_unlock(&registry->lock);
}

void registry_finished(void *context, struct connection *connection)
{
	struct registry *registry = context;
	pthread_mutex_lock(&registry->lock);
	connection->next = registry->finished;
	registry->finished = connection;
	pthread_mutex_unlock(&registry->lock);
	(void)eventfd_write(registry->descriptor, 1); /* EAGAIN: it is readable already */
}
