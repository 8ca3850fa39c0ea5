/* SPDX-License-Identifier: MIT */
/* A member of a group for which the system fails: the others go on. */
#include "session/receiver.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/memory.h"
#include "receiver_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

static int first, second, third;

static void begin(void)
{
	scratch_enter();
	receiver_open(1);
}

static void connect_three(void)
{
	first = receiver_connect(1);
	second = receiver_connect(1);
	third = receiver_connect(1);
}

static _Atomic bool no_memory;

static void *faulty_malloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

static void lose_memory(int peer)
{
	size_t before = world.table->count;
	no_memory = true;
	peer_send(peer, "half", 4);
	assert_last(peer, "");
	world_await(before - 1);
	no_memory = false;
}

static _Atomic bool keeps; /* while set, no descriptor can be taken out */
static atomic_int kept;	   /* members that their group's events may still name */

static int keep(int epoll, int operation, int descriptor, struct epoll_event *event)
{
	if (!keeps)
		return epoll_ctl(epoll, operation, descriptor, event);
	kept += operation == EPOLL_CTL_DEL;
	kept -= operation == EPOLL_CTL_MOD && !event->data.ptr;
	errno = EPERM;
	return operation == EPOLL_CTL_DEL ? -1 : epoll_ctl(epoll, operation, descriptor, event);
}

/* The kernel has no reason for it. The others do not see its events, nor when it is gone. */
START_TEST(one_that_cannot_be_taken_out_receives_itself)
{
	static char half[16385]; /* of a line: too much for a lent buffer */
	keeps = true;
	connect_three();
	memset(half, 'x', sizeof half);
	peer_send(second, half, sizeof half);
	receiver_await_receipt(second, 2);
	peer_send(second, "\n", 1);
	ck_assert_uint_eq(receiver_answer(second), 2);
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(receiver_of(second), 2);
		assert_received_by(third, 1);
	}
	ck_assert_int_eq(kept, 0);
	(void)close(second);
	world_await(2);
	assert_received_by(third, 1);
	keeps = false;
	world_close();
}
END_TEST

START_TEST(out_of_memory_half_a_line_closes_that_one)
{
	connect_three();
	lose_memory(second);
	assert_received_by(third, 1);
	assert_logged(" closed: out of memory\n", 1);
	lose_memory(first); /* which led */
	assert_received_by(third, 3);
	assert_logged(" closed: out of memory\n", 2);
	world_close();
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void), void (*use_busy_poll)(void))
{
	TCase *faults = tcase_create(name);
	tcase_add_checked_fixture(faults, use_type, NULL);
	tcase_add_checked_fixture(faults, use_busy_poll, NULL);
	tcase_add_checked_fixture(faults, begin, NULL);
	if (use_type == tcp_use) /* the other's pieces end anywhere */
		tcase_add_test(faults, one_that_cannot_be_taken_out_receives_itself);
	tcase_add_test(faults, out_of_memory_half_a_line_closes_that_one);
	return faults;
}

int main(void)
{
	memory_malloc = faulty_malloc;
	receiver_epoll_ctl = keep;
	scratch_make();
	int status = unit_main("receiver, faults", make("sleep", tcp_use, receiver_use_sleep),
			       make("busy-poll", tcp_use, receiver_use_busy_poll),
			       make("xor", xor_use, receiver_use_busy_poll), NULL);
	scratch_remove();
	return status;
}
