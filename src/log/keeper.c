/* SPDX-License-Identifier: MIT */
#include "log/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/closed_files.h"
#include "base/thread.h"

enum { KEEPER_STACK = 1 << 18 };

/* Runs the script $2 with the name of a file, $1; stdout may be the records'. The shell lowers its
 * own priority, so that it does not begin with a low one: until it is executed it has the log and
 * the listener open, and for so long a server that was killed cannot be started again. */
#define RUN_SCRIPT "exec nice -n 19 /bin/sh -c \"$2\" /bin/sh \"$1\" >&2"

/* How often it looks whether the command has ended, and at most until it looks at the files. */
#define COMMAND_LOOK (100 * CLOCK_MILLISECOND)
#define FILES_LOOK (3600 * CLOCK_SECOND)

/* Until the thread is left behind. */
#define STOP_MAX (3 * CLOCK_SECOND)

static void warn(struct keeper *keeper, const char *what, const char *name, const char *why)
{
	struct error message;
	error_set(&message, "WARNING: %s %.200s: %.200s", what, name, why);
	keeper->warn(message.message);
}

/* The time, as that of files. */
static int64_t now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_REALTIME, &time); /* cannot fail */
	return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

/* --- deleting; any thread --- */

/* Which closed files there are. */
struct closed_count {
	struct closed_files list;
	size_t first, count; /* of the list: those between may be deleted or compressed */
	uint64_t numbers;    /* different ones, of the list from the first one on */
	int64_t size;	     /* bytes, of the same */
};

/* Leaves out the files from a number on. */
static void leave_out(struct closed_count *closed, uint64_t number)
{
	while (closed->count > closed->first &&
	       closed->list.files[closed->count - 1].number >= number)
		closed->count--;
}

/* Leaves out those from the first needed file on: all, if it is not known which one that is. */
static void leave_out_needed(const struct keeper *keeper, struct closed_count *closed,
			     struct file_id needed)
{
	const struct closed_files *list = &closed->list;
	struct stat status;
	for (size_t i = 0; i < list->count; i++)
		if (file_id_is(list->files[i].id, needed)) {
			leave_out(closed, list->files[i].number);
			return;
		}
	/* none is needed if it is the log's own file, which was closed after these */
	if (stat(keeper->log, &status) < 0 ||
	    !file_id_is((struct file_id){status.st_dev, status.st_ino}, needed))
		closed->count = closed->first;
}

static void count_files(struct closed_count *closed, uint64_t behind)
{
	const struct closed_files *list = &closed->list;
	while (closed->first < list->count && list->files[closed->first].number <= behind)
		closed->first++;
	for (size_t i = closed->first; i < list->count; i++) {
		closed->numbers +=
			i == closed->first || list->files[i].number != list->files[i - 1].number;
		closed->size += list->files[i].size;
	}
	closed->count = list->count;
}

/* `noted`: see struct keeper_guard. */
static int look(struct keeper *keeper, bool noted, struct closed_count *closed)
{
	struct closed_files *list = &closed->list;
	struct keeper_guard *guard = keeper->guard;
	struct file_id needed = {0};
	uint64_t behind = 0;
	*closed = (struct closed_count){0};
	if (guard) /* before the list: a file that is closed later is needed, too */
		guard->needed(guard, noted, &needed, &behind);
	if (closed_files_list(list, keeper->log) < 0)
		return -1;
	/* behind the list: what was closed since then is not in it */
	bool needs_last = keeper->rotation.recovers && atomic_load(&keeper->rotation.needs_last);
	count_files(closed, behind);
	if (keeper->guarded)
		leave_out_needed(keeper, closed, needed);
	if (needs_last && list->count)
		leave_out(closed, list->files[list->count - 1].number);
	return 0;
}

/* Deletes the first files of the list, those of one number. Returns how many, 0 with errno. One
 * that another thread has deleted counts, and one that is in use: that is none of the log's. Sets
 * *deleted if one was. */
static size_t delete_first(struct closed_count *closed, size_t first, bool *deleted)
{
	const struct closed_file *files = closed->list.files;
	size_t i = first;
	for (; i < closed->count && files[i].number == files[first].number; i++) {
		int result = closed_file_delete(files[i].name);
		if (result < 0)
			return 0;
		*deleted |= result == 0;
		closed->size -= files[i].size;
	}
	closed->numbers--;
	return i - first;
}

