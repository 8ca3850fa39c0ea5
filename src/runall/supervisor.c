/* SPDX-License-Identifier: MIT */
#include "runall/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/signalfd.h"

enum { WATCH_PIECE = 65536 }; /* as much as a pipe holds */

int supervisor_open(struct supervisor *watch, size_t clients, size_t others, struct error *error)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGCHLD, 0};
	*watch = (struct supervisor){
		.signals = -1, .count = 1 + clients + others, .clients = clients};
	watch->children = memory_calloc(watch->count, sizeof *watch->children);
	watch->outputs = memory_calloc(watch->count, sizeof *watch->outputs);
	watch->polled = memory_calloc(watch->count + 1, sizeof *watch->polled);
	if (!watch->children || !watch->outputs || !watch->polled)
		return error_set(error, "cannot watch %zu clients: %s", clients, strerror(ENOMEM));
	for (size_t i = 0; i < watch->count; i++)
		watch->outputs[i].pipe = -1;
	/* who starts us may ignore it, and then the kernel forgets how children have ended */
	struct sigaction standard = {.sa_handler = SIG_DFL};
	(void)sigaction(SIGCHLD, &standard, NULL); /* cannot fail for a valid signal */
	watch->signals = signalfd_open(taken, error);
	return watch->signals < 0 ? -1 : 0;
}

static void close_pipe(struct supervised *output)
{
	if (output->pipe >= 0)
		(void)close(output->pipe); /* it was only read */
	output->pipe = -1;
}

void supervisor_close(struct supervisor *watch)
{
	for (size_t i = 0; watch->outputs && i < watch->count; i++) {
		close_pipe(&watch->outputs[i]);
		buffer_free(&watch->outputs[i].text);
	}
	free(watch->children);
	free(watch->outputs);
	free(watch->polled);
	if (watch->signals >= 0)
		(void)close(watch->signals); /* nothing is lost */
	*watch = (struct supervisor){.signals = -1};
}

int supervisor_pipe(struct supervisor *watch, size_t i, struct error *error)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(error, "cannot make a pipe: %s", strerror(errno));
	/* only ours: the program's writing must wait when the pipe is full */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		error_set(error, "cannot make a pipe: %s", strerror(errno));
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	close_pipe(&watch->outputs[i]);
	buffer_clear(&watch->outputs[i].text, 0);
	watch->outputs[i].pipe = ends[0];
	return ends[1];
}

/* Our programs take these as data: none is to end one that has not come so far yet, and without an
 * account. */
static const int held[] = {SIGINT, SIGTERM, 0};

int supervisor_start(struct supervisor *watch, size_t i, struct process_setup *setup,
		     struct error *error)
{
	setup->held = held;
	int result = process_start(&watch->children[i], setup, error);
	(void)close(setup->keep); /* the program has its own now */
	if (result < 0)
		close_pipe(&watch->outputs[i]);
	return result;
}

/* Reads what is there; closes at the end, or where memory is out: the text is then incomplete. */
static void read_output(struct supervised *output)
{
	while (output->pipe >= 0) {
		ssize_t length = -1;
		if (buffer_reserve(&output->text, WATCH_PIECE))
			length = read(output->pipe, output->text.bytes + output->text.length,
				      WATCH_PIECE);
		else
			errno = ENOMEM;
		if (length > 0)
			output->text.length += (size_t)length;
		else if (length < 0 && errno == EAGAIN)
			return;
		else if (length == 0 || errno != EINTR)
			close_pipe(output);
	}
}

/* Takes the ends of programs. What such a one wrote is read to the end, even if somebody has
 * inherited its pipe. */
static void collect(struct supervisor *watch)
{
	if (!process_collect(watch->children, watch->count))
		return;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->children[i].pid && !watch->children[i].running) {
			read_output(&watch->outputs[i]);
			close_pipe(&watch->outputs[i]);
		}
}

static void take_signals(struct supervisor *watch)
{
	for (int number; (number = signalfd_take(watch->signals)) != 0;)
		if (number == SIGINT || number == SIGTERM)
			watch->interrupts++;
	collect(watch);
	for (size_t i = 0; watch->interrupts > 1 && i < watch->count; i++)
		process_signal(&watch->children[i], SIGKILL);
}

/* Waits for one event, or until the deadline. Pipes that are closed are left out: more entries than
 * the descriptor limit are an error of poll(). */
static void wait_once(struct supervisor *watch, int64_t deadline)
{
	nfds_t count = 1;
	watch->polled[0] = (struct pollfd){.fd = watch->signals, .events = POLLIN};
	for (size_t i = 0; i < watch->count; i++)
		if (watch->outputs[i].pipe >= 0)
			watch->polled[count++] =
				(struct pollfd){.fd = watch->outputs[i].pipe, .events = POLLIN};
	if (poll(watch->polled, count, clock_poll_timeout(deadline)) <= 0)
		return; /* time is up, or EINTR and ENOMEM, after which the caller tries again */
	nfds_t at = 1;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->outputs[i].pipe >= 0 && watch->polled[at++].revents)
			read_output(&watch->outputs[i]);
	if (watch->polled[0].revents)
		take_signals(watch);
}

bool supervisor_until(struct supervisor *watch, bool (*holds)(const struct supervisor *watch),
		      int64_t deadline)
{
	while (!holds(watch)) {
		bool late = clock_now() >= deadline;
		wait_once(watch, deadline); /* once even when it is late: looks without waiting */
		if (late)
			return holds(watch);
	}
	return true;
}

bool supervisor_ready(const struct supervisor *watch)
{
	const struct buffer *text = &watch->outputs[watch->starting].text;
	return text->length && memchr(text->bytes, '\n', text->length);
}

bool supervisor_server_over(const struct supervisor *watch)
{
	return !watch->children[0].running;
}

bool supervisor_clients_over(const struct supervisor *watch)
{
	for (size_t i = 1; i <= watch->clients; i++)
		if (watch->children[i].running)
			return false;
	return true;
}

bool supervisor_interrupted(const struct supervisor *watch)
{
	return watch->interrupts > 0;
}

void supervisor_signal_clients(const struct supervisor *watch, int number)
{
	for (size_t i = 1; i <= watch->clients; i++)
		process_signal(&watch->children[i], number);
}
