/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/log_reader.h"
#include "runall/power_cut.h"

void scratch_empty(const char *directory)
{
	DIR *names = opendir(directory);
	const struct dirent *entry;
	while (names && (entry = readdir(names)) != NULL)
		(void)unlinkat(dirfd(names), entry->d_name, 0); /* fails for . and .. */
	if (names)
		(void)closedir(names);
}

static int make_directory(char path[POWER_PATH], const char *in, const char *name,
			  struct error *error)
{
	(void)snprintf(path, POWER_PATH, "%s/%s", in, name);
	return mkdir(path, 0700) == 0
		       ? 0
		       : error_set(error, "cannot create %.200s: %s", path, strerror(errno));
}

/* Sets what the log is called. */
static void name_log(struct power_cuts *cuts)
{
	const char *log = cuts->runall->options.server.log;
	const char *file = log_target_of(log, "sqlite");
	cuts->type = file ? "sqlite:" : "";
	file = file ? file : log_target_of(log, "file") ? log_target_of(log, "file") : log;
	const char *slash = strrchr(file, '/');
	(void)snprintf(cuts->log, sizeof cuts->log, "%s", slash ? slash + 1 : file);
}

/* In memory where that can be: nothing needs a disk here. */
int scratch_begin(struct power_cuts *cuts, struct error *error)
{
	const char *places[] = {getenv("TMPDIR"), "/dev/shm", "/tmp"};
	char path[PATH_MAX];
	bool made = false;
	name_log(cuts);
	for (size_t i = 0; i < 3 && !made; i++) {
		if (!places[i] || !*places[i])
			continue;
		int length = snprintf(path, sizeof path, "%s/ackline-power-XXXXXX", places[i]);
		made = length < PATH_MAX && mkdtemp(path);
	}
	char *whole = made ? realpath(path, NULL) : NULL;
	if (!whole || strlen(whole) >= sizeof cuts->scratch) {
		free(whole);
		return error_set(error, "cannot make a directory for crash states: %s",
				 strerror(errno));
	}
	memcpy(cuts->scratch, whole, strlen(whole) + 1);
	free(whole);
	return make_directory(cuts->recorded, cuts->scratch, "recorded", error) < 0 ||
			       make_directory(cuts->tried, cuts->scratch, "tried", error) < 0
		       ? -1
		       : 0;
}

static void remove_directory(const char *path)
{
	if (!*path)
		return;
	scratch_empty(path);
	(void)rmdir(path); /* what is kept is in it */
}

void scratch_target(const struct power_cuts *cuts, const char *directory, size_t i,
		    char target[PATH_MAX])
{
	(void)snprintf(target, PATH_MAX, "%s%s/%s", i ? "" : cuts->type, directory,
		       i ? relay_chain_logs[i] : cuts->log);
}

int64_t scratch_size(const char *directory)
{
	DIR *names = opendir(directory);
	const struct dirent *entry;
	struct stat status;
	int64_t size = 0;
	while (names && (entry = readdir(names)) != NULL)
		if (fstatat(dirfd(names), entry->d_name, &status, 0) == 0 &&
		    S_ISREG(status.st_mode))
			size += status.st_size;
	if (names)
		(void)closedir(names);
	return size;
}

int scratch_keep(struct power_cuts *cuts, struct error *error)
{
	return make_directory(cuts->kept, cuts->scratch, "lost", error);
}

void scratch_end(struct power_cuts *cuts)
{
	remove_directory(cuts->recorded);
	remove_directory(cuts->tried);
	if (*cuts->scratch)
		(void)rmdir(cuts->scratch); /* unless something is kept in it */
}
