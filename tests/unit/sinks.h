/* SPDX-License-Identifier: MIT */
/* Sinks for tests: the file under test, which fails the test where it is not as these say, and one
 * that completes late. */
#pragma once

#include "log/sink.h"

extern struct sink *sink; /* the one that is open */
/* For open_sink(): text and LOG_SYNC_WRITE, if not set. */
extern const struct record_format *sink_format;
extern enum log_sync sink_sync;
extern struct log_rotation *sink_rotation; /* NULL, if not set */

extern struct error sink_warning; /* the last one since it was opened; empty: none */

void open_sink(const char *target, enum old_content old);
void close_sink(void);

/* Commits two parts, either of which may be empty. Returns 0 or an errno value. */
int commit(const char *one, const char *two, bool durable);

/* The file holds just that. */
void assert_file(const char *path, const char *expected);

/* The target cannot be opened, for which these are the words, and no descriptor is left. */
void assert_refused(const char *target, enum old_content old, const char *words);

/* A sink as a database would be, for the target "late:": it asks for records, stores batches in
 * order, but later, and completes them from several threads in any order. It fails at random, and
 * then all batches until resume(). It aborts where the log breaks the contract of log/sink.h. */
extern const struct sink_type sink_late;

extern struct late_settings {
	int in_flight;
	_Atomic unsigned fail; /* one batch in so many; 0: none */
	unsigned fail_at;      /* this batch, from 1, which sets it to 0; 0: none */
	/* Called in the order of submission, under the sink's lock: for each record that was
	 * stored, or not; `failure` counts failures from 1. */
	void (*stored)(const struct sink_record *record);
	void (*failed)(const struct sink_record *record, unsigned failure);
	/* Called just before the log gets to know of a failure. */
	void (*known)(unsigned failure);
} late_settings;

/* A sink for the target "hook:" whose submit() is the test's function. It stores nothing itself. */
extern const struct sink_type sink_hook;
extern int (*sink_hook_submit)(struct sink_batch *batch);
extern int sink_hook_in_flight; /* 1, if not set */

/* For it, ways in which a submit() may take so many ns: the thread sleeps, or uses its CPU. */
void sink_sleep(int64_t time);
void sink_burn(int64_t time);

/* For move_aside_renameat2: so many calls fail with EACCES, and those after them rename. */
extern int fault_rename;
int faulty_rename(int from_directory, const char *name, int to_directory, const char *to,
		  unsigned flags);
