/* SPDX-License-Identifier: MIT */
#include "service/server_log.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/directory.h"
#include "base/program.h"
#include "log/postgresql_schema.h"
#include "log/sink.h"
#include "log/stdout_tee.h"
#include "service/table.h"

struct log *server_log_open(struct server_log *server_log, const struct server_options *options,
			    struct log_metrics *metrics, void (*warn)(const char *message),
			    struct error *error)
{
	const char *target = server_options_log(options);
	if (!options->quiet && !sink_is_stdout(target) &&
	    !(server_log->tee = stdout_tee_start(STDOUT_FILENO, true, error)))
		return NULL;
	/* only for the default name */
	if (!options->log && directory_make(target, options->sync == LOG_SYNC_DISK, error) < 0)
		return NULL;
	server_log->format = server_options_format(options);
	if (record_leaves_out(&server_log->format, RECORD_NOTE) &&
	    !(server_log->warnings = stdout_tee_start(STDERR_FILENO, false, error)))
		return NULL;
	const struct limit *rotate = &options->rotate;
	if (rotate->unit == LIMIT_BYTES)
		server_log->keeper.rotation.size = rotate->value;
	else
		server_log->keeper.rotation.age = rotate->value;
	server_log->keeper.rotation.recovers = server_options_reads_log(options);
	keeper_init(&server_log->keeper, sink_file_name(target), options->keep, options->compress,
		    options->forwarding.next != NULL, warn);
	const struct log_settings settings = {
		.target = target,
		.rotation = rotate->value ? &server_log->keeper.rotation : NULL,
		.old = options->append	    ? OLD_APPEND
		       : options->overwrite ? OLD_OVERWRITE
					    : OLD_KEEP,
		.look_at_old = options->forwarding.next ? relay_look_at_old : NULL,
		.format = &server_log->format,
		.sync = (enum log_sync)options->sync,
		.timeout = options->timeout,
		.retry = options->retry,
		.name = options->forwarding.source,
		/* numbers have to follow each other; senders go on with what was cut off */
		.cuts_holes = services[options->service]->numbers_lines,
		.tee = server_log->tee,
		.warnings = server_log->warnings,
		.metrics = metrics,
		.warn = warn,
	};
	return log_open(&settings, error);
}

int server_log_init(const struct server_options *options, struct error *error)
{
	const char *conninfo = sink_conninfo(server_options_log(options));
	struct buffer text = {0};
	int result;
	if (options->init < 0)
		return -1;
	if (options->init == INIT_RUN)
		result = postgresql_make_tables(conninfo, clock_after(options->timeout), error);
	else
		result = program_print(STDOUT_FILENO, "the schema", &text,
				       buffer_append_string(&text, postgresql_schema), error);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

bool server_log_close(struct server_log *server_log)
{
	return stdout_tee_stop(server_log->tee, clock_after(CLOCK_SECOND)) &&
	       stdout_tee_stop(server_log->warnings, clock_after(CLOCK_SECOND));
}
