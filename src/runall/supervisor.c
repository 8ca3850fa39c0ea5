/* SPDX-License-Identifier: MIT */
#include "runall/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/nonblocking_writer.h"
#include "base/signalfd.h"
#include "measure/histogram.h"
#include "net/socket.h"

#define READY_TIMEOUT (10 * CLOCK_SECOND)
#define TELL_TIMEOUT CLOCK_SECOND

enum { PIPE_CAPACITY = 65536 };

void argument_add(struct argument_list *list, const char *word, const char *value)
{
	const char *words[] = {word, value};
	/* exec takes them as char *, and changes none */
	for (size_t i = 0; i < 2 && words[i] && list->count < ARGUMENTS_MAX - 1; i++)
		list->words[list->count++] = (char *)(uintptr_t)words[i];
}

void argument_format(struct argument_list *list, const char *word, const char *format, ...)
{
	char *value = list->storage + list->used;
	size_t space = sizeof list->storage - list->used;
	va_list values;
	va_start(values, format);
	int length = vsnprintf(value, space, format, values);
	va_end(values);
	if (length < 0 || (size_t)length >= space)
		return;
	list->used += (size_t)length + 1;
	argument_add(list, word, value);
}

int supervisor_open(struct supervisor *watch, size_t servers, size_t clients, struct error *error)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGCHLD, 0};
	size_t count = servers + clients;
	*watch = (struct supervisor){.signals = -1,
				     .ready = READY_TIMEOUT,
				     .servers = servers,
				     .clients = clients,
				     .count = count,
				     .children = memory_calloc(count, sizeof *watch->children),
				     .pipes = memory_calloc(count, sizeof *watch->pipes),
				     .outputs = memory_calloc(count, sizeof *watch->outputs),
				     .polled = memory_calloc(count + 1, sizeof *watch->polled)};
	if (!watch->children || !watch->pipes || !watch->outputs || !watch->polled)
		return error_set(error, "cannot watch %zu clients: %s", clients, strerror(ENOMEM));
	for (size_t i = 0; i < count; i++)
		watch->pipes[i] = -1;
	/* where the parent ignores it, the kernel would forget how children ended */
	struct sigaction standard = {.sa_handler = SIG_DFL};
	(void)sigaction(SIGCHLD, &standard, NULL); /* cannot fail for a valid signal */
	watch->signals = signalfd_open(taken, error);
	return watch->signals < 0 ? -1 : 0;
}

void supervisor_close(struct supervisor *watch)
{
	for (size_t i = 0; watch->pipes && watch->outputs && i < watch->count; i++) {
		descriptor_close(&watch->pipes[i]);
		buffer_free(&watch->outputs[i]);
	}
	free(watch->children);
	free(watch->pipes);
	free(watch->outputs);
	free(watch->polled);
	descriptor_close(&watch->signals);
	*watch = (struct supervisor){.signals = -1};
}

/* Makes the pipe of program i. Returns the program's end, or -1 with the error set. */
static int open_pipe(struct supervisor *watch, size_t i, struct error *error)
{
	int ends[2];
	descriptor_close(&watch->pipes[i]);
	buffer_clear(&watch->outputs[i], 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
		watch->pipes[i] = ends[0];
		/* only our end: the program blocks when the pipe is full */
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
			return ends[1];
		(void)close(ends[1]);
	}
	return error_set(error, "cannot make a pipe: %s", strerror(errno));
}

int supervisor_start(struct supervisor *watch, size_t i, const char *path,
		     struct argument_list *arguments, const char *pipe_option, struct error *error)
{
	/* Blocked until the program takes them by signalfd: it is not killed before, without a
	 * result. */
	static const int pending[] = {SIGINT, SIGTERM, 0};
	int pipe = open_pipe(watch, i, error);
	if (pipe < 0)
		return -1;
	argument_format(arguments, pipe_option, "%d", pipe);
	const struct process_setup setup = {.path = path,
					    .argv = arguments->words,
					    .input = -1,
					    .keep = pipe,
					    .death_signal = i < watch->servers ? SIGTERM : SIGKILL,
					    .pending = pending,
					    .run = watch->run,
					    .context = watch->run_context};
	int result = process_start(&watch->children[i], &setup, error);
	(void)close(pipe); /* the program has its own */
	if (result < 0)
		descriptor_close(&watch->pipes[i]);
	return result;
}

