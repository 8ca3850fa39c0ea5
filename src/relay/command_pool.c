/* SPDX-License-Identifier: MIT */
/* The process writes to a pseudo-terminal: C libraries hold back what goes to a pipe until they
 * have some thousand bytes. */
#include "relay/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/nonblocking_writer.h"
#include "base/process.h"

#define ANSWER_TIMEOUT (30 * CLOCK_SECOND) /* for the process to write a line */
#define PAUSE_MAX (10 * CLOCK_SECOND)
#define MEMORY_RETRY (100 * CLOCK_MILLISECOND)
#define END_TIMEOUT (500 * CLOCK_MILLISECOND) /* for a command to end by itself */

enum {
	CHUNK = 65536,
	KEPT = 1024,		  /* bytes of a line's buffer, in which a shorter result is kept */
	LINE_MAX_BYTES = 1 << 26, /* of a line that the process writes */
};

struct worker {
	struct relay *relay;
	struct process child;
	int in, out;	    /* our ends of its stdin and stdout; -1: not started */
	struct buffer line; /* what it has written for the current job */
	int64_t pause;	    /* ns, before the last attempt; 0: it succeeded */
};

/* --- the process --- */

/* Opens a pseudo-terminal in raw mode: our end in worker->out, *other is the process's end. On
 * false errno says why, and the caller closes what was opened. */
