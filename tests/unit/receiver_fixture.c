/* SPDX-License-Identifier: MIT */
#include "receiver_fixture.h"

#include <check.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "support.h"

enum { MAXLINE = 100000 };

struct connection {
	size_t number;
	char answer[16];
};

static struct connection connections[RECEIVER_CONNECTIONS + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* under the lock */
static struct session *sessions[RECEIVER_CONNECTIONS + 1];
static unsigned at_gate;
static bool gate_is_open;

static _Thread_local struct connection *own;
static int64_t busy_poll_time;

void (*receiver_on_line)(const struct frame *frame);

void receiver_use_sleep(void)
{
	busy_poll_time = 0;
}

void receiver_use_busy_poll(void)
{
	busy_poll_time = 50 * CLOCK_MICROSECOND;
}

static void *open_connection(void *service, struct responder *responder)
{
	(void)service;
	ck_assert_uint_le(responder->number, RECEIVER_CONNECTIONS);
	own = &connections[responder->number];
	own->number = responder->number;
	(void)snprintf(own->answer, sizeof own->answer, "%zu\n", own->number);
	pthread_mutex_lock(&lock);
	sessions[own->number] = (struct session *)responder; /* its first member */
	pthread_mutex_unlock(&lock);
	return own;
}

static void close_connection(void *state)
{
	struct connection *closed = state;
	pthread_mutex_lock(&lock);
	sessions[closed->number] = NULL;
	pthread_mutex_unlock(&lock);
}

static void pass_gate(void)
{
	pthread_mutex_lock(&lock);
	at_gate++;
	pthread_cond_broadcast(&changed);
	while (!gate_is_open)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static struct slice answer(void *state, const struct frame *frame)
{
	(void)state;
	if (receiver_on_line)
		receiver_on_line(frame);
	if (frame->length == 4 && !memcmp(frame->bytes, "gate", 4))
		pass_gate();
	/* a raw answer has its line end */
	return (struct slice){own->answer,
			      strlen(own->answer) - !receiver_handler.protocol->raw_answers};
}

struct handler receiver_handler = {.protocol = &protocol_lines,
				   .open = open_connection,
				   .close = close_connection,
				   .answer = answer};

void receiver_open(size_t groups)
{
	struct error error;
	world_use_own();
	world_open("log", RECEIVER_CONNECTIONS, MAXLINE, 0);
	world.settings.handler = &receiver_handler;
	world.settings.receiver = NULL;
	if (groups)
		ck_assert_ptr_nonnull(world.settings.receiver =
					      receiver_new(groups, busy_poll_time, &error));
	world.settings.stopping = world.settings.draining = false;
	at_gate = 0;
	gate_is_open = false;
}

size_t receiver_answer(int peer)
{
	char *answer_line = peer_lines(peer, 1), *end;
	size_t number = strtoul(answer_line, &end, 10);
	ck_assert_msg(number && !strcmp(end, "\n"), "the answer is '%s'", answer_line);
	free(answer_line);
	return number;
}

size_t receiver_of(int peer)
{
	peer_send(peer, "who\n", 4);
	return receiver_answer(peer);
}

void assert_received_by(int peer, size_t number)
{
	ck_assert_uint_eq(receiver_of(peer), number);
}

int receiver_connect(size_t by)
{
	int peer = world_connect();
	assert_received_by(peer, by);
	return peer;
}

struct session *receiver_session(size_t number)
{
	pthread_mutex_lock(&lock);
	struct session *session = sessions[number];
	pthread_mutex_unlock(&lock);
	ck_assert_ptr_nonnull(session);
	return session;
}

static bool has_arrived(void *peer)
{
	int bytes = 1;
	return ioctl(*(int *)peer, SIOCOUTQ, &bytes) == 0 && !bytes;
}

void receiver_await_arrival(int peer)
{
	ck_assert(eventually(has_arrived, &peer));
}

static bool is_received(void *session)
{
	return !stream_pending(((struct session *)session)->stream);
}

void receiver_await_receipt(int peer, size_t number)
{
	receiver_await_arrival(peer);
	ck_assert(eventually(is_received, receiver_session(number)));
}

void receiver_await_gate(unsigned lines)
{
	pthread_mutex_lock(&lock);
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	while (at_gate < lines && clock_now() < deadline) {
		pthread_mutex_unlock(&lock);
		world_turn(1);
		pthread_mutex_lock(&lock);
	}
	unsigned waiting = at_gate;
	pthread_mutex_unlock(&lock);
	ck_assert_uint_eq(waiting, lines);
}

void receiver_open_gate(void)
{
	pthread_mutex_lock(&lock);
	gate_is_open = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void receiver_block(int peer, unsigned lines)
{
	peer_send(peer, "gate\n", 5);
	receiver_await_gate(lines);
}
