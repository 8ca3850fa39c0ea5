/* SPDX-License-Identifier: MIT */
/* The threads that follow files: started as their paths are found, told to end by a signal. */
#include "client/follow/follow.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/signalfd.h"
#include "base/thread.h"
#include "client/follow/figures.h"
#include "client/follow/metrics_page.h"
#include "client/follow/shipper.h"
#include "client/workload/workload.h"

enum { FOLLOW_STACK = 128 * 1024 };

/* At the end, how often to look whether an answer can still come. */
#define FOLLOW_LOOK (50 * CLOCK_MILLISECOND)

struct follow {
	struct shipping shipping;
	int signals;  /* signalfd */
	int events;   /* epoll set: readable for a signal, and when a thread has ended */
	double start; /* seconds since the epoch */
	struct metrics_page page;
	struct shipper **shippers;
	size_t count, capacity;
	bool started;	   /* the first files were looked for */
	uint64_t finished; /* lines of threads that have ended, and how many of those were open */
	uint64_t finished_open;
	uint64_t files; /* threads so far */
	bool failed;
	struct error error;
};

/* --- which files --- */

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

static bool is_file(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether a path is a link to a file that fits the pattern by itself. */
static bool is_alias(char *const *paths, size_t count, const char *path)
{
	struct stat own, other;
	if (lstat(path, &own) < 0 || !S_ISLNK(own.st_mode) || stat(path, &own) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (lstat(paths[i], &other) == 0 &&
		    file_id_is(file_id_of(&other), file_id_of(&own)))
			return true;
	return false;
}

static bool is_followed(const struct follow *follow, const char *path)
{
	for (size_t i = 0; i < follow->count; i++)
		if (!strcmp(follow->shippers[i]->path, path))
			return true;
	return false;
}

/* Starts a thread for a path. Where that fails it is tried again with the next look. */
static void add(struct follow *follow, const char *path, bool fixed)
{
	struct shipper **shippers = memory_grow(follow->shippers, follow->count, &follow->capacity,
						sizeof(struct shipper *));
	char *copy = shippers ? strdup(path) : NULL;
	follow->shippers = shippers ? shippers : follow->shippers;
	struct shipper *shipper =
		copy ? shipper_make(&follow->shipping, copy, &follow->error) : NULL;
	if (!shipper) {
		shipping_complain(&follow->shipping,
				  copy ? follow->error.message : "out of memory");
		return;
	}
	shipper->fixed = fixed;
	shipper->many = follow->count > 0 || !fixed;
	shipper->from_end =
		!follow->started && !workloads[follow->shipping.options->service].numbers;
	int errnum = thread_start(&shipper->thread, FOLLOW_STACK, shipper_run, shipper);
	if (errnum) {
		error_set(&follow->error, "cannot follow %.200s: %s", path, strerror(errnum));
		shipping_complain(&follow->shipping, follow->error.message);
		shipper_free(shipper);
		return;
	}
	shippers[follow->count++] = shipper;
	follow->files++;
}

/* Whether a path that fits a pattern is a file that another one was rotated to. */
static bool is_rotated(char *const *paths, size_t count, const char *path)
{
	if (sibling_is_compressed(path))
		return true;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(paths[i]);
		if (!strncmp(paths[i], path, length) && sibling_has_suffix(path + length))
			return true;
	}
	return false;
}

static void look_for(struct follow *follow, const char *name)
{
	glob_t found;
	if (!is_pattern(name)) {
		if (!is_followed(follow, name))
			add(follow, name, true);
		return;
	}
	if (glob(name, 0, NULL, &found) != 0) { /* nothing was allocated */
		if (!follow->started) {
			error_set(&follow->error, "%.400s: no such file; waiting for it", name);
			shipping_complain(&follow->shipping, follow->error.message);
		}
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		if (!is_rotated(found.gl_pathv, found.gl_pathc, path) &&
		    !is_followed(follow, path) && is_file(path) &&
		    !is_alias(found.gl_pathv, found.gl_pathc, path))
			add(follow, path, false);
	}
	globfree(&found);
}

static bool look_for_all(struct follow *follow)
{
	const struct client_options *options = follow->shipping.options;
	bool any = is_pattern(options->follow);
	look_for(follow, options->follow);
	for (int64_t i = 0; i < options->file_count; i++) {
		any |= is_pattern(options->files[i]);
		look_for(follow, options->files[i]);
	}
	follow->started = true;
	return any;
}

/* --- how they are --- */

static uint64_t acknowledged(const struct follow *follow)
{
	uint64_t sum = follow->finished;
	for (size_t i = 0; i < follow->count; i++)
		sum += atomic_load(&follow->shippers[i]->acknowledged);
	return sum;
}

/* SIGUSR1. */
static void tell(const struct follow *follow)
{
	for (size_t i = 0; i < follow->count; i++) {
		struct ship_figures figures;
		struct buffer words = {0};
		ship_figures_read(&figures, follow->shippers[i]);
		if (buffer_printf(&words, "%" PRIu64 " line%s acknowledged, %" PRIu64 " open, ",
				  figures.acknowledged, PLURAL(figures.acknowledged),
				  figures.open) &&
		    ship_figures_words(&words, &figures) && buffer_append(&words, "", 1))
			ship_complain(follow->shippers[i], words.bytes);
		buffer_free(&words);
	}
}

/* On a terminal. A thread that prints a message has it for itself. */
static void show_progress(struct follow *follow)
{
	struct shipping *shipping = &follow->shipping;
	struct buffer words = {0};
	if (!progress_bar_is_due(&shipping->progress) ||
	    pthread_mutex_trylock(&shipping->output) != 0)
		return;
	if (buffer_append_string(&words, ", ") &&
	    ship_figures_words_of_all(&words, follow->shippers, follow->count) &&
	    buffer_append(&words, "", 1))
		progress_bar_update(&shipping->progress, acknowledged(follow), words.bytes);
	pthread_mutex_unlock(&shipping->output);
	buffer_free(&words);
}

/* --- for the page --- */

static bool append_metrics(void *context, struct buffer *text)
{
	const struct follow *follow = context;
	return ship_figures_metrics(text, follow->shippers, follow->count, follow->start);
}

static bool is_well(void *context, struct error *reason)
{
	const struct follow *follow = context;
	size_t down = ship_figures_down(follow->shippers, follow->count);
	if (down)
		error_set(reason, "%zu of %zu files not connected", down, follow->count);
	return !down;
}

/* Where it is asked for. */
static int open_page(struct follow *follow)
{
	char name[SOCKET_NAME_SIZE];
	const struct client_options *options = follow->shipping.options;
	if (!options->http)
		return 0;
	follow->page.source = (struct metrics_source){append_metrics, is_well, follow};
	if (metrics_page_open(&follow->page, options, follow->signals, name, &follow->error) < 0)
		return -1;
	error_set(&follow->error, "metrics at http://%s/metrics", name);
	shipping_complain(&follow->shipping, follow->error.message);
	return 0;
}

/* Joins threads that have ended: their file is gone, or cannot be sent. */
static void join_ended(struct follow *follow)
{
	eventfd_t ended;
	(void)eventfd_read(follow->shipping.over, &ended); /* only empties it */
	for (size_t i = 0; i < follow->count;) {
		struct shipper *shipper = follow->shippers[i];
		if (!atomic_load(&shipper->has_ended)) {
			i++;
			continue;
		}
		(void)pthread_join(shipper->thread, NULL); /* made, and not yet joined */
		uint64_t open = atomic_load(&shipper->open);
		if (open) {
			error_set(&follow->error, "%" PRIu64 " line%s without an answer", open,
				  PLURAL(open));
			ship_complain(shipper, follow->error.message);
		}
		follow->failed |= atomic_load(&shipper->has_failed);
		follow->finished += atomic_load(&shipper->acknowledged);
		follow->finished_open += open;
		follow->shippers[i] = follow->shippers[--follow->count];
		shipper_free(shipper);
	}
}

/* --- the end --- */

static void end(struct follow *follow)
{
	if (atomic_exchange(&follow->shipping.is_ending, true))
		return;
	(void)eventfd_write(follow->shipping.ending, 1); /* a counter this low takes it at once */
}

static void stop(struct follow *follow)
{
	atomic_store(&follow->shipping.is_stopped, true);
	(void)eventfd_write(follow->shipping.stop, 1); /* as above */
	for (size_t i = 0; i < follow->count; i++)
		shipper_stop(follow->shippers[i]);
}

/* Waits for a signal, the end of a thread or the deadline; all is looked at in any case. */
static void await(struct follow *follow, int64_t deadline)
{
	struct pollfd waiting = {.fd = follow->events, .events = POLLIN};
	if (follow->page.http)
		http_run(follow->page.http, follow->events, deadline);
	else
		(void)clock_poll(&waiting, 1, deadline);
}

/* Whether an answer can still come. */
static bool is_any_connected(const struct follow *follow)
{
	bool has_session;
	for (size_t i = 0; i < follow->count; i++)
		if (shipper_is_connected(follow->shippers[i], &has_session))
			return true;
	return false;
}

/* Follows until a signal, or until one file cannot be sent; then for the answers, no longer than a
 * line may wait for one, or until another signal. */
static void follow_all(struct follow *follow)
{
	int64_t next = CLOCK_NEVER, limit = CLOCK_NEVER;
	bool patterns = look_for_all(follow);
	while (follow->count || !atomic_load(&follow->shipping.is_ending)) {
		bool ending = atomic_load(&follow->shipping.is_ending);
		if (!ending && patterns && next == CLOCK_NEVER)
			next = clock_after(WAKE_INTERVAL);
		int64_t until = ending ? clock_earlier(limit, clock_after(FOLLOW_LOOK)) : next;
		await(follow, clock_earlier(until, follow->shipping.progress.next));
		int signal = signalfd_take(follow->signals);
		if (signal == SIGUSR1)
			tell(follow);
		join_ended(follow);
		show_progress(follow);
		if (ending && (clock_now() >= limit || (signal && signal != SIGUSR1) ||
			       !is_any_connected(follow))) {
			stop(follow);
			limit = CLOCK_NEVER;
		} else if (!ending && ((signal && signal != SIGUSR1) || follow->failed)) {
			end(follow);
			limit = clock_after(follow->shipping.options->timeout);
		} else if (!ending && clock_now() >= next) {
			next = CLOCK_NEVER;
			(void)look_for_all(follow);
		}
	}
}

static void report(struct follow *follow)
{
	struct error text;
	struct buffer served = {0};
	const struct shipping *shipping = &follow->shipping;
	bool numbers = workloads[follow->shipping.options->service].numbers;
	error_set(&text, "%" PRIu64 " line%s of %" PRIu64 " file%s acknowledged%s",
		  follow->finished, PLURAL(follow->finished), follow->files, PLURAL(follow->files),
		  numbers ? "" : ", each at least once");
	shipping_complain(&follow->shipping, text.message);
	bool complete = served_append(&served, shipping->program, &shipping->options->hosts,
				      &shipping->served);
	if (program_print(STDERR_FILENO, "the report", &served, complete, &text) < 0)
		shipping_complain(&follow->shipping, text.message);
}

static int open_descriptors(struct follow *follow)
{
	static const int handled[] = {SIGINT, SIGTERM, SIGUSR1, 0};
	struct shipping *shipping = &follow->shipping;
	if ((follow->signals = signalfd_open(handled, &follow->error)) < 0)
		return -1;
	(void)program_raise_descriptors(); /* where they are too few a file is tried again */
	shipping->ending = eventfd(0, EFD_CLOEXEC);
	shipping->stop = eventfd(0, EFD_CLOEXEC);
	shipping->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	follow->events = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};
	if (shipping->ending >= 0 && shipping->stop >= 0 && shipping->over >= 0 &&
	    follow->events >= 0 &&
	    epoll_ctl(follow->events, EPOLL_CTL_ADD, follow->signals, &event) == 0 &&
	    epoll_ctl(follow->events, EPOLL_CTL_ADD, shipping->over, &event) == 0)
		return 0;
	return error_set(&follow->error, "cannot create an event descriptor: %s", strerror(errno));
}

enum exit_status follow_client_run(const struct client_options *options, const char *program)
{
	struct follow follow = {
		.shipping = {.options = options,
			     .program = program,
			     .ending = -1,
			     .stop = -1,
			     .over = -1},
		.signals = -1,
		.events = -1,
		.start = (double)time(NULL),
	};
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&follow.shipping.output, NULL);
	progress_bar_open(&follow.shipping.progress, options->quiet ? -1 : STDERR_FILENO, 0, 0);
	if (open_descriptors(&follow) < 0 || open_page(&follow) < 0) {
		shipping_complain(&follow.shipping, follow.error.message);
		follow.failed = true;
	} else {
		follow_all(&follow);
		progress_bar_close(&follow.shipping.progress);
		report(&follow);
	}
	metrics_page_close(&follow.page);
	pthread_mutex_destroy(&follow.shipping.output);
	free(follow.shippers);
	descriptor_close(&follow.events);
	descriptor_close(&follow.signals);
	descriptor_close(&follow.shipping.ending);
	descriptor_close(&follow.shipping.stop);
	descriptor_close(&follow.shipping.over);
	return follow.failed || follow.finished_open ? EXIT_FAILED : EXIT_DONE;
}
