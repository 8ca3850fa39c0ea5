/* SPDX-License-Identifier: MIT */
/* Commands that work on lines: each worker is a thread with a process that lives as long as it
 * does: a line in, a line out. The process writes to a pseudo-terminal, as C libraries keep back
 * what goes to a pipe until they have some thousand bytes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/clock.h"
#include "base/thread.h"
#include "relay/queue.h"

#define WORK_ANSWER (30 * CLOCK_SECOND) /* for a line to come out */
#define WORK_PAUSE_FIRST (10 * CLOCK_MILLISECOND)
#define WORK_PAUSE_MOST (10 * CLOCK_SECOND)
#define WORK_END (500 * CLOCK_MILLISECOND) /* for a command to end that gets no more lines */

enum {
	WORK_PIECE = 65536,
	WORK_LINE_MOST = 1 << 26, /* bytes of a line that comes out */
};

struct relay_worker {
	struct relay *relay;
	pthread_t thread;
	struct process child;
	int in, out;	    /* of the process: our ends; -1: there is none */
	struct buffer line; /* what has come out for the line that is in work */
	int64_t pause;	    /* ns, before the next attempt */
};

/* --- the process --- */

/* Opens a pseudo-terminal that passes every byte on as it is; *other is the process's end. -1 with
 * errno. */
