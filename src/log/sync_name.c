/* SPDX-License-Identifier: MIT */
#include "log/sync_name.h"

#include "base/directory.h"

int sync_name(const struct log_settings *settings, const char *target, bool *warned,
	      struct error *error)
{
	if (settings->sync != LOG_SYNC_DISK)
		return 0;
	int result = directory_sync(target, error);
	if (result > 0 && !*warned) {
		struct error message;
		*warned = true;
		error_set(&message,
			  "WARNING: the file system of %.300s cannot sync directories: after a "
			  "power cut a new log can lack its name",
			  target);
		settings->warn(message.message);
	}
	return result < 0 ? -1 : 0;
}
