/* SPDX-License-Identifier: MIT */
#include "runall/relay_chain.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/program.h"
#include "relay/relay.h"
#include "verify/relay_chain.h"

#define STAGE_READY (10 * CLOCK_SECOND) /* until it listens */
#define STAGE_END (5 * CLOCK_SECOND)	/* beyond what it may wait for its lines */
#define STAGE_DRAIN (60 * CLOCK_SECOND) /* for its lines, beyond what their delays take */
#define STAGE_DRAIN_MOST (24 * 3600 * CLOCK_SECOND)

enum { STAGE_LINE = 65536, STAGE_WORKERS = 10 };

static const char *const names[] = {"server", "process", "save"};
static const char process_log[] = "process.log", save_log[] = "save.log";
static const char usual_delay[] = "0:5s", usual_workers[] = "10";

/* The program of a stage: 0 process, 1 save. */
static size_t place(const struct supervisor *watch, size_t stage)
{
	return watch->count - RELAY_STAGES + stage;
}

/* Options that are given to each stage as it needs them, or to one of them only. */
static bool is_placed(const char *name)
{
	static const char *const placed[] = {"service", "log",	"drain", "maxline", "workers",
					     "delay",	"work", "seed",	 "next"};
	for (size_t i = 0; i < sizeof placed / sizeof *placed; i++)
		if (!strcmp(name, placed[i]))
			return true;
	return false;
}

int64_t relay_stages_patience(const struct runall_options *options)
{
	const struct server_options *server = &options->server;
	if (runall_option_given(options, "drain"))
		return server->drain;
	int64_t lines = options->clients * options->client.iterations;
	int64_t workers = *(const int64_t *)server_option(server, "workers");
	int64_t delay = server->delay.min >= 0 ? server->delay.max : 5 * CLOCK_SECOND;
	if (workers < 0)
		workers = STAGE_WORKERS;
	double work = (double)(lines / workers + 1) * (double)delay + (double)STAGE_DRAIN;
	return work < (double)STAGE_DRAIN_MOST ? (int64_t)work : STAGE_DRAIN_MOST;
}

static void prepare(struct relay_stages *stages)
{
	const struct runall_options *options = stages->options;
	int64_t first = runall_option_given(options, "maxline") ? options->server.maxline
								: STAGE_LINE - 2 * RELAY_OVERHEAD;
	(void)snprintf(stages->drain, sizeof stages->drain, "%" PRId64 "ms",
		       relay_stages_patience(options) / CLOCK_MILLISECOND);
	for (int64_t i = 0; i < 3; i++)
		(void)snprintf(stages->maxlines[i], sizeof stages->maxlines[i], "%" PRId64,
			       first + i * RELAY_OVERHEAD);
}

/* What all have in common, and where they listen. */
static void begin_list(struct relay_stages *stages, struct argument_list *list)
{
	argument_add(list, program_name(stages->program), NULL);
	argument_add(list, "-host", "127.0.0.1");
	argument_add(list, "-port", "0");
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++) {
		const struct handed_option *handed = &stages->options->handed[i];
		if (handed->server && (handed->flag || handed->value) &&
		    !is_placed(handed->server->name))
			argument_add(list, handed->word, handed->value);
	}
}

/* Gives process what is its own, as it was given, or as is usual. */
static void hand_work(const struct runall_options *options, struct argument_list *list)
{
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++) {
		const struct handed_option *handed = &options->handed[i];
		const char *name = handed->server ? handed->server->name : "";
		if (handed->value && (!strcmp(name, "workers") || !strcmp(name, "delay") ||
				      !strcmp(name, "work") || !strcmp(name, "seed")))
			argument_add(list, handed->word, handed->value);
	}
	if (!runall_option_given(options, "workers"))
		argument_add(list, "-workers", usual_workers);
	if (!runall_option_given(options, "delay") && !runall_option_given(options, "work"))
		argument_add(list, "-delay", usual_delay);
}

static bool is_ready_or_over(const struct supervisor *watch)
{
	return supervisor_ready(watch) || !watch->children[watch->starting].running ||
	       supervisor_interrupted(watch);
}

