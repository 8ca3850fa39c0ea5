/* SPDX-License-Identifier: MIT */
#include "session/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "base/memory.h"
#include "base/thread.h"
#include "unit.h"
#include "world.h"

/* Faults, put in through the seams of base and acceptor. */
static struct {
	int accept;  /* an errno value, 0: none */
	int accepts; /* how often that is said, -1: always */
	bool memory;
	int memory_after; /* so many allocations */
	atomic_bool thread;
} fault;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument);
static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument);

static int faulty_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
	if (!fault.accept || !fault.accepts)
		return accept4(listener, address, length, flags);
	fault.accepts -= fault.accepts > 0;
	errno = fault.accept;
	return -1;
}

static void *faulty_calloc(size_t count, size_t size)
{
	return fault.memory && fault.memory_after-- <= 0 ? NULL : calloc(count, size);
}

static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument)
{
	return fault.thread ? EAGAIN : pthread_create(thread, attributes, run, argument);
}

static void begin(void)
{
	scratch_enter();
	world_open("log", 2, 100, 0);
}

static void assert_talks(int peer)
{
	peer_send(peer, "one\n", 4);
	assert_answers(peer, 1, "ok\n");
}

static bool listener_is_ready(void *unused)
{
	struct pollfd listener = {.fd = world.acceptor.listener, .events = POLLIN};
	(void)unused;
	return poll(&listener, 1, 0) == 1;
}

/* A connection that waits to be accepted. */
static int connect_waiting(void)
{
	int peer = tcp_connect(world.port);
	ck_assert(eventually(listener_is_ready, NULL));
	return peer;
}

static void assert_paused(bool paused)
{
	ck_assert_int_eq(world.acceptor.paused_until == CLOCK_NEVER, !paused);
}

START_TEST(one_too_many_is_told_so)
{
	int first = world_connect(), second = world_connect();
	int third = connect_waiting();
	acceptor_run(&world.acceptor);
	assert_last(third, "error: too many connections\n");
	ck_assert_uint_eq(world.table->count, 2);
	assert_talks(first);
	assert_talks(second);
	assert_logged(" refused: the limit of -connections is 2\n", 1);
	assert_logged("WARNING\t| ", 1);
	(void)close(first);
	world_await(1);
	int fourth = world_connect(); /* there is room again */
	assert_talks(fourth);
	assert_paused(false);
	ck_assert_str_eq(world.warnings, "");
	(void)close(second);
	(void)close(fourth);
	world_close();
}
END_TEST

/* The connection is the only one, and is served; ends the test. */
static void assert_only_served(int peer)
{
	assert_paused(false);
	ck_assert_uint_eq(world.table->count, 1);
	assert_talks(peer);
	(void)close(peer);
	world_close();
}

static void limit_addresses(size_t max)
{
	static struct address_table table;
	table = (struct address_table){.max = max};
	world.settings.addresses = &table;
}

START_TEST(one_too_many_of_an_address_is_told_so)
{
	limit_addresses(1);
	int first = world_connect(), second = connect_waiting();
	acceptor_run(&world.acceptor);
	assert_last(second, "error: too many connections from this address\n");
	ck_assert_uint_eq(world.table->count, 1);
	assert_talks(first);
	assert_logged(" refused: the limit of -per-address is 1\n", 1);
	assert_logged(" refused: ", 1);
	(void)close(first);
	world_await(0);
	fault.thread = true; /* one that is dropped before it has a thread is not counted either */
	int third = connect_waiting();
	acceptor_run(&world.acceptor);
	ck_assert_uint_eq(world.table->count, 0);
	session_drop(world.acceptor.pending);
	world.acceptor.pending = NULL;
	fault.thread = false;
	assert_last(third, "");
	int fourth = connect_waiting();
	acceptor_run(&world.acceptor);
	assert_only_served(fourth);
}
END_TEST

START_TEST(without_memory_an_address_is_not_counted)
{
	limit_addresses(1);
	for (int i = 0; i < 3; i++) {
		int peer = connect_waiting();
		fault.memory = true;
		fault.memory_after = i; /* stream, address, session */
		acceptor_run(&world.acceptor);
		fault.memory = false;
		assert_paused(true);
		ck_assert_uint_eq(world.table->count, 0);
		assert_last(peer, "");
	}
	int again = connect_waiting();
	acceptor_run(&world.acceptor);
	assert_only_served(again);
}
END_TEST

#define PAUSES(reason) "WARNING: cannot accept more connections for now: " reason "\n"

