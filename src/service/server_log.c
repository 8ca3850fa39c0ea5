/* SPDX-License-Identifier: MIT */
#include "service/server_log.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/directory.h"
#include "log/sink.h"
#include "log/stdout_tee.h"

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
	const struct log_settings settings = {
		.target = target,
		.old = options->append	    ? OLD_APPEND
		       : options->overwrite ? OLD_OVERWRITE
					    : OLD_KEEP,
		.look_at_old = services[options->service]->look_at_old,
		.format = &server_log->format,
		.sync = (enum log_sync)options->sync,
		.tee = server_log->tee,
		.warnings = server_log->warnings,
		.metrics = metrics,
		.warn = warn,
	};
	return log_open(&settings, error);
}

bool server_log_close(struct server_log *server_log)
{
	return stdout_tee_stop(server_log->tee, clock_after(CLOCK_SECOND)) &&
	       stdout_tee_stop(server_log->warnings, clock_after(CLOCK_SECOND));
}
