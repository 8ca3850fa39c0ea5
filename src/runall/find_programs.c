/* SPDX-License-Identifier: MIT */
#include "runall/find_programs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"

static const char own_name[] = "runall";

/* Returns the last occurrence of the word in a file's name, or NULL. */
static const char *find_last(const char *name, const char *word)
{
	const char *found = NULL;
	for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
		found = at;
	return found;
}

/* Replaces runall's own name by a word. */
static int find_program(char path[PATH_MAX], const char *runall, const char *word,
			struct error *error)
{
	const char *own = find_last(program_name(runall), own_name);
	if (!own)
		return error_set(error,
				 "cannot tell what the %s is called: '%.200s' is not a runall",
				 word, program_name(runall));
	int length = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(own - runall), runall, word,
			      own + strlen(own_name));
	if (length < 0 || length >= PATH_MAX)
		return error_set(error, "cannot find the %s: %s", word, strerror(ENAMETOOLONG));
	struct stat status;
	if (stat(path, &status) < 0)
		return error_set(error, "cannot find the %s: %.300s: %s", word, path,
				 strerror(errno));
	if (!S_ISREG(status.st_mode) || access(path, X_OK) < 0)
		return error_set(error, "cannot run the %s: %.300s is not executable", word, path);
	return 0;
}

int runall_programs_find(struct runall_programs *programs, struct error *error)
{
	char runall[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", runall, sizeof runall - 1);
	if (length < 0)
		return error_set(error, "cannot find out where I am: /proc/self/exe: %s",
				 strerror(errno));
	runall[length] = '\0';
	if (find_program(programs->server, runall, "server", error) < 0)
		return -1;
	return find_program(programs->client, runall, "client", error);
}
