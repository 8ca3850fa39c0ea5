/* SPDX-License-Identifier: MIT */
/* What the files of runall share: one run, or one check of a log, and its steps. A step that
 * returns int returns 0, or -1 and the error is set. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "measure/report_text.h"
#include "record/log_reader.h"
#include "runall/crash_test.h"
#include "runall/options.h"
#include "runall/supervisor.h"
#include "verify/verdict.h"

/* Why a run has failed. The report in JSON says what has the highest rank, and came first. */
enum failure_rank {
	FAILURE_NONE,
	FAILURE_INCOMPLETE, /* not all lines were sent and acknowledged */
	FAILURE_COMPLAINT,
	FAILURE_ASSERTION, /* a condition of -expect is not met */
	FAILURE_INTERRUPT,
	FAILURE_VERDICT, /* the log does not hold what was promised */
};

struct runall {
	const char *program; /* its name in messages */
	struct runall_options options;
	char server[PATH_MAX], client[PATH_MAX]; /* the programs */
	char certificates[PATH_MAX - 16];	 /* their directory, with -tls; else empty */
	struct supervisor watch;
	struct server_address address; /* of server 0, once it listens */
	struct log_place log_start;    /* where the log ended before, as log_end() */
	struct drill drill;
	struct result sum;	/* of what all clients have measured */
	struct buffer outcomes; /* owned: of their assertions, as the report has them */
	bool failed;
	enum failure_rank rank;
	char failure[sizeof((struct verdict *)0)->message]; /* why, for the report in JSON */
};

/* --- programs.c --- */

/* Prints "runall: MESSAGE" on stderr, and makes runall fail. */
void runall_complain(struct runall *runall, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Notes why the run has failed, for the report. */
void runall_set_failure(struct runall *runall, enum failure_rank rank, const char *message);

/* Finds server and client: in the directory of runall, and named like it. This holds for the build
 * tree, for any prefix, and for programs that were renamed by the installation. */
int find_programs(struct runall *runall, struct error *error);

/* Starts the servers, the last of a chain first, and waits until each listens. After -1, those that
 * were started have to be ended. */
int start_servers(struct runall *runall, struct error *error);

/* Starts server 0 once more, on its port and with the log as it is. A callback of the drill. */
int start_server_again(void *runall, struct error *error);

/* Where a server of its own directory is: its log, which it continues; its port, 0: a free one; the
 * server behind it in a chain. */
struct server_place {
	const char *log;
	int port;
	const struct server_address *next;
};

/* Starts server i there, with -sync disk unless another level was given. */
int start_server_at(struct runall *runall, size_t i, const struct server_place *place,
		    struct server_address *address, struct error *error);

/* Starts client i, from 0. Also a callback of the drill. */
int start_client(void *runall, size_t i, struct error *error);

/* Starts the clients, until one cannot be started or the run cannot succeed any more. */
int start_clients(struct runall *runall, struct error *error);

/* Waits until all clients have ended, or the run cannot succeed any more; then ends the rest. stop:
 * does not wait, they are to end now. */
void end_clients(struct runall *runall, bool stop);

/* Ends the servers, the first of a chain first: each may finish what it has, if `finish`. */
void end_servers(struct runall *runall, bool finish);

/* Complains of server i, or of the clients, that have ended and failed. After an interrupt clients
 * are not named: they were told to end. */
void name_failed_server(struct runall *runall, size_t i);
void name_failed_clients(struct runall *runall);

/* --- power_cut.c --- */

/* The drill by power cuts: records servers under load, and has one started from each crash state.
 * Shows the verdict. */
void run_power_cuts(struct runall *runall);

/* --- tls.c --- */

/* With -tls, makes certificates in a directory that only this user can read; and removes them. */
int make_certificates(struct runall *runall, struct error *error);
void remove_certificates(struct runall *runall);

/* Adds the options that name them, if there are any, for a server that perhaps connects to another
 * one, and for a client. */
void add_server_certificates(const struct runall *runall, bool connects,
			     struct argument_list *list);
void add_client_certificates(const struct runall *runall, struct argument_list *list);

/* --- relay_chain.c: the servers of a workload that is a chain. Server 0 takes lines from clients,
 * 1 works on them, 2 stores them --- */

enum { RELAY_CHAIN_SERVERS = 3 };

/* What each is called in messages; the first also when it is alone. */
extern const char *const relay_chain_names[RELAY_CHAIN_SERVERS];

/* Whether an option of server and runall says where the log stands, or what is shown of it. */
bool relay_chain_places(const struct option_spec *spec);

/* Adds the options of server i. It forwards to `next`, unless it is the last one. `placed`: but for
 * those that relay_chain_places(). */
void relay_chain_add_arguments(const struct runall_options *options, size_t i,
			       const struct server_address *next, bool placed,
			       struct argument_list *list);

/* How long a server may take to forward its lines when it is told to end, in ns. */
int64_t relay_chain_drain(const struct runall_options *options);

/* How long it may take until so many lines are saved, in ns. */
int64_t relay_chain_work(const struct runall_options *options, int64_t lines);

/* The names of the logs of servers 1 and 2. */
extern const char *const relay_chain_logs[RELAY_CHAIN_SERVERS];

/* Proves from three logs that what was saved is what was received. */
int relay_chain_prove_logs(const struct runall_options *options, const char *const logs[3],
			   struct verdict *verdict, struct error *error);

/* Proves from the three logs that what was saved is what was received, in the same order, and as
 * many lines as were planned. */
int relay_chain_prove(const struct runall_options *options, int64_t planned,
		      struct verdict *verdict, struct error *error);

/* --- requests.c --- */

/* Lets the client run what it is asked for over HTTP, and gives it the verdict on each run, until
 * runall is interrupted or a program has ended. */
void serve_requests(struct runall *runall);

/* --- verdict.c --- */

/* Makes the sum of all clients ready, unless it is. */
void runall_begin_sum(struct runall *runall);

/* Reads what a client has reported, and adds up what it measured, if that is complete. The result
 * is zeroed, and to be freed. */
void runall_add_result(struct runall *runall, size_t client, struct slice text,
		       struct client_result *result);

/* Prints a verdict, or why there is none: a result of -1 and the error. */
void runall_show_verdict(struct runall *runall, int result, const struct verdict *verdict,
			 const struct error *error);

/* Whether an interrupt ends runall at once, with its report: while a log is read, and programs need
 * not be ended. */
void runall_set_interruptible(struct runall *runall, bool may_be);

/* Proves the run that has ended, and prints the verdict. An interrupt ends runall at once. */
void runall_prove(struct runall *runall);

/* With -report json: prints the report of all clients, and why the run has failed, if it has. To be
 * called last, however the run has ended. */
void runall_report(struct runall *runall);

/* Checks a log without a run, and prints the verdict. */
void runall_check(struct runall *runall);

/* --- merge.c --- */

/* Merges reports in JSON, each FILE, and prints the sum. */
void runall_merge(struct runall *runall);
