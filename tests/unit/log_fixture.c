/* SPDX-License-Identifier: MIT */
#include "log_fixture.h"

#include "unit.h"

struct log *log_under_test;

void no_warning(const char *words)
{
	ck_abort_msg("warned: %s", words);
}

struct log *open_with(enum log_sync sync, bool append)
{
	struct error error;
	struct log_settings settings = {.target = "log",
					.format = &record_text,
					.old = append ? OLD_APPEND : OLD_OVERWRITE,
					.sync = sync,
					.warn = no_warning};
	struct log *log = log_open(&settings, &error);
	ck_assert_msg(log != NULL, "%s", error.message);
	return log;
}

void flush(void)
{
	ck_assert(log_flush(log_under_test, clock_after(PATIENCE)));
}