static bool open_terminal(struct worker *worker, int *other)
{
	char name[64];
	struct termios modes;
	int own = worker->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (own < 0 || grantpt(own) < 0 || unlockpt(own) < 0 ||
	    (errno = ptsname_r(own, name, sizeof name)) != 0 ||
	    (*other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    tcgetattr(*other, &modes) < 0)
		return false;
	cfmakeraw(&modes);
	return tcsetattr(*other, TCSANOW, &modes) == 0 && fcntl(own, F_SETFL, O_NONBLOCK) == 0;
}

/* Reaps processes that the command has started and left behind: they become children of this
 * process where it is process 1 of a container. The command itself stays for end_process(). */
static void reap_orphans(const struct worker *worker)
{
	pid_t command = worker->child.pid;
	siginfo_t ended = {0};
	while (waitid(P_PGID, (id_t)command, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       ended.si_pid && ended.si_pid != command)
		(void)waitpid(ended.si_pid, NULL, 0);
}

/* Closes both ends. Waits for the process to end by itself for `grace` ns, then kills it. */
static void end_process(struct worker *worker, int64_t grace)
{
	int64_t deadline = clock_after(grace);
	pid_t ended = 0;
	descriptor_close(&worker->in); /* the end of its input */
	while (worker->child.running && clock_now() < deadline &&
	       (ended = waitpid(worker->child.pid, NULL, WNOHANG)) == 0) {
		char rest[512]; /* it may be blocked in a write */
		struct pollfd ready = {.fd = worker->out, .events = POLLIN};
		(void)poll(&ready, 1, 10);
		if (read(worker->out, rest, sizeof rest) < 0 && errno != EAGAIN)
			(void)poll(NULL, 0, 1); /* its end is closed: it ends soon */
	}
	if (worker->child.running && ended == 0) {
		/* its session, with all that it has started */
		(void)kill(-worker->child.pid, SIGKILL);
		while (waitpid(-worker->child.pid, NULL, 0) > 0 || errno == EINTR)
			;
	}
	worker->child = (struct process){0};
	descriptor_close(&worker->out);
}

static int start_process(struct worker *worker, struct error *error)
{
	/* its output is a terminal, but no place for colours or for moving a cursor */
	static char shell[] = "/bin/sh", option[] = "-c",
		    run[] = "export TERM=dumb NO_COLOR=1; exec /bin/sh -c \"$0\"";
	char *command = (char *)(uintptr_t)worker->relay->settings.command;
	char *argv[] = {shell, option, run, command, NULL};
	int in[2], terminal = -1, result = -1;
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_set(error, "cannot make a pipe: %s", strerror(errno));
	worker->in = in[1];
	if (!open_terminal(worker, &terminal) || fcntl(in[1], F_SETFL, O_NONBLOCK) < 0)
		error_set(error, "cannot make a pseudo-terminal: %s", strerror(errno));
	else {
		const struct process_setup setup = {.path = shell,
						    .argv = argv,
						    .input = in[0],
						    .output = terminal,
						    .keep = -1,
						    .close_others = true,
						    .death_signal = SIGKILL};
		result = process_start(&worker->child, &setup, error);
	}
	(void)close(in[0]); /* the process has its own */
	descriptor_close(&terminal);
	if (result < 0)
		end_process(worker, 0);
	return result;
}

/* --- a line --- */

/* Reads what the process has written. 1: a whole line; 0: not yet; -1: the error is set. */
static int read_line(struct worker *worker, struct error *error)
{
	struct buffer *line = &worker->line;
	if (line->length > LINE_MAX_BYTES)
		return error_set(error, "its output line is too long");
	if (!buffer_reserve(line, CHUNK))
		return error_set(error, "%s", strerror(ENOMEM));
	ssize_t length = read(worker->out, line->bytes + line->length, CHUNK);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length <= 0) /* EIO: the other end is closed */
		return error_set(error, "it ended");
	const char *end = memchr(line->bytes + line->length, '\n', (size_t)length);
	line->length += (size_t)length;
	if (!end)
		return 0;
	if (end + 1 != line->bytes + line->length)
		return error_set(error, "it wrote more than one line for one line");
	line->length--; /* the LF stays behind it */
	return 1;
}

/* Passes a line through the process; the result is in worker->line. 0; 1: stopped; -1: it has to be
 * tried again, the error is set. */
static int work_on(struct worker *worker, const struct buffer *line, struct error *error)
{
	size_t left = line->length + 1; /* with the LF behind it */
	int64_t deadline = clock_after(ANSWER_TIMEOUT);
	buffer_clear(&worker->line, CHUNK);
	while (clock_now() < deadline) {
		struct pollfd ready[] = {
			{.fd = relay_queue_stop_descriptor(worker->relay->queue), .events = POLLIN},
			{.fd = worker->out, .events = POLLIN},
			{.fd = left ? worker->in : -1, .events = POLLOUT},
		};
		if (clock_poll(ready, 3, deadline) <= 0)
			continue; /* late, or interrupted */
		if (ready[0].revents)
			return 1;
		int result = ready[1].revents ? read_line(worker, error) : 0;
		if (result < 0)
			return -1;
		if (result > 0)
			return left ? error_set(error,
						"it wrote output before it had read the line")
				    : 0;
		if (!ready[2].revents)
			continue;
		ssize_t written =
			nonblocking_write(worker->in, line->bytes + line->length + 1 - left, left);
		if (written < 0)
			return error_set(error, "it does not read the line");
		left -= (size_t)written;
	}
	return error_set(error, "it wrote no line within %d s",
			 (int)(ANSWER_TIMEOUT / CLOCK_SECOND));
}

/* 0: done; 1: stopped; -1: the error is set. */
static int try_once(struct worker *worker, const struct relay_job *job, struct error *error)
{
	struct pollfd ready = {.fd = worker->out, .events = POLLIN};
	if (worker->out >= 0)
		reap_orphans(worker);
	/* output behind the last line belongs to no line */
	if (worker->out >= 0 && poll(&ready, 1, 0) > 0 && ready.revents & POLLIN) {
		log_note(worker->relay->settings.log, RECORD_WARNING, RECORD_SERVER,
			 "a -work command wrote extra output or ended; it is started "
			 "again");
		end_process(worker, 0);
	}
	if (worker->out < 0 && start_process(worker, error) < 0)
		return -1;
	return work_on(worker, &job->line, error);
}

/* Replaces a line by what the process has written, in a buffer of that size: the worker's own has
 * space for more. Waits while memory is out. False: stopped. */
static bool keep_result(struct worker *worker, struct buffer *line)
{
	size_t length = worker->line.length;
	buffer_clear(line, KEPT + 2 * length);
	while (!buffer_reserve(line, length + 1))
		if (!relay_queue_pause(worker->relay->queue, MEMORY_RETRY))
			return false;
	(void)buffer_append(line, worker->line.bytes, length + 1); /* with the LF behind it */
	line->length--;
	return true;
}

/* Tries until the job is done. False: stopped. */
static bool do_job(struct worker *worker, struct relay_job *job)
{
	struct error error;
	int result;
	while ((result = try_once(worker, job, &error)) < 0) {
		log_note(worker->relay->settings.log, RECORD_WARNING, RECORD_SERVER,
			 "line %llu: the -work command failed: %s; trying again",
			 (unsigned long long)job->number, error.message);
		end_process(worker, 0);
		worker->pause = clock_backoff(worker->pause, PAUSE_MAX);
		if (!relay_queue_pause(worker->relay->queue, worker->pause))
			return false;
	}
	if (result > 0)
		return false;
	worker->pause = 0;
	if (!keep_result(worker, &job->line))
		return false;
	relay_job_done(job);
	return true;
}

void *relay_worker_run(void *context)
{
	struct worker worker = {.relay = context, .in = -1, .out = -1};
	struct relay_job *job;
	while ((job = relay_queue_wait_job(worker.relay->queue)) && do_job(&worker, job))
		;
	end_process(&worker, END_TIMEOUT);
	buffer_free(&worker.line);
	return NULL;
}
