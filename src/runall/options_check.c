/* SPDX-License-Identifier: MIT */
/* Options of runall that exclude each other or need each other. */
#include <string.h>

#include "client/workload/workload.h"
#include "record/log_reader.h"
#include "record/postgresql.h"
#include "runall/options.h"
#include "runall/options_drill.h"
#include "service/table.h"

static int refuse(const char *name, const char *when, struct error *error)
{
	return error_set(error, "-%s: not with %s", name, when);
}

/* Without programs that are started, few options are of use: `taken`, NULL at the end. */
static int check_taken(const struct runall_options *options, const char *when,
		       const char *const *taken, struct error *error)
{
	const char *own = options->host				   ? "host"
			  : options->client_host		   ? "clhost"
			  : options->drill			   ? "drill"
			  : options->tls			   ? "tls"
			  : options->port != RUNALL_PORT_NOT_GIVEN ? "port"
								   : NULL;
	if (own)
		return refuse(own, when, error);
	for (size_t i = 0; i < HANDED_MAX; i++) {
		if (!handed_is_given(&options->handed[i]))
			continue;
		const char *name = handed_spec(&options->handed[i])->name;
		if (!option_is_one_of(name, taken))
			return refuse(name, when, error);
	}
	return 0;
}

static int check_merge(const struct runall_options *options, struct error *error)
{
	static const char *const taken[] = {"report", "expect", NULL};
	const char *own = options->check ? "check" : options->clients ? "cl" : NULL;
	if (own)
		return refuse(own, "-merge", error);
	if (!options->file_count)
		return error_set(error, "-merge: name the files behind it");
	return check_taken(options, "-merge", taken, error);
}

/* As the server does it with its log. */
static int check_files(const struct runall_options *options, struct error *error)
{
	for (size_t i = 0; i < options->file_count; i++) {
		const char *conninfo = log_target_of(options->files[i], POSTGRESQL_TYPE);
		if (log_target_of(options->files[i], POSTGRESQL_NO_TYPE))
			return error_set(error, "-check: " POSTGRESQL_NO_TYPE_WORDS);
		if (conninfo && postgresql_check(conninfo, error) < 0) {
			error_prefix(error, "-check " POSTGRESQL_TYPE);
			return -1;
		}
	}
	return 0;
}

static int check_check(const struct runall_options *options, struct error *error)
{
	static const char *const taken[] = {"log", "nt", "ni", "records", "format", NULL};
	if (options->file_count && runall_option_given(options, "log"))
		return refuse("log", "files behind -check", error);
	if (check_taken(options, "-check", taken, error) < 0 || check_files(options, error) < 0)
		return -1;
	if (runall_option_given(options, "format") && !runall_is_plain(options))
		return error_set(error,
				 "-format: with -check only plain; other formats are detected");
	return 0;
}

/* Where clients send no lines, the verdict is drawn from the records of what they were sent. */
static int check_records(const struct runall_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->client.service];
	const struct record_format format = server_options_format(&options->server);
	if (workload->message || !record_leaves_out(&format, RECORD_SENT))
		return 0;
	return error_set(
		error, "-%s: not with -service %s, whose verdict needs the records of answers",
		record_leaves_out(&format, RECORD_NOTE) ? "format plain" : "records received",
		workload->name);
}

/* The verdict takes the files of a log by their notes. */
static int check_rotation(const struct runall_options *options, struct error *error)
{
	if (options->server.rotate.value && runall_is_plain(options))
		return error_set(error, "-rotate: not with -format plain, whose files do not say "
					"which one they continue");
	const struct workload *workload = &workloads[options->client.service];
	if (options->server.keep.value && workload->chain)
		return error_set(error,
				 "-keep: not with -service %s, whose stages are compared "
				 "from their first line on",
				 workload->name);
	return 0;
}

int runall_options_check(const struct runall_options *options, struct error *error)
{
	if ((options->merge && check_merge(options, error) < 0) ||
	    (options->check && check_check(options, error) < 0))
		return -1;
	return runall_options_check_drill(options, error);
}

int runall_options_check_log(const struct runall_options *options, struct error *error)
{
	if (options->power && log_is_shared(server_options_log(&options->server)))
		return refuse("power", "-log postgresql:, whose files are on another machine",
			      error);
	if (check_rotation(options, error) < 0)
		return -1;
	return check_records(options, error);
}