static bool is_over(const struct keeper *keeper, const struct closed_count *closed,
		    const struct closed_file *oldest)
{
	int64_t max = keeper->keep.value;
	switch (keeper->keep.unit) {
	case LIMIT_COUNT:
		return (int64_t)closed->numbers > max;
	case LIMIT_BYTES:
		return closed->size > max;
	case LIMIT_NANOSECONDS:
		return now() - oldest->closed > max;
	}
	return false;
}

/* Called by the leader of a commit. */
static bool make_room(struct log_rotation *rotation, struct error *message)
{
	struct keeper *keeper = (struct keeper *)rotation;
	struct closed_count closed;
	bool done = false;
	/* on a full disk it cannot be noted which files are needed no longer */
	bool passed = look(keeper, false, &closed) == 0;
	size_t at = closed.first;
	while (passed && !done && at < closed.count &&
	       (keeper->keep.unit != LIMIT_NANOSECONDS ||
		is_over(keeper, &closed, &closed.list.files[at]))) {
		error_set(message, "the disk is full: the oldest closed file, %.300s, is deleted",
			  closed.list.files[at].name);
		size_t files = delete_first(&closed, at, &done);
		passed = files > 0;
		at += files;
	}
	closed_files_free(&closed.list);
	return done;
}

/* --- the thread --- */

/* Deletes what is not to be kept. Returns when the oldest file is to be deleted. */
static int64_t delete_old(struct keeper *keeper, struct closed_count *closed, size_t *at)
{
	bool ignored = false;
	while (*at < closed->count && is_over(keeper, closed, &closed->list.files[*at])) {
		size_t passed = delete_first(closed, *at, &ignored);
		if (!passed && !keeper->warned)
			warn(keeper, "cannot delete", closed->list.files[*at].name,
			     strerror(errno));
		keeper->warned = !passed;
		if (!passed)
			break;
		*at += passed;
	}
	if (keeper->keep.unit != LIMIT_NANOSECONDS || *at == closed->count || keeper->warned)
		return clock_after(FILES_LOOK);
	int64_t left = closed->list.files[*at].closed + keeper->keep.value - now();
	return clock_after(left < 0 ? 0 : left < FILES_LOOK ? left + 1 : FILES_LOOK);
}

/* Starts the command with the oldest file that is not compressed, and was not tried. */
static void start_command(struct keeper *keeper, const struct closed_count *closed, size_t at)
{
	const struct closed_file *files = closed->list.files;
	struct error error;
	char *script;
	while (at < closed->count && (files[at].compressed || files[at].number <= keeper->tried ||
				      closed_file_is_in_use(files[at].name)))
		at++;
	if (at == closed->count)
		return;
	keeper->tried = files[at].number;
	/* the name must not be taken for an option */
	if (asprintf(&keeper->file, "%s%s", *files[at].name == '-' ? "./" : "", files[at].name) < 0)
		keeper->file = NULL;
	if (!keeper->file || asprintf(&script, "%s \"$1\"", keeper->compress) < 0) {
		warn(keeper, "cannot compress", files[at].name, "out of memory");
		return;
	}
	char shell[] = "/bin/sh", option[] = "-c", run_script[] = RUN_SCRIPT;
	char *const argv[] = {shell, option, run_script, shell, keeper->file, script, NULL};
	const struct process_setup setup = {.path = shell,
					    .argv = argv,
					    .input = -1,
					    .keep = -1,
					    .close_others = true,
					    .death_signal = SIGTERM};
	if (process_start(&keeper->command, &setup, &error) < 0)
		warn(keeper, "cannot compress", keeper->file, error.message);
	free(script);
}

/* Whether the command has ended, if it was running. Warns if it has failed, unless its file was
 * deleted under it. */
static bool command_has_ended(struct keeper *keeper)
{
	char ending[100];
	struct process *command = &keeper->command;
	if (!command->running)
		return true;
	if (waitpid(command->pid, &command->status, WNOHANG) == 0)
		return false;
	command->running = false;
	if (!process_succeeded(command) && access(keeper->file, F_OK) == 0) {
		process_describe(command, ending, sizeof ending);
		struct error what;
		error_set(&what, "'%.100s' %s", keeper->compress, ending);
		warn(keeper, "cannot compress", keeper->file, what.message);
	}
	return true;
}