static int open_terminal(int *other)
{
	char name[64];
	struct termios modes;
	int own = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	*other = -1;
	if (own < 0)
		return -1;
	if (grantpt(own) < 0 || unlockpt(own) < 0 || ptsname_r(own, name, sizeof name) != 0 ||
	    (*other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    tcgetattr(*other, &modes) < 0)
		goto failed;
	cfmakeraw(&modes);
	if (tcsetattr(*other, TCSANOW, &modes) == 0 && fcntl(own, F_SETFL, O_NONBLOCK) == 0)
		return own;
failed:;
	int saved = errno;
	if (*other >= 0)
		(void)close(*other);
	(void)close(own);
	errno = saved;
	return -1;
}

/* Closes what there is, and waits for the process: a little while for it to end by itself. */
static void end_process(struct relay_worker *worker, int64_t grace)
{
	int64_t deadline = clock_after(grace);
	pid_t ended = 0;
	if (worker->in >= 0)
		(void)close(worker->in); /* the end of its input */
	worker->in = -1;
	while (worker->child.running && clock_now() < deadline &&
	       (ended = waitpid(worker->child.pid, NULL, WNOHANG)) == 0) {
		char rest[512]; /* it may wait until it can write */
		struct pollfd ready = {.fd = worker->out, .events = POLLIN};
		(void)poll(&ready, 1, 10);
		if (read(worker->out, rest, sizeof rest) < 0 && errno != EAGAIN)
			(void)poll(NULL, 0, 1); /* all of it have closed; it ends soon */
	}
	if (worker->child.running && ended == 0) {
		(void)kill(-worker->child.pid, SIGKILL); /* its session: what it has started, too */
		while (waitpid(worker->child.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	worker->child = (struct process){0};
	if (worker->out >= 0)
		(void)close(worker->out);
	worker->out = -1;
}

static int start_process(struct relay_worker *worker, struct error *error)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = {shell, option, (char *)(uintptr_t)worker->relay->command, NULL};
	int in[2], terminal;
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_set(error, "cannot make a pipe: %s", strerror(errno));
	worker->in = in[1];
	worker->out = open_terminal(&terminal);
	int result = -1;
	if (worker->out < 0 || fcntl(in[1], F_SETFL, O_NONBLOCK) < 0)
		error_set(error, "cannot make a pseudo-terminal: %s", strerror(errno));
	else {
		struct process_setup setup = {.path = shell,
					      .argv = argv,
					      .input = in[0],
					      .output = terminal,
					      .keep = -1,
					      .death_signal = SIGKILL};
		result = process_start(&worker->child, &setup, error);
	}
	(void)close(in[0]); /* the process has its own */
	if (terminal >= 0)
		(void)close(terminal);
	if (result < 0)
		end_process(worker, 0);
	return result;
}

/* --- a line --- */

/* Gives what is left of a line to the process, as far as it takes it. False: it does not read. */
static bool feed(struct relay_worker *worker, const struct buffer *line, size_t *given)
{
	static const char end[] = "\n";
	while (*given <= line->length) {
		bool last = *given == line->length;
		ssize_t written = write(worker->in, last ? end : line->bytes + *given,
					last ? 1 : line->length - *given);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EAGAIN;
		*given += (size_t)written;
	}
	return true;
}

/* Reads what has come out. 1: a whole line has; 0: not yet; -1: nothing will, the failure is set.
 */
static int collect(struct relay_worker *worker, struct error *error)
{
	struct buffer *line = &worker->line;
	if (line->length > WORK_LINE_MOST)
		return error_set(error, "it writes without end");
	if (!buffer_reserve(line, WORK_PIECE))
		return error_set(error, "%s", strerror(ENOMEM));
	ssize_t length = read(worker->out, line->bytes + line->length, WORK_PIECE);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length <= 0) /* EIO, when nobody has the other end any more */
		return error_set(error, "it has ended");
	const char *feed = memchr(line->bytes + line->length, '\n', (size_t)length);
	line->length += (size_t)length;
	if (!feed)
		return 0;
	if (feed + 1 != line->bytes + line->length)
		return error_set(error, "it writes more than a line for a line");
	line->length--;
	return 1;
}

/* Has a line worked on; what comes out is in worker->line. 0; 1: all is to end; -1: it has to be
 * tried again, the failure is set. */
static int work_on(struct relay_worker *worker, const struct buffer *line, struct error *error)
{
	size_t given = 0;
	int64_t deadline = clock_after(WORK_ANSWER);
	buffer_clear(&worker->line, WORK_PIECE);
	while (clock_now() < deadline) {
		bool feeding = given <= line->length;
		struct pollfd ready[] = {
			{.fd = worker->relay->stop, .events = POLLIN},
			{.fd = worker->out, .events = POLLIN},
			{.fd = feeding ? worker->in : -1, .events = POLLOUT},
		};
		if (poll(ready, 3, clock_poll_timeout(deadline)) <= 0)
			continue; /* late, or interrupted */
		if (ready[0].revents)
			return 1;
		int result = ready[1].revents ? collect(worker, error) : 0;
		if (result < 0)
			return -1;
		if (result > 0)
			return feeding ? error_set(error, "it writes before it has the line") : 0;
		if (ready[2].revents && !feed(worker, line, &given))
			return error_set(error, "it does not read the line");
	}
	return error_set(error, "no line has come out after %d s",
			 (int)(WORK_ANSWER / CLOCK_SECOND));
}

/* What came out since the last line belongs to none. */
static bool has_more(struct relay_worker *worker)
{
	struct pollfd ready = {.fd = worker->out, .events = POLLIN};
	return poll(&ready, 1, 0) > 0 && ready.revents & POLLIN;
}

/* Waits before the next attempt. False: all is to end. */
static bool pause_worker(struct relay_worker *worker)
{
	int64_t deadline = clock_after(worker->pause);
	struct pollfd stop = {.fd = worker->relay->stop, .events = POLLIN};
	worker->pause = worker->pause * 2 < WORK_PAUSE_MOST ? worker->pause * 2 : WORK_PAUSE_MOST;
	while (clock_now() < deadline)
		if (poll(&stop, 1, clock_poll_timeout(deadline)) > 0)
			return false;
	return true;
}

/* Tries once: 0 done, 1 all is to end, -1 the failure is set. */
static int try_once(struct relay_worker *worker, const struct relay_job *job, struct error *error)
{
	if (worker->out >= 0 && has_more(worker)) {
		log_note(worker->relay->settings.log, RECORD_WARNING, RECORD_SERVER,
			 "the -work command of a worker writes more than a line for a line, or has "
			 "ended: started again");
		end_process(worker, 0);
	}
	if (worker->out < 0 && start_process(worker, error) < 0)
		return -1;
	return work_on(worker, &job->line, error);
}

/* Works on a job until it is done; a command that fails is started again. False: all is to end. */
static bool do_job(struct relay_worker *worker, struct relay_job *job)
{
	struct error error;
	int result;
	while ((result = try_once(worker, job, &error)) < 0) {
		log_note(worker->relay->settings.log, RECORD_WARNING, RECORD_SERVER,
			 "line %llu: the -work command failed: %s; trying again",
			 (unsigned long long)job->number, error.message);
		end_process(worker, 0);
		if (!pause_worker(worker))
			return false;
	}
	if (result > 0)
		return false;
	worker->pause = WORK_PAUSE_FIRST;
	struct buffer before = job->line;
	job->line = worker->line;
	worker->line = before;
	relay_job_done(job);
	return true;
}

/* --- the threads --- */

/* Takes the next job that waits. NULL: all is to end. */
static struct relay_job *await_job(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	while (!relay->stopping && !relay->waiting)
		pthread_cond_wait(&relay->hire, &relay->lock);
	struct relay_job *job = relay->stopping ? NULL : relay->waiting;
	if (job && !(relay->waiting = job->next))
		relay->last = &relay->waiting;
	pthread_mutex_unlock(&relay->lock);
	return job;
}

static void *worker_run(void *argument)
{
	struct relay_worker *worker = argument;
	struct relay_job *job;
	while ((job = await_job(worker->relay)) && do_job(worker, job))
		;
	end_process(worker, WORK_END);
	buffer_free(&worker->line);
	return NULL;
}

int relay_work_start(struct relay *relay, struct error *error)
{
	pthread_attr_t attributes;
	relay->hands = memory_calloc(relay->workers, sizeof *relay->hands);
	int errnum = relay->hands ? thread_attributes_init(&attributes, RELAY_STACK) : ENOMEM;
	if (errnum)
		return error_set(error, "cannot start %zu workers: %s", relay->workers,
				 strerror(errnum));
	for (size_t i = 0; i < relay->workers && !errnum; i++) {
		struct relay_worker *worker = &relay->hands[i];
		*worker = (struct relay_worker){
			.relay = relay, .in = -1, .out = -1, .pause = WORK_PAUSE_FIRST};
		errnum = thread_create(&worker->thread, &attributes, worker_run, worker);
		relay->hired += !errnum;
	}
	(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	if (errnum)
		return error_set(error, "cannot start %zu workers: %s", relay->workers,
				 strerror(errnum));
	return 0;
}

void relay_work_stop(struct relay *relay)
{
	for (size_t i = 0; i < relay->hired; i++)
		pthread_join(relay->hands[i].thread, NULL);
	free(relay->hands);
	relay->hands = NULL;
	relay->hired = 0;
}