/* Reads what is there; closes at the end, or when memory is out: the output is then incomplete. */
static void read_output(struct supervisor *watch, size_t i)
{
	struct buffer *output = &watch->outputs[i];
	while (watch->pipes[i] >= 0) {
		ssize_t length = -1;
		errno = ENOMEM;
		if (buffer_reserve(output, PIPE_CAPACITY))
			length = read(watch->pipes[i], output->bytes + output->length,
				      PIPE_CAPACITY);
		if (length > 0)
			output->length += (size_t)length;
		else if (length < 0 && errno == EAGAIN)
			return;
		else if (length == 0 || errno != EINTR)
			descriptor_close(&watch->pipes[i]);
	}
}

/* Counts interrupts, and collects programs that have ended. The output of each is read to the end,
 * even if another process has inherited its pipe. */
static void take_signals(struct supervisor *watch)
{
	for (int number; (number = signalfd_take(watch->signals)) != 0;)
		if ((number == SIGINT || number == SIGTERM) && !watch->interrupts++ &&
		    watch->interrupted)
			watch->interrupted(watch->context);
	bool collected = process_collect(watch->children, watch->count) > 0;
	for (size_t i = 0; i < watch->count; i++) {
		if (collected && watch->children[i].pid && !watch->children[i].running) {
			read_output(watch, i);
			descriptor_close(&watch->pipes[i]);
		}
		if (watch->interrupts > 1)
			process_signal(&watch->children[i], SIGKILL);
	}
}

/* Waits for one event, or until the deadline. Closed pipes are left out: poll() refuses more
 * entries than the descriptor limit. */
static void wait_once(struct supervisor *watch, int64_t deadline)
{
	nfds_t count = 1;
	watch->polled[0] = (struct pollfd){.fd = watch->signals, .events = POLLIN};
	for (size_t i = 0; i < watch->count; i++)
		if (watch->pipes[i] >= 0)
			watch->polled[count++] =
				(struct pollfd){.fd = watch->pipes[i], .events = POLLIN};
	if (clock_poll(watch->polled, count, deadline) <= 0)
		return; /* late; or ENOMEM, after which the caller tries again */
	nfds_t at = 1;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->pipes[i] >= 0 && watch->polled[at++].revents)
			read_output(watch, i);
	if (watch->polled[0].revents)
		take_signals(watch);
}

bool supervisor_until(struct supervisor *watch,
		      bool (*holds)(const struct supervisor *watch, size_t i), size_t i,
		      int64_t deadline)
{
	while (!holds(watch, i)) {
		bool late = clock_now() >= deadline;
		wait_once(watch, deadline); /* also when it is late: looks without waiting */
		if (late)
			return holds(watch, i);
	}
	return true;
}

bool supervisor_tell(struct supervisor *watch, size_t i, struct slice line)
{
	return watch->pipes[i] >= 0 &&
	       nonblocking_write_all(watch->pipes[i], line.bytes, line.length, -1,
				     clock_after(TELL_TIMEOUT)) == 0;
}

bool supervisor_over(const struct supervisor *watch, size_t i)
{
	return !watch->children[i].running;
}

bool supervisor_clients_over(const struct supervisor *watch, size_t unused)
{
	(void)unused;
	for (size_t i = watch->servers; i < watch->count; i++)
		if (watch->children[i].running)
			return false;
	return true;
}

static bool has_line(const struct supervisor *watch, size_t i)
{
	const struct buffer *output = &watch->outputs[i];
	return output->length && memchr(output->bytes, '\n', output->length);
}

static bool ready_or_over(const struct supervisor *watch, size_t i)
{
	return has_line(watch, i) || supervisor_over(watch, i) || watch->interrupts;
}

int supervisor_wait_ready(struct supervisor *watch, size_t i, const char *name,
			  struct server_address *address, struct error *error)
{
	const struct buffer *output = &watch->outputs[i];
	char how[128], time[DURATION_SIZE];
	bool known = supervisor_until(watch, ready_or_over, i, clock_after(watch->ready));
	if (watch->interrupts)
		return error_set(error, "interrupted");
	if (!has_line(watch, i)) {
		process_describe(&watch->children[i], how, sizeof how);
		duration_format(watch->ready, time);
		return known ? error_set(error, "%s %s before it listened", name, how)
			     : error_set(error, "%s does not listen after %s", name, time);
	}
	if (socket_ready_read((struct slice){output->bytes, output->length}, address->host,
			      &address->port) < 0)
		return error_set(error, "cannot read the address that %s listens on", name);
	return 0;
}
