/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "power/recorder.h"
#include "runall/power_cut.h"

#define LOOK (5 * CLOCK_MILLISECOND)
#define LOAD_MAX CLOCK_SECOND	     /* of half a recording, once it has lines */
#define PATIENCE (20 * CLOCK_SECOND) /* for the first line, beyond clients' pauses */

enum {
	GROWTH = 96 << 10,    /* bytes that files grow by in a recording */
	GROWTH_MIN = 2 << 10, /* by lines, and not only by what a start writes */
};

static bool is_broken(const struct supervisor *watch, size_t unused)
{
	(void)unused;
	return supervisor_over(watch, 0) || watch->interrupts;
}

static int cannot_go_on(const struct runall *runall, struct error *error)
{
	char how[128];
	if (runall->watch.interrupts)
		return error_set(error, "interrupted");
	process_describe(&runall->watch.children[0], how, sizeof how);
	return error_set(error, "the server that was recorded %s", how);
}

/* Waits until the files have grown by so much, or for a while once they have grown. */
static int await_growth(struct power_cuts *cuts, int64_t growth, struct error *error)
{
	struct runall *runall = cuts->runall;
	int64_t before = scratch_size(cuts->recorded), size;
	int64_t patience = clock_after(PATIENCE + runall->drill.patience), end = CLOCK_NEVER;
	do {
		if (supervisor_until(&runall->watch, is_broken, 0, clock_after(LOOK)))
			return cannot_go_on(runall, error);
		size = scratch_size(cuts->recorded) - before;
		if (size > GROWTH_MIN && end == CLOCK_NEVER)
			end = clock_after(LOAD_MAX);
		if (size <= GROWTH_MIN && clock_now() >= patience)
			return error_set(error, "no line was logged");
	} while (size < growth && clock_now() < end);
	return 0;
}

int power_run_silently(void *unused, const char *path, char *const *argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)unused;
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO); /* else it is not silent */
	(void)execv(path, argv);
	return 127;
}

int power_start(struct power_cuts *cuts, const char *directory, size_t i, int port,
		struct error *error)
{
	struct runall *runall = cuts->runall;
	bool last = i + 1 == runall->watch.servers;
	char log[PATH_MAX];
	scratch_target(cuts, directory, i, log);
	const struct server_place place = {
		.log = log, .port = port, .next = last ? NULL : &cuts->addresses[i + 1]};
	if (start_server_at(runall, i, &place, &cuts->addresses[i], error) < 0)
		return -1;
	runall->address = cuts->addresses[0];
	return 0;
}

/* Only the first server promises something to clients. */
static int start_recorded(struct power_cuts *cuts, size_t i, int port, struct error *error)
{
	struct supervisor *watch = &cuts->runall->watch;
	struct recorder *recorder = watch->run_context;
	recorder->files_only = i > 0;
	watch->run = recorder_run;
	int result = power_start(cuts, cuts->recorded, i, port, error);
	watch->run = NULL;
	return result;
}

static int start_all(struct power_cuts *cuts, struct error *error)
{
	for (size_t i = cuts->runall->watch.servers; i-- > 0;)
		if (start_recorded(cuts, i, i ? 0 : (int)cuts->runall->options.port, error) < 0)
			return -1;
	return 0;
}

/* Kills one, and starts it again. What it finds then needs not be on the disk. */
static int kill_and_start(struct power_cuts *cuts, struct error *error)
{
	struct supervisor *watch = &cuts->runall->watch;
	size_t i = (size_t)random_next(&cuts->random) % watch->servers;
	process_signal(&watch->children[i], RECORDER_KILL);
	if (!supervisor_until(watch, supervisor_over, i, clock_after(PATIENCE)))
		return error_set(error, "cannot kill the server");
	return start_recorded(cuts, i, cuts->addresses[i].port, error);
}

int power_record(struct power_cuts *cuts, int trace, struct error *error)
{
	struct runall *runall = cuts->runall;
	struct recorder recorder = {.directory = cuts->recorded, .trace = trace};
	runall->watch.run_context = &recorder;
	int result = start_all(cuts, error);
	runall->watch.run = power_run_silently;
	if (result == 0)
		result = start_clients(runall, error);
	runall->watch.run = NULL;
	if (result == 0)
		result = await_growth(cuts, GROWTH / 2, error);
	if (result == 0)
		result = kill_and_start(cuts, error);
	if (result == 0)
		result = await_growth(cuts, GROWTH / 2, error);
	end_clients(runall, true);
	end_servers(runall, result == 0);
	for (size_t i = 0; i < runall->watch.servers && result == 0; i++)
		if (!process_succeeded(&runall->watch.children[i]))
			result = error_set(error, "the %s that was recorded has failed",
					   relay_chain_names[i]);
	return result;
}