/* Starts a stage and waits until it listens; *where becomes its HOST:PORT. */
static int start_stage(struct relay_stages *stages, struct supervisor *watch, size_t stage,
		       struct argument_list *list, char where[SOCKET_NAME_SIZE + 8],
		       struct error *error)
{
	char number[16], words[128];
	size_t i = place(watch, stage);
	int pipe = supervisor_pipe(watch, i, error);
	if (pipe < 0)
		return -1;
	(void)snprintf(number, sizeof number, "%d", pipe);
	argument_add(list, "-ready", number);
	struct process_setup setup = {.path = stages->program,
				      .argv = list->words,
				      .input = -1,
				      .keep = pipe,
				      .death_signal = SIGTERM};
	if (supervisor_start(watch, i, &setup, error) < 0)
		return -1;
	watch->starting = i;
	bool known = supervisor_until(watch, is_ready_or_over, clock_after(STAGE_READY));
	bool ready = supervisor_ready(watch);
	watch->starting = 0;
	if (supervisor_interrupted(watch))
		return error_set(error, "interrupted");
	if (ready) {
		const struct buffer *text = &watch->outputs[i].text;
		const char *blank = memchr(text->bytes, ' ', text->length);
		const char *end = memchr(text->bytes, '\n', text->length);
		if (!blank || blank > end)
			return error_set(error, "cannot understand where %s listens",
					 names[stage + 1]);
		(void)snprintf(where, SOCKET_NAME_SIZE + 8, "%.*s:%.*s", (int)(blank - text->bytes),
			       text->bytes, (int)(end - blank - 1), blank + 1);
		return 0;
	}
	process_describe(&watch->children[i], words, sizeof words);
	return known ? error_set(error, "%s %s before it listened", names[stage + 1], words)
		     : error_set(error, "%s does not listen after %d s", names[stage + 1],
				 (int)(STAGE_READY / CLOCK_SECOND));
}

int relay_stages_start(struct relay_stages *stages, struct supervisor *watch, struct error *error)
{
	struct argument_list save = {0}, process = {0};
	prepare(stages);
	begin_list(stages, &save);
	argument_add(&save, "-log", save_log);
	argument_add(&save, "-maxline", stages->maxlines[2]);
	if (start_stage(stages, watch, 1, &save, stages->save, error) < 0)
		return -1;
	begin_list(stages, &process);
	argument_add(&process, "-service", "relay");
	argument_add(&process, "-log", process_log);
	argument_add(&process, "-maxline", stages->maxlines[1]);
	argument_add(&process, "-next", stages->save);
	argument_add(&process, "-drain", stages->drain);
	hand_work(stages->options, &process);
	return start_stage(stages, watch, 0, &process, stages->process, error);
}

void relay_stages_hand(struct relay_stages *stages, struct argument_list *list)
{
	const struct runall_options *options = stages->options;
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++) {
		const struct handed_option *handed = &options->handed[i];
		const char *name = handed->server ? handed->server->name : NULL;
		if (name && (handed->flag || handed->value) &&
		    (!is_placed(name) || !strcmp(name, "service") || !strcmp(name, "log")))
			argument_add(list, handed->word, handed->value);
	}
	argument_add(list, "-next", stages->process);
	argument_add(list, "-drain", stages->drain);
	argument_add(list, "-maxline", stages->maxlines[0]);
}

bool relay_stages_settled(const struct supervisor *watch)
{
	return supervisor_server_over(watch) || !watch->children[place(watch, 0)].running ||
	       !watch->children[place(watch, 1)].running;
}

static bool process_over(const struct supervisor *watch)
{
	return !watch->children[place(watch, 0)].running;
}

static bool save_over(const struct supervisor *watch)
{
	return !watch->children[place(watch, 1)].running;
}

/* As for the server: what process has, it can forward only to save. */
static bool process_settled(const struct supervisor *watch)
{
	return process_over(watch) || save_over(watch);
}

void relay_stages_end(struct supervisor *watch, int64_t patience)
{
	bool (*const settled[])(const struct supervisor *) = {process_settled, save_over};
	bool (*const over[])(const struct supervisor *) = {process_over, save_over};
	for (size_t i = 0; i < RELAY_STAGES; i++) {
		const struct process *child = &watch->children[place(watch, i)];
		process_signal(child, SIGTERM);
		(void)supervisor_until(watch, settled[i], clock_after(patience + STAGE_END));
		process_signal(child, SIGTERM); /* once more: at once */
		(void)supervisor_until(watch, over[i], clock_after(STAGE_END));
		process_signal(child, SIGKILL);
		(void)supervisor_until(watch, over[i], clock_after(STAGE_END));
	}
}

bool relay_stages_failed(const struct supervisor *watch, size_t i, char *words, size_t size)
{
	const struct process *child = &watch->children[place(watch, i)];
	char how[128];
	if (!child->pid || process_succeeded(child))
		return false;
	process_describe(child, how, sizeof how);
	(void)snprintf(words, size, "%s %s", names[i + 1], how);
	return true;
}

int relay_stages_prove(const struct runall_options *options, struct verdict *verdict,
		       struct error *error)
{
	const struct verify_chain chain = {
		.logs = {options->server.log, process_log, save_log},
		.names = {names[0], names[1], names[2]},
		.worked = runall_option_given(options, "work"),
		.planned = options->clients * options->client.iterations,
		.appended = options->server.append,
	};
	return verify_chain(&chain, verdict, error);
}
