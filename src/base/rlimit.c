/* SPDX-License-Identifier: MIT */
#include "base/rlimit.h"

#include <sys/resource.h>

uint64_t rlimit_raise_descriptors(void)
{
	struct rlimit limit = {0};
	/* reading fails for no valid resource, and then 0 is too low for any use */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* if not, the limit stays as it is */
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}
