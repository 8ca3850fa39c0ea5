/* SPDX-License-Identifier: MIT */
/* The programs that runall has started, and the one loop in which it waits for them: it collects
 * how they ended, what they write to their pipes, and the signals that runall itself gets.
 *
 * Programs have numbers: the servers from 0, then the clients. -1 with the error set is a failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/process.h"
#include "base/slice.h"
#include "net/socket.h"

enum { ARGUMENTS_MAX = 128, ARGUMENTS_SIZE = 512 };

/* An argv under construction. */
struct argument_list {
	char *words[ARGUMENTS_MAX]; /* NULL behind the last one */
	size_t count;
	char storage[ARGUMENTS_SIZE]; /* of words made by argument_format() */
	size_t used;
};

/* Adds "-name" and its value, or one word if value is NULL. Both are borrowed. What is too much is
 * left out: the limits above are beyond what runall has. */
void argument_add(struct argument_list *list, const char *word, const char *value);

/* The same with a value that is made and stored here. */
void argument_format(struct argument_list *list, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct supervisor {
	int signals; /* signalfd */
	size_t servers, clients, count;
	struct process *children; /* started so far or not */
	int *pipes;		  /* to be read; -1: closed */
	struct buffer *outputs;	  /* read from the pipes: where a server listens, client results */
	struct pollfd *polled;	  /* space for signals and all pipes */
	/* As in struct process_setup, for programs that are started from now on. */
	int (*run)(void *context, const char *path, char *const *argv);
	void *run_context;
	int64_t ready;	/* ns, longest wait until a server listens: 10 s, unless changed */
	int interrupts; /* SIGINT and SIGTERM received so far */
	/* Called at the first of them, unless NULL; set after supervisor_open(). */
	void (*interrupted)(void *context);
	void *context;
};

/* supervisor_close() is due in any case. */
int supervisor_open(struct supervisor *watch, size_t servers, size_t clients, struct error *error);
void supervisor_close(struct supervisor *watch);

/* Starts program number i. It gets a pipe to write to; "pipe_option FD" is added to the arguments.
 * A server gets SIGTERM if runall is killed, a client SIGKILL. */
int supervisor_start(struct supervisor *watch, size_t i, const char *path,
		     struct argument_list *arguments, const char *pipe_option, struct error *error);

/* Writes a line to program i, which reads it where it writes its own. False: it does not. */
bool supervisor_tell(struct supervisor *watch, size_t i, struct slice line);

/* Waits until holds(watch, i) returns true, or the deadline. Returns what it returned last. The
 * second interrupt kills all programs. */
bool supervisor_until(struct supervisor *watch,
		      bool (*holds)(const struct supervisor *watch, size_t i), size_t i,
		      int64_t deadline);

/* Conditions: the program is not running; no client is. */
bool supervisor_over(const struct supervisor *watch, size_t i);
bool supervisor_clients_over(const struct supervisor *watch, size_t unused);

/* Where a server listens, as it writes it itself. */
struct server_address {
	char host[SOCKET_NAME_SIZE];
	int port;
};

/* Waits until server i has written its address, for `ready` at most. `name` is for messages. */
int supervisor_wait_ready(struct supervisor *watch, size_t i, const char *name,
			  struct server_address *address, struct error *error);
