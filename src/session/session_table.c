/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

enum { SESSION_STACK = 65536 }; /* bytes of a session's thread */

size_t session_memory_max(size_t maxline)
{
	return SESSION_STACK + line_capacity_max(maxline) + SEND_QUEUE_HIGH_WATER;
}

/* A live session has an open queue: session_table_closing() comes before it is freed. One in a
 * handshake is not there yet: its queue could only grow. */
static bool deliver_to_all(struct reply_target *target, const char *bytes, size_t length,
			   size_t lines)
{
	struct session_table *table = (struct session_table *)target;
	(void)lines; /* they were not reserved */
	pthread_mutex_lock(&table->lock);
	for (struct session *at = table->live; at; at = at->next)
		if (!at->is_shaking)
			send_queue_push(&at->responder.queue, bytes, length);
	pthread_mutex_unlock(&table->lock);
	return true;
}

struct session_table *session_table_new(struct error *error)
{
	struct session_table *table = memory_calloc(1, sizeof *table);
	if (!table || (table->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		error_set(error, "cannot make the session table: %s", strerror(errno));
		free(table);
		return NULL;
	}
	int errnum = thread_attributes_init(&table->attributes, SESSION_STACK);
	if (errnum) {
		error_set(error, "cannot set the stack size of threads: %s", strerror(errnum));
		(void)close(table->descriptor);
		free(table);
		return NULL;
	}
	pthread_mutex_init(&table->lock, NULL); /* cannot fail without attributes */
	table->broadcast = (struct reply_target){
		.name = "everyone", .deliver = deliver_to_all, .broadcast = true};
	return table;
}

void session_table_free(struct session_table *table)
{
	if (!table)
		return;
	(void)close(table->descriptor);			/* only ever an event */
	(void)pthread_attr_destroy(&table->attributes); /* frees nothing that could fail */
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static void add_shaking(struct session_table *table, struct session *session)
{
	session->is_shaking = true;
	session->shaking_since = clock_now();
	session->previous_shaking = table->last_shaking;
	*(table->last_shaking ? &table->last_shaking->next_shaking : &table->first_shaking) =
		session;
	table->last_shaking = session;
}

static void remove_shaking(struct session_table *table, struct session *session)
{
	struct session *next = session->next_shaking, *previous = session->previous_shaking;
	*(previous ? &previous->next_shaking : &table->first_shaking) = next;
	*(next ? &next->previous_shaking : &table->last_shaking) = previous;
}

bool session_table_shaken(struct session_table *table, struct session *session)
{
	if (!stream_has_handshake(session->stream))
		return true;
	pthread_mutex_lock(&table->lock);
	bool ended = session->shaking_ended;
	if (!ended) {
		remove_shaking(table, session);
		session->is_shaking = false;
	}
	pthread_mutex_unlock(&table->lock);
	return !ended;
}

bool session_table_end_handshakes(struct session_table *table, int64_t since)
{
	pthread_mutex_lock(&table->lock);
	struct session *oldest;
	while ((oldest = table->first_shaking) && oldest->shaking_since < since) {
		remove_shaking(table, oldest);
		oldest->shaking_ended = true;
		table->shaking_ended++;
		stream_stop(oldest->stream);
	}
	bool coming = table->first_shaking || table->shaking_ended;
	pthread_mutex_unlock(&table->lock);
	return coming;
}

int session_table_start(struct session_table *table, struct session *session,
			void *(*run)(void *session))
{
	/* the thread that is started waits at this lock, should it end at once */
	pthread_mutex_lock(&table->lock);
	int errnum = thread_create(&session->thread, &table->attributes, run, session);
	if (!errnum) {
		session->next = table->live;
		if (table->live)
			table->live->previous = session;
		table->live = session;
		table->count++;
		table->started++;
		if (stream_has_handshake(session->stream))
			add_shaking(table, session);
	}
	pthread_mutex_unlock(&table->lock);
	return errnum;
}

void session_table_closing(struct session_table *table, struct session *session)
{
	pthread_mutex_lock(&table->lock);
	*(session->previous ? &session->previous->next : &table->live) = session->next;
	if (session->next)
		session->next->previous = session->previous;
	pthread_mutex_unlock(&table->lock);
}

void session_table_finished(struct session_table *table, struct session *session)
{
	pthread_mutex_lock(&table->lock);
	session->next = table->finished;
	table->finished = session;
	pthread_mutex_unlock(&table->lock);
	(void)eventfd_write(table->descriptor, 1); /* EAGAIN: it is readable already */
}

void session_table_join(struct session_table *table)
{
	eventfd_t ignored;
	(void)eventfd_read(table->descriptor, &ignored); /* EAGAIN: nothing new, which is fine */
	pthread_mutex_lock(&table->lock);
	struct session *next = table->finished;
	table->finished = NULL;
	for (const struct session *session = next; session; session = session->next)
		table->shaking_ended -= session->shaking_ended;
	pthread_mutex_unlock(&table->lock);
	while (next) {
		struct session *session = next;
		next = session->next;
		pthread_join(session->thread, NULL);
		address_table_leave(session->responder.settings->addresses, session->address);
		free(session);
		table->count--;
	}
}

static void for_all(struct session_table *table, void (*act)(struct stream *stream))
{
	pthread_mutex_lock(&table->lock);
	for (struct session *at = table->live; at; at = at->next)
		act(at->stream);
	pthread_mutex_unlock(&table->lock);
}

void session_table_drain(struct session_table *table)
{
	for_all(table, stream_stop_receiving);
}

void session_table_stop(struct session_table *table)
{
	for_all(table, stream_stop);
}
