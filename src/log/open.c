/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "log/state.h"

const char *const log_sync_names[] = {"none", "write", "disk", NULL};

static void free_log(struct log *log)
{
	writer_close(&log->writer);
	pthread_cond_destroy(&log->moved);
	pthread_cond_destroy(&log->work);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* -1: the error is set, and some may run. */
static int start_committers(struct log *log, struct error *error)
{
	for (int i = 0; i < LOG_COMMITTERS; i++) {
		int errnum = thread_create(&log->committers[i], NULL, log_run_committer, log);
		if (errnum)
			return error_set(error, "cannot start the committer: %s", strerror(errnum));
		log->committer_count++;
	}
	return 0;
}

struct log *log_open(const struct log_settings *settings, struct error *error)
{
	struct log *log = memory_calloc(1, sizeof *log);
	if (!log)
		return error_null(error, "cannot open the log: %s", strerror(errno));
	log->flush_at = CLOCK_NEVER;
	log->writer.settings = *settings;
	log->writer.lock = &log->lock;
	for (int i = 0; i < DELIVERY_BATCHES; i++) {
		log->writer.delivery.batches[i].log = log;
		log->writer.delivery.batches[i].is_timed = settings->metrics;
		log->writer.delivery.batches[i].commit.complete = log_complete;
		log->writer.delivery.batches[i].commit.refuse = batch_refuse;
	}
	/* without attributes none of these fails on Linux */
	pthread_mutex_init(&log->lock, NULL);
	clock_condition_init(&log->work);
	clock_condition_init(&log->moved);
	if (writer_open(&log->writer, error) == 0) {
		if (start_committers(log, error) == 0)
			return log;
		log_stop_committers(log);
	}
	free_log(log);
	return NULL;
}

bool log_close(struct log *log)
{
	if (!log)
		return true;
	log_stop_committers(log);
	pthread_mutex_lock(&log->lock);
	log->leadership = LEADERSHIP_TAKEN;
	bool written = writer_finish(&log->writer, &log->work);
	pthread_mutex_unlock(&log->lock);
	free_log(log);
	return written;
}