START_TEST(without_descriptors_it_pauses)
{
	int first = world_connect(), second = connect_waiting();
	assert_paused(false);
	fault.accept = EMFILE;
	fault.accepts = -1;
	for (int i = 0; i < 3; i++) { /* said once, however often it is tried */
		acceptor_run(&world.acceptor);
		assert_paused(true);
		ck_assert_str_eq(world.warnings, PAUSES("Too many open files"));
		assert_talks(first); /* undisturbed */
	}
	int64_t left = world.acceptor.paused_until - clock_now();
	ck_assert_int_le(left, 2 * CLOCK_SECOND);
	fault.accept = 0;
	acceptor_run(&world.acceptor);
	assert_paused(false);
	ck_assert_uint_eq(world.table->count, 2);
	assert_talks(second);
	fault.accept = ENFILE; /* another time is another warning */
	acceptor_run(&world.acceptor);
	ck_assert_str_eq(world.warnings,
			 PAUSES("Too many open files") PAUSES("Too many open files in system"));
	fault.accept = 0;
	assert_logged("WARNING\t| ", 2);
	assert_logged("--server cannot accept more connections for now: ", 2);
	(void)close(first);
	(void)close(second);
	world_close();
}
END_TEST

START_TEST(an_error_of_one_connection_is_no_matter)
{
	int peer = connect_waiting();
	fault.accept = ECONNABORTED;
	fault.accepts = 5;
	acceptor_run(&world.acceptor);
	ck_assert_int_eq(fault.accepts, 0);
	assert_only_served(peer);
}
END_TEST

START_TEST(without_threads_a_connection_waits)
{
	int peer = connect_waiting();
	fault.thread = true;
	for (int i = 0; i < 3; i++) {
		acceptor_run(&world.acceptor);
		assert_paused(true);
		ck_assert_uint_eq(world.table->count, 0);
	}
	ck_assert_str_eq(world.warnings, PAUSES("Resource temporarily unavailable"));
	fault.thread = false;
	acceptor_run(&world.acceptor);
	assert_only_served(peer);
}
END_TEST

START_TEST(one_that_still_waits_is_closed_in_the_end)
{
	int peer = connect_waiting();
	fault.thread = true;
	acceptor_run(&world.acceptor);
	fault.thread = false;
	acceptor_close(&world.acceptor);
	ck_assert_int_eq(world.acceptor.listener, -1);
	assert_last(peer, "");
	world_close();
}
END_TEST

START_TEST(without_memory_a_connection_is_let_go)
{
	int peer = connect_waiting();
	fault.memory = true;
	acceptor_run(&world.acceptor);
	fault.memory = false;
	assert_paused(true);
	ck_assert_str_eq(world.warnings, PAUSES("Cannot allocate memory"));
	assert_last(peer, "");
	acceptor_run(&world.acceptor);
	int again = world_connect();
	assert_talks(again);
	(void)close(again);
	world_close();
	fault.memory = true;
	struct error error;
	struct session_table *none = session_table_new(&error);
	fault.memory = false;
	ck_assert_ptr_null(none);
}
END_TEST

/* Many wait: the rest comes in another turn, behind signals and finished connections. */
START_TEST(not_all_are_accepted_at_once)
{
	enum { PEERS = 100 };
	int addresses_seen[PEERS];
	world.acceptor.max = PEERS;
	for (int i = 0; i < PEERS; i++)
		addresses_seen[i] = connect_waiting();
	acceptor_run(&world.acceptor);
	size_t first = world.table->count;
	ck_assert_uint_gt(first, 0);
	ck_assert_uint_lt(first, PEERS);
	world_await(PEERS);
	for (int i = 0; i < PEERS; i++) {
		assert_talks(addresses_seen[i]);
		(void)close(addresses_seen[i]);
	}
	world_await(0);
	assert_logged(" received: one\n", PEERS);
	world_close();
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	thread_create = faulty_pthread_create;
	acceptor_accept4 = faulty_accept4;
	scratch_make();
	TCase *cases = tcase_create("acceptor");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, one_too_many_is_told_so);
	tcase_add_test(cases, one_too_many_of_an_address_is_told_so);
	tcase_add_test(cases, without_memory_an_address_is_not_counted);
	tcase_add_test(cases, without_descriptors_it_pauses);
	tcase_add_test(cases, an_error_of_one_connection_is_no_matter);
	tcase_add_test(cases, without_threads_a_connection_waits);
	tcase_add_test(cases, one_that_still_waits_is_closed_in_the_end);
	tcase_add_test(cases, without_memory_a_connection_is_let_go);
	tcase_add_test(cases, not_all_are_accepted_at_once);
	int status = unit_main("acceptor", cases, NULL);
	scratch_remove();
	return status;
}
