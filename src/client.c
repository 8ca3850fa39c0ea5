/* SPDX-License-Identifier: MIT */
/* The client: sends lines to a server and measures how they are answered. */
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/program.h"
#include "client/event_loops.h"
#include "client/find.h"
#include "client/follow/follow.h"
#include "client/options.h"
#include "client/probe.h"
#include "client/run.h"
#include "client/trigger/trigger.h"
#include "client/workload/workload.h"
#include "measure/report_text.h"

/* Who runs a workload. Those that are not named send lines from threads, by client_run(). */
static const struct {
	const char *workload;
	enum exit_status (*run)(const struct client_options *options, const char *program);
} runners[] = {
	{"ping", ping_client_run},
	{"chars", chars_client_run},
};

static enum exit_status run(const struct client_options *options, const char *program)
{
	const char *name = workloads[options->service].name;
	if (options->probe)
		return client_probe(options, program);
	if (options->find)
		return find_client_run(options, program);
	if (options->follow)
		return follow_client_run(options, program);
	if (options->http)
		return trigger_client_run(options, program);
	for (size_t i = 0; i < sizeof runners / sizeof *runners; i++)
		if (!strcmp(runners[i].workload, name))
			return runners[i].run(options, program);
	return client_run(options, program);
}

/* Runs it over plain TCP, or over TLS. Returns the exit status, or -1: the error is set, a file of
 * the TLS options cannot be used, and there was no run. */
static int run_connected(struct client_options *options, const char *program, struct error *error)
{
	struct tls *tls = NULL;
	if (options->use_tls) {
		if (!(tls = tls_new(&options->tls, error)))
			return -1;
		options->stream_type = tls_stream_type(tls);
	}
	enum exit_status status = run(options, program);
	tls_free(tls);
	return (int)status;
}

/* A program that reads the report finds in it why there was no run. */
static void report_failure(const char *program, int format, struct error *error)
{
	struct result result = result_of_nothing(error->message);
	result.program = program;
	struct buffer text = {0};
	bool complete = report_alone(&text, format, &result);
	if (program_print(STDOUT_FILENO, "the report", &text, complete, error) < 0)
		program_complain(program, error->message);
}

int main(int argc, char **argv)
{
	struct client_options options;
	struct error error;
	const char *program = program_name(argv[0]);
	program_guard_descriptors();
	client_options_init(&options);
	enum option_outcome outcome =
		options_read(&client_option_table, &options, argc, argv, &error);
	options.files = (const char *const *)&argv[options_operands()];
	options.file_count = outcome == OPTIONS_READ ? argc - options_operands() : 0;
	if (outcome == OPTIONS_READ && client_options_complete(&options, &error) < 0)
		outcome = OPTIONS_WRONG;
	int status = (int)outcome;
	if (outcome == OPTIONS_READ && (status = run_connected(&options, program, &error)) >= 0)
		return status;
	if (outcome != OPTIONS_SHOWN)
		program_complain(program, error.message);
	int report = client_options_report(argc, argv);
	if (outcome != OPTIONS_SHOWN && report_is_alone(report))
		report_failure(program, report, &error);
	return status < 0 ? EXIT_USAGE : status;
}
