/* SPDX-License-Identifier: MIT */
/* The command line of runall: its own options, and each option of server and client, which it
 * checks and hands on to the program that owns it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "client/options.h"
#include "runall/supervisor.h"
#include "service/server_options.h"

enum { HANDED_MAX = 56, RUNALL_PORT_NOT_GIVEN = -1 };

enum option_owner { OWNER_SERVER, OWNER_CLIENT, OWNERS };

/* An option that is handed on, as it was given. */
struct handed_option {
	const struct option_spec *specs[OWNERS]; /* in the tables of its owners, or NULL */
	char word[32];				 /* "-NAME", as it is handed on */
	bool flag;				 /* a flag, and given */
	const char *value;			 /* of any other kind; NULL: not given */
};

struct runall_options {
	const char *host;	 /* the server's */
	const char *client_host; /* NULL: the one that the server reports */
	int64_t port;
	int64_t clients;	  /* 0 with -check: not given */
	const char *const *files; /* operands: logs to be checked */
	size_t file_count;
	bool check;    /* an existing log, instead of running anything */
	bool merge;    /* reports, instead of running anything */
	bool tls;      /* all connections over TLS, with certificates made for this run */
	int64_t drill; /* how often to kill the server, or crash states to try; 0: not at all */
	bool power;    /* the drill cuts the power, instead of killing the server */
	struct handed_option handed[HANDED_MAX + 1]; /* the end has no owner */

	/* What is handed on, as its owners read it. */
	struct server_options server;
	struct client_options client;
};

/* Reads a command line, and all that is handed on. As options_read(). */
enum option_outcome runall_options_read(struct runall_options *options, int argc, char **argv,
					struct error *error);

/* options_check.c: refuses options that exclude each other; and what the log cannot prove. 0, or -1
 * with the error set. */
int runall_options_check(const struct runall_options *options, struct error *error);
int runall_options_check_log(const struct runall_options *options, struct error *error);

/* handed.c */

/* The entry of an option in its owner's table; NULL: it is the end. */
const struct option_spec *handed_spec(const struct handed_option *handed);
bool handed_is_given(const struct handed_option *handed);
/* The index of a name, or of the end. */
size_t handed_find(const struct runall_options *options, const char *name);
/* Is the name one of these? NULL ends them. */
bool option_is_one_of(const char *name, const char *const *names);

/* Was the option of that name given? Only for those handed on. */
bool runall_option_given(const struct runall_options *options, const char *name);

/* Is the log one of plain lines? */
bool runall_is_plain(const struct runall_options *options);

/* Adds the options that were given and have that owner, if wanted(spec, i) is true or NULL. */
void runall_hand_on(const struct runall_options *options, enum option_owner owner,
		    bool (*wanted)(const struct option_spec *spec, size_t i), size_t i,
		    struct argument_list *list);
