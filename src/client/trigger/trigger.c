/* SPDX-License-Identifier: MIT */
#include "client/trigger/trigger.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/thread.h"
#include "client/trigger/progress.h"
#include "net/http.h"
#include "net/http_access.h"

enum {
	TRIGGER_STACK = 262144, /* bytes of the thread's */
	OTHER_DESCRIPTORS = 64, /* besides those of HTTP and of a run's connections */
};

#define FLUSH_TIME CLOCK_SECOND /* for answers to leave at the end */

/* IDLE, by a request: ASKED; by main: RUNNING, then DONE; by the thread, when it has answered:
 * IDLE. What belongs to a state is written before it is set. */
enum state { STATE_IDLE, STATE_ASKED, STATE_RUNNING, STATE_DONE };

struct trigger {
	const struct client_options *options;
	struct access access;
	int wake;  /* eventfd for the thread: DONE, or the end */
	int asked; /* eventfd for main: ASKED */
	pthread_t thread;
	bool is_running;
	atomic_bool ending;
	atomic_int state;	    /* enum state */
	struct trigger_query query; /* of ASKED */
	struct buffer report;	    /* of DONE; owned */
	atomic_ullong acknowledged;

	/* of the thread alone */
	struct http *http;
	int64_t connections_max;
	struct http_request *waiting; /* gets the report; NULL: a stream does */
	struct progress *progress;    /* NULL: there is none, or its client is gone */
	int64_t started, next;	      /* ns: of the run; of the next progress event */
};

/* --- requests --- */

struct query_reader {
	struct trigger_query *query;
	struct error *error;
	bool failed;
};

static bool read_argument(void *context, const char *name, struct slice value)
{
	struct query_reader *reader = context;
	reader->failed = trigger_query_take(reader->query, name, value, reader->error) < 0;
	return !reader->failed;
}

static bool wants_events(const struct http_request *request)
{
	const char *accept = http_header(request, "Accept");
	return accept && strstr(accept, "text/event-stream");
}

/* False: the stream could not be opened, and the request is answered. */
static bool watch(struct trigger *trigger, struct http_request *request)
{
	trigger->waiting = NULL;
	if (!progress_open(&trigger->progress, request))
		return false;
	trigger->next = 0;
	return true;
}

static void start(struct trigger *trigger, struct http_request *request)
{
	struct error error;
	struct trigger_query query;
	struct query_reader reader = {&query, &error, false};
	trigger_query_init(&query, trigger->connections_max);
	http_each_argument(request, read_argument, &reader);
	if (reader.failed) {
		http_answer_text(request, 400, error.message);
		return;
	}
	if (atomic_load(&trigger->state) != STATE_IDLE) {
		http_answer_text(request, 409, "a run is under way, and there is one at a time");
		return;
	}
	trigger->waiting = request;
	if (wants_events(request) && !watch(trigger, request))
		return;
	trigger->query = query;
	trigger->started = clock_now();
	atomic_store(&trigger->acknowledged, 0);
	atomic_store(&trigger->state, STATE_ASKED);
	/* a counter this low takes each at once; the thread has a deadline from now on */
	(void)eventfd_write(trigger->asked, 1);
	(void)eventfd_write(trigger->wake, 1);
}

/* A GET that does something: a page of another site could have a browser send it, and browsers send
 * some ahead or again. */
static void handle(void *context, struct http_request *request)
{
	struct trigger *trigger = context;
	const char *host = http_header(request, "Host");
	if (!access_host(&trigger->access, host))
		http_answer_text(request, 403, "the Host is not one of this client's");
	else if (access_is_foreign(http_header(request, "Origin"),
				   http_header(request, "Sec-Fetch-Site"),
				   http_header(request, "Referer"), host))
		http_answer_text(request, 403, "the request is one of another site, its Origin");
	else if (strcmp(http_path(request), "/") != 0)
		http_answer_text(request, 404, "there is no such page");
	else if (strcmp(http_method(request), "GET") != 0)
		http_answer_text(request, 405, "this method is not for this address");
	else if (!access_token(&trigger->access, http_header(request, "Authorization")))
		access_ask_for_token(request);
	else if (http_header(request, "Sec-Purpose"))
		http_answer_text(request, 503, "a run is not to be fetched ahead");
	else if (http_header(request, "Last-Event-ID")) /* of an EventSource: it gives up */
		http_answer(request, &(struct http_answer){.status = 204});
	else
		start(trigger, request);
}

/* --- the thread --- */

static void tell_progress(struct trigger *trigger, int64_t now)
{
	const struct trigger_query *query = &trigger->query;
	const struct progress_state state = {.acknowledged = atomic_load(&trigger->acknowledged),
					     .planned = (uint64_t)query->connections *
							(uint64_t)query->values,
					     .elapsed = now - trigger->started};
	trigger->next = now + CLOCK_SECOND;
	progress_tell(trigger->progress, &state);
	http_wake(trigger->http);
}

