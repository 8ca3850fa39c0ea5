/* SPDX-License-Identifier: MIT */
#include "session/session_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"

struct session_table {
	struct reply_target broadcast; /* first member: the pointer is cast between the two types */
	int descriptor;		       /* an eventfd */
	pthread_attr_t attributes;     /* of the sessions' threads */
	pthread_mutex_t lock;
	/* under the lock */
	struct session *live;	  /* their streams are open */
	struct session *finished; /* their threads can be joined */
	size_t count;		  /* not yet joined */
};

/* A live session has an open queue: session_table_closing() comes before it is freed. */
static bool deliver_to_all(struct reply_target *target, const char *bytes, size_t length,
			   size_t lines)
{
	struct session_table *table = (struct session_table *)target;
	(void)lines; /* they were not reserved */
	pthread_mutex_lock(&table->lock);
	for (struct session *at = table->live; at; at = at->next)
		send_queue_push(&at->responder.queue, bytes, length);
	pthread_mutex_unlock(&table->lock);
	return true;
}

struct session_table *session_table_new(struct error *error)
{
	struct session_table *table = memory_calloc(1, sizeof *table);
	if (!table || (table->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		error_set(error, "cannot keep connections: %s", strerror(errno));
		free(table);
		return NULL;
	}
	int errnum = thread_attributes_init(&table->attributes, SESSION_STACK);
	if (errnum) {
		error_set(error, "cannot set the stack of connections: %s", strerror(errnum));
		(void)close(table->descriptor);
		free(table);
		return NULL;
	}
	pthread_mutex_init(&table->lock, NULL); /* cannot fail without attributes */
	table->broadcast = (struct reply_target){.name = "everyone", .deliver = deliver_to_all};
	return table;
}

void session_table_free(struct session_table *table)
{
	if (!table)
		return;
	(void)close(table->descriptor); /* only ever an event */
	pthread_mutex_destroy(&table->lock);
	(void)pthread_attr_destroy(&table->attributes); /* cannot fail */
	free(table);
}

struct reply_target *session_table_broadcast(struct session_table *table)
{
	return &table->broadcast;
}

int session_table_descriptor(const struct session_table *table)
{
	return table->descriptor;
}

static void link_live(struct session_table *table, struct session *session)
{
	session->previous = NULL;
	session->next = table->live;
	if (table->live)
		table->live->previous = session;
	table->live = session;
}

static void unlink_live(struct session_table *table, struct session *session)
{
	if (session->previous)
		session->previous->next = session->next;
	else
		table->live = session->next;
	if (session->next)
		session->next->previous = session->previous;
}

int session_table_add(struct session_table *table, struct session *session)
{
	/* the thread that is started waits at this lock, should it end at once */
	pthread_mutex_lock(&table->lock);
	int errnum = session_start(session, &table->attributes);
	if (!errnum) {
		link_live(table, session);
		table->count++;
	}
	pthread_mutex_unlock(&table->lock);
	return errnum;
}

size_t session_table_count(struct session_table *table)
{
	pthread_mutex_lock(&table->lock);
	size_t count = table->count;
	pthread_mutex_unlock(&table->lock);
	return count;
}

void session_table_join(struct session_table *table)
{
	eventfd_t ignored;
	(void)eventfd_read(table->descriptor, &ignored); /* EAGAIN: nothing new, which is fine */
	pthread_mutex_lock(&table->lock);
	struct session *finished = table->finished;
	table->finished = NULL;
	pthread_mutex_unlock(&table->lock);
	size_t joined = 0;
	while (finished) {
		struct session *session = finished;
		finished = session->next;
		session_join(session);
		joined++;
	}
	pthread_mutex_lock(&table->lock);
	table->count -= joined;
	pthread_mutex_unlock(&table->lock);
}

static void for_all(struct session_table *table, void (*act)(struct session *))
{
	pthread_mutex_lock(&table->lock);
	for (struct session *at = table->live; at; at = at->next)
		act(at);
	pthread_mutex_unlock(&table->lock);
}

void session_table_drain(struct session_table *table)
{
	for_all(table, session_drain);
}

void session_table_stop(struct session_table *table)
{
	for_all(table, session_stop);
}

void session_table_closing(void *context, struct session *session)
{
	struct session_table *table = context;
	pthread_mutex_lock(&table->lock);
	unlink_live(table, session);
	pthread_mutex_unlock(&table->lock);
}

void session_table_finished(void *context, struct session *session)
{
	struct session_table *table = context;
	pthread_mutex_lock(&table->lock);
	session->next = table->finished;
	table->finished = session;
	pthread_mutex_unlock(&table->lock);
	(void)eventfd_write(table->descriptor, 1); /* EAGAIN: it is readable already */
}
