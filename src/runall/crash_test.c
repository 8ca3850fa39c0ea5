/* SPDX-License-Identifier: MIT */
#include "runall/crash_test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "measure/histogram.h"

#define PATIENCE (10 * CLOCK_SECOND) /* until a line is logged, beside clients' pauses */
#define CLIENT_RETRY "30s"
#define CLIENT_ITERATIONS "1000000000" /* the most that there can be */

#define SOONEST_KILL (5 * CLOCK_MILLISECOND) /* after the first line was logged */
#define LATEST_KILL (100 * CLOCK_MILLISECOND)
#define LOOK_INTERVAL (2 * CLOCK_MILLISECOND) /* at the size of the log */
#define DEATH_TIMEOUT (10 * CLOCK_SECOND)     /* for a killed server to be gone */

enum { LOOKED_AT = 65536 }; /* bytes behind a start, in which a line is looked for */

void drill_set_up(struct drill *drill, const struct runall_options *options,
		  struct supervisor *watch)
{
	*drill = (struct drill){.watch = watch,
				.log = options->server.log,
				.patience = PATIENCE + options->client.delay.max,
				.seed = options->client.seed,
				.random = random_state((uint64_t)options->client.seed, 0, 0),
				.wanted = options->drill};
}

void drill_add_to_client(const struct runall_options *options, struct argument_list *list)
{
	argument_add(list, "-ni", CLIENT_ITERATIONS);
	if (!runall_option_given(options, "retry"))
		argument_add(list, "-retry", CLIENT_RETRY);
}

static bool client_over(const struct supervisor *watch)
{
	for (size_t i = 1; i < watch->count; i++)
		if (!watch->children[i].running)
			return true;
	return false;
}

/* Something has ended that the drill needs, or the drill itself is to end. */
static bool is_broken(const struct supervisor *watch)
{
	return supervisor_interrupted(watch) || supervisor_server_over(watch) || client_over(watch);
}

/* Why the drill does not go on. Clients that have ended are named by whoever knows them. */
static int tell_broken(const struct drill *drill, struct error *error)
{
	const struct process *server = &drill->watch->children[0];
	char words[128] = "the drill ended";
	if (supervisor_interrupted(drill->watch))
		return error_set(error, "interrupted");
	if (!server->running) {
		memcpy(words, "server ", sizeof "server ");
		process_describe(server, words + strlen(words), sizeof words - strlen(words));
	}
	return error_set(error, "%s after %" PRId64 " of %" PRId64 " kills", words, drill->kills,
			 drill->wanted);
}

static int64_t log_size(const struct drill *drill)
{
	struct stat status;
	return stat(drill->log, &status) == 0 ? status.st_size : 0;
}

/* Is a line among what the log has since the server's last start? In every format its record has
 * the word; a note does not. */
static bool has_lines(const struct drill *drill)
{
	static const char word[] = "received";
	char bytes[LOOKED_AT];
	int descriptor = open(drill->log, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	ssize_t length = pread(descriptor, bytes, sizeof bytes, drill->size);
	(void)close(descriptor); /* only read */
	return length > 0 && memmem(bytes, (size_t)length, word, sizeof word - 1);
}

void drill_note_start(struct drill *drill)
{
	/* the server notes its start before it says that it listens */
	drill->size = log_size(drill);
	drill->starts++;
}

/* Waits until lines are logged. */
static int await_work(struct drill *drill, struct error *error)
{
	int64_t deadline = clock_after(drill->patience);
	char time[DURATION_SIZE];
	while (!has_lines(drill)) {
		bool late = clock_now() >= deadline;
		if (supervisor_until(drill->watch, is_broken, clock_after(LOOK_INTERVAL)))
			return tell_broken(drill, error);
		if (!late)
			continue;
		duration_format(drill->patience, time);
		return error_set(error,
				 "no line was logged for %s after %" PRId64 " of %" PRId64 " kills",
				 time, drill->kills, drill->wanted);
	}
	return 0;
}

static bool was_killed(const struct process *server)
{
	return WIFSIGNALED(server->status) && WTERMSIG(server->status) == SIGKILL;
}

static int kill_server(struct drill *drill, struct error *error)
{
	const struct process *server = &drill->watch->children[0];
	int64_t pause = random_between(&drill->random, SOONEST_KILL, LATEST_KILL);
	if (supervisor_until(drill->watch, is_broken, clock_after(pause)))
		return tell_broken(drill, error);
	process_signal(server, SIGKILL);
	if (!supervisor_until(drill->watch, supervisor_server_over, clock_after(DEATH_TIMEOUT)))
		return error_set(error, "the server was killed, and goes on");
	if (!was_killed(server)) /* it had come to its end by itself */
		return tell_broken(drill, error);
	drill->kills++;
	return 0;
}

int drill_run(struct drill *drill, struct error *error)
{
	if (await_work(drill, error) < 0)
		return -1;
	while (drill->kills < drill->wanted)
		if (kill_server(drill, error) < 0 || drill->start(drill->context, error) < 0 ||
		    await_work(drill, error) < 0)
			return -1;
	return 0;
}