static void answer(struct trigger *trigger)
{
	struct buffer *report = &trigger->report;
	const struct http_answer json = {.status = 200,
					 .type = "application/json",
					 .bytes = report->bytes,
					 .length = report->length};
	if (trigger->waiting && report->length)
		http_answer(trigger->waiting, &json);
	else if (trigger->waiting)
		http_answer_text(trigger->waiting, 500, "out of memory for the report");
	else if (trigger->progress)
		progress_end(trigger->progress, (struct slice){report->bytes, report->length});
	http_wake(trigger->http);
	buffer_free(report);
	trigger->waiting = NULL;
	trigger->progress = NULL;
	atomic_store(&trigger->state, STATE_IDLE);
}

static void *serve(void *argument)
{
	struct trigger *trigger = argument;
	eventfd_t ignored;
	while (!atomic_load(&trigger->ending)) {
		http_run(trigger->http, trigger->wake,
			 trigger->progress ? trigger->next : CLOCK_NEVER);
		(void)eventfd_read(trigger->wake, &ignored); /* EAGAIN: it was the time */
		int64_t now = clock_now();
		if (atomic_load(&trigger->state) == STATE_DONE)
			answer(trigger);
		else if (trigger->progress && now >= trigger->next)
			tell_progress(trigger, now);
	}
	if (atomic_load(&trigger->state) == STATE_DONE)
		answer(trigger);
	else if (trigger->waiting)
		http_answer_text(trigger->waiting, 503, "this client ends");
	http_flush(trigger->http, clock_after(FLUSH_TIME));
	return NULL;
}

/* --- for main --- */

/* What the limit of descriptors leaves for a run. */
static int64_t connections_max(void)
{
	uint64_t limit = program_raise_descriptors(),
		 other = HTTP_CONNECTIONS_MAX + OTHER_DESCRIPTORS;
	if (limit <= other)
		return 0;
	return limit - other < THREADS_MAX ? (int64_t)(limit - other) : THREADS_MAX;
}

static int open_http(struct trigger *trigger, int wake, char name[SOCKET_NAME_SIZE],
		     struct error *error)
{
	const struct client_options *options = trigger->options;
	const struct http_settings settings = {.handle = handle, .context = trigger};
	trigger->connections_max = connections_max();
	if (!trigger->connections_max)
		return error_set(error, "-http: the limit of descriptors is too low");
	int listener =
		access_open(&trigger->access, options->http, options->http_token, wake, error);
	if (listener < 0)
		return -1;
	socket_local_name(listener, name);
	trigger->http = http_open(&settings, listener, error);
	if (!trigger->http)
		descriptor_close(&listener);
	return trigger->http ? 0 : -1;
}

static int open_all(struct trigger *trigger, int wake, char name[SOCKET_NAME_SIZE],
		    struct error *error)
{
	trigger->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	trigger->asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (trigger->wake < 0 || trigger->asked < 0)
		return error_set(error, "cannot create an event descriptor: %s", strerror(errno));
	if (open_http(trigger, wake, name, error) < 0)
		return -1;
	int errnum = thread_start(&trigger->thread, TRIGGER_STACK, serve, trigger);
	trigger->is_running = !errnum;
	return errnum ? error_set(error, "cannot serve HTTP: %s", strerror(errnum)) : 0;
}

struct trigger *trigger_open(const struct client_options *options, int wake,
			     char name[SOCKET_NAME_SIZE], struct error *error)
{
	struct trigger *trigger = memory_calloc(1, sizeof *trigger);
	if (!trigger)
		return error_null(error, "cannot serve HTTP: %s", strerror(errno));
	trigger->options = options;
	trigger->wake = trigger->asked = -1;
	if (open_all(trigger, wake, name, error) == 0)
		return trigger;
	trigger_close(trigger);
	return NULL;
}

int trigger_asked(const struct trigger *trigger)
{
	return trigger->asked;
}

bool trigger_take(struct trigger *trigger, struct trigger_query *query)
{
	eventfd_t ignored;
	(void)eventfd_read(trigger->asked, &ignored); /* EAGAIN: there is none */
	if (atomic_load(&trigger->state) != STATE_ASKED)
		return false;
	*query = trigger->query;
	atomic_store(&trigger->state, STATE_RUNNING);
	return true;
}

void trigger_progress(struct trigger *trigger, uint64_t acknowledged)
{
	atomic_store_explicit(&trigger->acknowledged, acknowledged, memory_order_relaxed);
}

void trigger_answer(struct trigger *trigger, struct buffer *report)
{
	trigger->report = *report;
	*report = (struct buffer){0};
	atomic_store(&trigger->state, STATE_DONE);
	(void)eventfd_write(trigger->wake, 1); /* EAGAIN: it is readable already */
}

void trigger_close(struct trigger *trigger)
{
	if (!trigger)
		return;
	atomic_store(&trigger->ending, true);
	if (trigger->wake >= 0)
		(void)eventfd_write(trigger->wake, 1); /* as above */
	if (trigger->is_running)
		pthread_join(trigger->thread, NULL);
	http_close(trigger->http);
	descriptor_close(&trigger->wake);
	descriptor_close(&trigger->asked);
	buffer_free(&trigger->report);
	free(trigger);
}
