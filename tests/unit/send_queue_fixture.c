/* SPDX-License-Identifier: MIT */
#include "send_queue_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"
#include "xor_stream.h"

static struct error error;
struct flusher *flusher;
struct stream *stream;
struct send_queue queue;
int peer;

/* A pair of local sockets: once it takes no more, it does not until the peer reads. Of TCP that
 * cannot be said. */
void outboxes_begin(void)
{
	int pair[2], small = 4096;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	stream = stream_open(stream_type, pair[0], STREAM_SERVER);
	ck_assert_ptr_nonnull(stream);
	peer = pair[1];
	flusher = flusher_start(&error);
	ck_assert_ptr_nonnull(flusher);
	send_queue_open(&queue, stream, flusher);
}

void outboxes_end(void)
{
	send_queue_free(&queue);
	flusher_stop(flusher);
	stream_close(stream, 0);
	if (peer >= 0)
		(void)close(peer);
}

void put_number(char *answer, int number)
{
	char digits[16];
	(void)snprintf(digits, sizeof digits, "%07u\n", (unsigned)number % 10000000);
	memcpy(answer, digits, 8);
}

bool send_numbers(int *next, int count)
{
	char *answers = malloc((size_t)count * 8);
	for (int i = 0; i < count; i++)
		put_number(answers + i * 8, *next + i);
	bool taken = send_queue_send(&queue, answers, (size_t)count * 8, (size_t)count);
	*next += count;
	free(answers);
	return taken;
}

bool reserve(size_t lines)
{
	bool full = send_queue_is_full(&queue, SEND_QUEUE_HIGH_WATER, SIZE_MAX);
	if (!full)
		send_queue_reserve(&queue, lines);
	return !full;
}

void wait_and_reserve(size_t lines)
{
	send_queue_wait(&queue, SIZE_MAX);
	send_queue_reserve(&queue, lines);
}

static bool is_writable(void)
{
	struct pollfd waiting = stream_pollfd(stream, POLLOUT);
	return poll(&waiting, 1, 0) == 1;
}

int fill(void)
{
	int next = 0;
	for (;;) {
		/* the flusher may still be sending where the socket takes more */
		bool full = !is_writable();
		bool reserved = reserve(100);
		if (reserved && !send_numbers(&next, 100))
			ck_abort_msg("not taken");
		if (!reserved && full)
			return next;
	}
}

void assert_numbers(int count)
{
	char *seen = peer_lines(peer, (size_t)count), number[8];
	ck_assert_uint_eq(strlen(seen), (size_t)count * 8);
	for (int i = 0; i < count; i++) {
		put_number(number, i);
		if (memcmp(seen + i * 8, number, 8) != 0)
			ck_abort_msg("answer %d is %.8s", i, seen + i * 8);
	}
	free(seen);
}

size_t unsent(void)
{
	pthread_mutex_lock(&queue.lock);
	size_t length = queue.unsent.length;
	pthread_mutex_unlock(&queue.lock);
	return length;
}
