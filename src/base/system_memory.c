/* SPDX-License-Identifier: MIT */
#include "base/system_memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *system_memory_root = "";

static uint64_t least(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* Reads a limit in a group's directory; UINT64_MAX: there is none, as in "max". */
static uint64_t read_limit(const char *mount, const char *group, const char *name)
{
	char path[PATH_MAX];
	uint64_t limit = UINT64_MAX;
	int length =
		snprintf(path, sizeof path, "%s%s%s/%s", system_memory_root, mount, group, name);
	FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
	if (!file)
		return limit;
	if (fscanf(file, "%" SCNu64, &limit) != 1)
		limit = UINT64_MAX;
	(void)fclose(file); /* only read */
	return limit;
}

/* The least limit of a group and those that it is in. Shortens the group's name. */
static uint64_t limit_of(const char *mount, char *group, const char *name)
{
	uint64_t limit = UINT64_MAX;
	for (char *slash = group; slash;) {
		limit = least(limit, read_limit(mount, group, name));
		if ((slash = strrchr(group, '/')))
			*slash = '\0';
	}
	return limit;
}

/* Takes a line of /proc/self/cgroup: "ID:CONTROLLERS:GROUP", in version 2 "0::GROUP". */
static uint64_t limit_in(char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!group)
		return UINT64_MAX;
	*controllers++ = *group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (!*controllers)
		return limit_of("/sys/fs/cgroup", group, "memory.max");
	if (!strcmp(controllers, "memory"))
		return limit_of("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
	return UINT64_MAX;
}

static uint64_t limit_of_groups(void)
{
	char path[PATH_MAX], line[PATH_MAX];
	uint64_t limit = UINT64_MAX;
	int length = snprintf(path, sizeof path, "%s/proc/self/cgroup", system_memory_root);
	FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
	if (!file)
		return limit;
	while (fgets(line, sizeof line, file))
		limit = least(limit, limit_in(line));
	(void)fclose(file); /* only read */
	return limit;
}

uint64_t system_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t machine = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	return least(machine, limit_of_groups());
}