/* Does what there is to do. Returns when to do it again. */
static int64_t do_all(struct keeper *keeper)
{
	struct closed_count closed;
	if (look(keeper, true, &closed) < 0) {
		if (!keeper->unlisted)
			warn(keeper, "cannot list the closed files of", keeper->log,
			     strerror(errno));
		keeper->unlisted = true;
		return clock_after(keeper->command.running ? COMMAND_LOOK : FILES_LOOK);
	}
	keeper->unlisted = false;
	size_t first = closed.first;
	int64_t next =
		keeper->keep.value ? delete_old(keeper, &closed, &first) : clock_after(FILES_LOOK);
	if (keeper->compress && command_has_ended(keeper)) {
		free(keeper->file);
		keeper->file = NULL;
		start_command(keeper, &closed, first);
	}
	closed_files_free(&closed.list);
	return keeper->command.running ? clock_earlier(next, clock_after(COMMAND_LOOK)) : next;
}

/* Ends the command and all that it has started. */
static void end_command(struct keeper *keeper)
{
	int64_t deadline = clock_after(CLOCK_SECOND);
	pid_t pid = keeper->command.pid;
	if (!keeper->command.running)
		return;
	(void)kill(-pid, SIGTERM); /* it has a process group of its own */
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_now() >= deadline)
			(void)kill(-pid, SIGKILL);
		(void)clock_poll(NULL, 0, clock_after(10 * CLOCK_MILLISECOND));
	}
	(void)kill(-pid, SIGKILL); /* what it has left behind */
	keeper->command.running = false;
}

static void *run(void *argument)
{
	struct keeper *keeper = argument;
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		keeper->woken = false;
		pthread_mutex_unlock(&keeper->lock);
		int64_t next = do_all(keeper);
		pthread_mutex_lock(&keeper->lock);
		while (!keeper->woken && !keeper->stopping && clock_now() < next)
			(void)clock_condition_wait(&keeper->wake, &keeper->lock, next);
	}
	pthread_mutex_unlock(&keeper->lock);
	end_command(keeper);
	free(keeper->file);
	pthread_mutex_lock(&keeper->lock);
	keeper->ended = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

/* --- for the server --- */

void keeper_wake(struct keeper *keeper)
{
	if (!keeper->rotation.closed)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->woken = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

/* Called by the leader of a commit: a file was closed. */
static void wake(struct log_rotation *rotation)
{
	keeper_wake((struct keeper *)rotation);
}

void keeper_protect(struct keeper *keeper, struct keeper_guard *guard)
{
	keeper->guard = guard;
}

void keeper_init(struct keeper *keeper, const char *log, struct limit keep, const char *compress,
		 bool guarded, void (*warn_of)(const char *message))
{
	keeper->log = log;
	keeper->keep = keep;
	keeper->compress = compress;
	keeper->guarded = guarded;
	keeper->warn = warn_of;
	keeper->rotation.closed = NULL;
	keeper->rotation.make_room = keep.value ? make_room : NULL;
	if (!keep.value && !compress)
		return;
	keeper->rotation.closed = wake;
	pthread_mutex_init(&keeper->lock, NULL); /* without attributes neither fails on Linux */
	clock_condition_init(&keeper->wake);
}

int keeper_start(struct keeper *keeper, struct error *error)
{
	atomic_store(&keeper->rotation.started, true);
	if (!keeper->rotation.closed)
		return 0;
	int errnum = thread_start(&keeper->thread, KEEPER_STACK, run, keeper);
	if (errnum)
		return error_set(error, "cannot start the thread for closed files: %s",
				 strerror(errnum));
	keeper->running = true;
	return 0;
}

void keeper_stop(struct keeper *keeper)
{
	int64_t deadline = clock_after(STOP_MAX);
	int late = 0;
	if (!keeper->running)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	pthread_cond_broadcast(&keeper->wake);
	while (!keeper->ended && !late)
		late = clock_condition_wait(&keeper->wake, &keeper->lock, deadline);
	bool ended = keeper->ended;
	pthread_mutex_unlock(&keeper->lock);
	if (ended)
		pthread_join(keeper->thread, NULL);
	else
		warn(keeper, "left behind what deletes and compresses the closed files of",
		     keeper->log, "it does not end");
	keeper->running = false;
}
