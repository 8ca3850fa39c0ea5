/* SPDX-License-Identifier: MIT */
/* The command line of runall: its own options, and every option of server and client, which it
 * checks at once and hands on to the program that owns it. */
#ifndef ACKLINE_RUNALL_OPTIONS_H
#define ACKLINE_RUNALL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "client/options.h"
#include "service/server_options.h"

enum {
	RUNALL_HANDED_MOST = 48, /* options handed on */
	/* words of an argv: those handed on, its name, those that runall adds, NULL */
	RUNALL_WORDS_MOST = 2 * RUNALL_HANDED_MOST + 16,
};

/* An option that is handed on, as it was given. */
struct handed_option {
	const struct option_spec *server, *client; /* in the tables of its owners, or NULL */
	char word[32];				   /* "-NAME", as it is handed on */
	bool flag;				   /* a flag, and given */
	const char *value;			   /* of any other kind; NULL: not given */
};

struct runall_options {
	const char *host;	 /* the server's */
	const char *client_host; /* NULL: the one that the server reports */
	int64_t port;
	int64_t clients; /* 0 with -check: not given */
	bool check;	 /* an existing log, instead of running anything */
	int64_t drill;	 /* how often to kill the server; 0: not at all */
	struct handed_option handed[RUNALL_HANDED_MOST]; /* the end: no owner */

	/* What is handed on, as its owners read it. */
	struct server_options server;
	struct client_options client;
};

/* Reads a command line, and all that is to be handed on. As options_read(). */
enum option_outcome runall_options_read(struct runall_options *options, int argc, char **argv,
					struct error *error);

/* Was the option of that name given? Only for those handed on. */
bool runall_option_given(const struct runall_options *options, const char *name);

/* An argv under construction, which borrows its words. */
struct argument_list {
	char *words[RUNALL_WORDS_MOST]; /* NULL behind the last one */
	size_t count;
};

/* Adds "-name" and its value, or a single word where value is NULL. There is room for all that is
 * handed on and for fifteen words more. */
void argument_add(struct argument_list *list, const char *word, const char *value);

/* Adds everything that is handed on to the server, or to the clients. */
void runall_hand_to_server(const struct runall_options *options, struct argument_list *list);
void runall_hand_to_client(const struct runall_options *options, struct argument_list *list);

#endif
