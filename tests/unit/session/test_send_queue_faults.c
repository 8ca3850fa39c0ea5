/* SPDX-License-Identifier: MIT */
/* The send queue when memory, threads or descriptors are out. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "send_queue_fixture.h"
#include "support.h"
#include "base/memory.h"
#include "base/thread.h"
#include "unit.h"

/* Faults, put in through the seams of base and flusher. */
static struct {
	atomic_bool memory, thread, epoll;
} fault;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument);
static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument);

static void *faulty_realloc(void *bytes, size_t size)
{
	return fault.memory ? NULL : realloc(bytes, size);
}

static void *faulty_calloc(size_t count, size_t size)
{
	return fault.memory ? NULL : calloc(count, size);
}

static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument)
{
	return fault.thread ? EAGAIN : pthread_create(thread, attributes, run, argument);
}

static int faulty_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
	errno = ENOSPC;
	return fault.epoll ? -1 : epoll_ctl(epoll, operation, descriptor, event);
}

static struct error error;

/* An answer that is missing must not be followed by others. */
START_TEST(out_of_memory_ends_the_connection)
{
	int next = 0;
	ck_assert(reserve(1000000));
	fault.memory = true;
	char much[1000];
	memset(much, '\n', sizeof much);
	bool taken = true;
	size_t sends = 0;
	while (sends < 1000 && taken) {
		taken = send_queue_send(&queue, much, sizeof much, 1000);
		sends++;
	}
	fault.memory = false;
	ck_assert(!taken);
	send_queue_cancel(&queue, queue.unanswered - 1);
	ck_assert(!send_numbers(&next, 1));
	size_t untaken = send_queue_close(&queue);
	char *all = peer_all(peer); /* the end comes, after whole and half answers */
	ck_assert_uint_eq(strlen(all) + untaken, sends * sizeof much + 8);
	free(all);
}
END_TEST

START_TEST(without_kernel_memory_it_is_told)
{
	bool taken = true;
	int next = 0;
	fault.epoll = true;
	while (taken) {
		ck_assert(reserve(100));
		taken = send_numbers(&next, 100);
	}
	fault.epoll = false;
	wait_and_reserve(1); /* does not wait for ever */
	send_queue_cancel(&queue, 1);
	ck_assert_uint_gt(send_queue_close(&queue), 0);
}
END_TEST

START_TEST(without_threads_or_descriptors_there_is_no_flusher)
{
	size_t before = descriptors();
	ck_assert_uint_eq(send_queue_close(&queue), 0);
	flusher_stop(NULL);
	fault.thread = true;
	ck_assert_ptr_null(flusher_start(&error));
	fault.thread = false;
	ck_assert_str_eq(error.message,
			 "cannot start the flusher: Resource temporarily unavailable");
	descriptor_limit(0);
	struct flusher *none = flusher_start(&error);
	descriptor_unlimit();
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot start the flusher: Too many open files");
	fault.memory = true;
	none = flusher_start(&error);
	fault.memory = false;
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot start the flusher: Cannot allocate memory");
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	memory_realloc = faulty_realloc;
	thread_create = faulty_pthread_create;
	flusher_epoll_ctl = faulty_epoll_ctl;
	TCase *cases = tcase_create("faults");
	tcase_add_checked_fixture(cases, outboxes_begin, outboxes_end);
	tcase_add_test(cases, out_of_memory_ends_the_connection);
	tcase_add_test(cases, without_kernel_memory_it_is_told);
	tcase_add_test(cases, without_threads_or_descriptors_there_is_no_flusher);
	return unit_main("outbox_faults", cases, NULL);
}
