/* SPDX-License-Identifier: MIT */
/* For sinks whose target is a file. */
#pragma once

#include "log/item.h"

/* At -sync disk the name of a file that was opened has to be on the disk, too: syncs its directory.
 * Some file systems cannot: then it is as safe as they make it, which is warned of once. Returns 0,
 * or -1 with the error set. */
int sync_name(const struct log_settings *settings, const char *target, bool *warned,
	      struct error *error);
