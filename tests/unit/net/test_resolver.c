/* SPDX-License-Identifier: MIT */
#include "net/resolver.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "support.h"
#include "unit.h"

static struct error error;

static struct addrinfo *resolve(const char *host)
{
	return resolver_resolve(host, 7, false, CLOCK_NEVER, -1, &error);
}

START_TEST(an_address_needs_no_resolver)
{
	static const char *const hosts[] = {"127.0.0.1", "::1", "0.0.0.0"};
	resolver_getaddrinfo = NULL; /* nobody calls it */
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct addrinfo *found = resolve(hosts[i]);
		ck_assert_msg(found != NULL, "%s", error.message);
		ck_assert_int_eq(found->ai_socktype, SOCK_STREAM);
		const struct sockaddr_in *address = (const void *)found->ai_addr;
		ck_assert_int_eq(ntohs(address->sin_port), 7); /* in the same place in both */
		ck_assert_ptr_null(found->ai_next);
		freeaddrinfo(found);
	}
}
END_TEST

START_TEST(a_name_is_resolved)
{
	if (!has_name("localhost"))
		return;
	size_t before = descriptors();
	struct addrinfo *found = resolve("localhost");
	ck_assert_msg(found != NULL, "%s", error.message);
	freeaddrinfo(found);
	ck_assert_uint_le(descriptors(), before + 1); /* its thread may not be over yet */
}
END_TEST

START_TEST(garbage_is_no_host)
{
	static const char *const hosts[] = {"a b", "..", "[::1]", "1:2:3", "\x1b[31m", "::1::"};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		char expected[64];
		(void)snprintf(expected, sizeof expected, "cannot resolve '%s': ", hosts[i]);
		ck_assert_ptr_null(resolve(hosts[i]));
		ck_assert_msg(!strncmp(error.message, expected, strlen(expected)), "%s",
			      error.message);
		ck_assert_uint_gt(strlen(error.message), strlen(expected));
	}
	char longest[3000];
	memset(longest, 'h', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_ptr_null(resolve(longest));
	ck_assert_uint_lt(strlen(error.message), 300);
}
END_TEST

/* --- a resolver that does not answer before it is told to --- */

static sem_t asked, answer, answered;

static int wait_to_answer(const char *host, const char *service, const struct addrinfo *hints,
			  struct addrinfo **found)
{
	(void)host;
	sem_post(&asked);
	sem_wait(&answer);
	int result = getaddrinfo("127.0.0.1", service, hints, found);
	sem_post(&answered);
	return result;
}

static void silence(void)
{
	sem_init(&asked, 0, 0);
	sem_init(&answer, 0, 0);
	sem_init(&answered, 0, 0);
	resolver_getaddrinfo = wait_to_answer;
}

static bool has_descriptors(void *count)
{
	return descriptors() == *(size_t *)count;
}

/* What was left behind frees itself, when the answer has come at last. */
static void assert_left_behind(size_t before)
{
	ck_assert_uint_eq(descriptors(), before + 1);
	sem_post(&answer);
	sem_wait(&answered);
	ck_assert(eventually(has_descriptors, &before));
}

START_TEST(a_deadline_ends_the_wait)
{
	size_t before = descriptors();
	silence();
	int64_t deadline = clock_after(20 * CLOCK_MILLISECOND);
	ck_assert_ptr_null(resolver_resolve("slow", 7, false, deadline, -1, &error));
	ck_assert(clock_now() >= deadline);
	ck_assert_str_eq(error.message, "cannot resolve 'slow': no answer in time");
	sem_wait(&asked);
	assert_left_behind(before);
}
END_TEST

static void *wake(void *descriptor)
{
	sem_wait(&asked);
	ck_assert_int_eq(eventfd_write(*(int *)descriptor, 1), 0);
	return NULL;
}

START_TEST(a_descriptor_ends_the_wait)
{
	pthread_t waker;
	int descriptor = eventfd(0, EFD_CLOEXEC);
	size_t before = descriptors();
	silence();
	ck_assert_int_eq(pthread_create(&waker, NULL, wake, &descriptor), 0);
	ck_assert_ptr_null(resolver_resolve("slow", 7, false, CLOCK_NEVER, descriptor, &error));
	ck_assert_str_eq(error.message, "cannot resolve 'slow': interrupted");
	ck_assert_int_eq(pthread_join(waker, NULL), 0);
	assert_left_behind(before);
	(void)close(descriptor);
}
END_TEST

static int no_thread(pthread_t *thread, const pthread_attr_t *attributes,
		     void *(*run)(void *argument), void *argument)
{
	(void)thread;
	(void)attributes;
	(void)run;
	(void)argument;
	return EAGAIN;
}

START_TEST(without_a_thread_or_memory_it_fails)
{
	size_t before = descriptors();
	thread_create = no_thread;
	ck_assert_ptr_null(resolve("localhost"));
	ck_assert_str_eq(error.message,
			 "cannot resolve 'localhost': Resource temporarily unavailable");
	descriptor_limit(1);
	ck_assert_ptr_null(resolve("127.0.0.1"));
	descriptor_unlimit();
	ck_assert_str_eq(error.message, "cannot resolve '127.0.0.1': Too many open files");
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

int main(void)
{
	TCase *names = tcase_create("names");
	tcase_add_test(names, an_address_needs_no_resolver);
	tcase_add_test(names, a_name_is_resolved);
	tcase_add_test(names, garbage_is_no_host);
	TCase *waiting = tcase_create("waiting");
	tcase_add_test(waiting, a_deadline_ends_the_wait);
	tcase_add_test(waiting, a_descriptor_ends_the_wait);
	tcase_add_test(waiting, without_a_thread_or_memory_it_fails);
	return unit_main("resolver", names, waiting, NULL);
}
