/* SPDX-License-Identifier: MIT */
#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/thread.h"

int (*resolver_getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints,
			    struct addrinfo **found) = getaddrinfo;

/* One question. The caller and the thread hold a reference each; the last one frees it. */
struct query {
	atomic_int references;
	atomic_bool answered; /* what the thread has set is valid */
	int over;	      /* eventfd, readable once it is answered */
	char service[16];
	struct addrinfo hints, *found;
	int result, errnum; /* of getaddrinfo(), and errno behind it */
	char host[];
};

static void query_release(struct query *query)
{
	if (atomic_fetch_sub(&query->references, 1) > 1)
		return;
	if (query->found)
		freeaddrinfo(query->found);
	descriptor_close(&query->over);
	free(query);
}

static struct query *query_make(const char *host, int port, bool passive)
{
	struct query *query = memory_calloc(1, sizeof *query + strlen(host) + 1);
	if (!query)
		return NULL;
	strcpy(query->host, host);
	(void)snprintf(query->service, sizeof query->service, "%d", port);
	query->hints = (struct addrinfo){.ai_family = AF_UNSPEC,
					 .ai_socktype = SOCK_STREAM,
					 .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)};
	atomic_init(&query->references, 1);
	query->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (query->over >= 0)
		return query;
	query_release(query);
	return NULL;
}

static void ask(struct query *query)
{
	query->result =
		resolver_getaddrinfo(query->host, query->service, &query->hints, &query->found);
	query->errnum = errno;
	if (query->result)
		query->found = NULL;
}

static void *run(void *argument)
{
	struct query *query = argument;
	ask(query);
	atomic_store(&query->answered, true);
	(void)eventfd_write(query->over, 1); /* such a small count never blocks */
	query_release(query);
	return NULL;
}

/* Asks in a thread, which takes no signals. Returns 0 or an errno value. */
static int start(struct query *query)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* cannot fail for a valid set */
	atomic_fetch_add(&query->references, 1);
	int errnum = thread_create(&thread, NULL, run, query);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errnum)
		atomic_fetch_sub(&query->references, 1);
	else
		(void)pthread_detach(thread); /* joinable until here */
	return errnum;
}

/* Waits for the answer. Returns NULL, or why there is none. */
static const char *wait_for(struct query *query, int64_t deadline, int wake)
{
	struct pollfd waiting[] = {{.fd = query->over, .events = POLLIN},
				   {.fd = wake, .events = POLLIN}};
	int ready = clock_poll(waiting, 2, deadline);
	if (ready < 0)
		return strerror(errno);
	if (waiting[1].revents)
		return "interrupted";
	if (!atomic_load(&query->answered))
		return "no answer in time";
	if (!query->result)
		return NULL;
	return query->result == EAI_SYSTEM ? strerror(query->errnum) : gai_strerror(query->result);
}

/* Whether it is an address, which is then found at once. */
static bool is_address(struct query *query)
{
	query->hints.ai_flags |= AI_NUMERICHOST;
	bool is = getaddrinfo(query->host, query->service, &query->hints, &query->found) == 0;
	query->hints.ai_flags &= ~AI_NUMERICHOST;
	if (!is)
		query->found = NULL;
	return is;
}

struct addrinfo *resolver_resolve(const char *host, int port, bool passive, int64_t deadline,
				  int wake, struct error *error)
{
	struct addrinfo *found = NULL;
	const char *why = NULL;
	struct query *query = query_make(host, port, passive);
	if (!query)
		why = strerror(errno);
	else if (!is_address(query)) {
		int errnum = start(query);
		why = errnum ? strerror(errnum) : wait_for(query, deadline, wake);
	}
	if (why)
		error_set(error, "cannot resolve '%.200s': %s", host, why);
	else {
		found = query->found;
		query->found = NULL;
	}
	if (query)
		query_release(query);
	return found;
}
