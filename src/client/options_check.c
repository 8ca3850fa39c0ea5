/* SPDX-License-Identifier: MIT */
/* Options that exclude each other or need each other. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/line_template.h"
#include "client/options.h"
#include "client/pattern.h"
#include "client/workload/workload.h"
#include "measure/assertions.h"
#include "net/http.h"
#include "once/words.h"

enum { TAG_WORDS_MAX = 1024 };

/* The first option given that says which lines are sent and how; NULL: none. */
static const char *option_of_lines(const struct client_options *options)
{
	return options->iterations > 0	      ? "ni"
	       : options->threads > 1	      ? "nt"
	       : options->order == ORDER_FREE ? "order"
	       : options->message	      ? "message"
	       : options->size > 0	      ? "size"
					      : NULL;
}

/* The first option given that is about answers of other servers; NULL: none. */
static const char *option_of_answers(const struct client_options *options)
{
	return options->rules.answer	 ? "answer"
	       : options->rules.end	 ? "answer-end"
	       : options->rules.greeting ? "greeting"
					 : NULL;
}

/* Lines of an input are sent in order and as they are. */
static int check_input(const struct client_options *options, struct error *error)
{
	const char *name = option_of_lines(options);
	if (!name)
		return 0;
	return error_set(
		error, "-%s: not with -input, which sends its lines in order and unchanged", name);
}

static int check_probe(const struct client_options *options, struct error *error)
{
	const char *name = options->input	    ? "input"
			   : options->duration > 0  ? "duration"
			   : options->report >= 0   ? "report"
			   : options->interval > 0  ? "interval"
			   : options->expect	    ? "expect"
			   : options->http	    ? "http"
			   : options->line_end >= 0 ? "eol"
						    : option_of_lines(options);
	if (!name)
		name = option_of_answers(options);
	return name ? error_set(error, "-%s: not with -probe, which sends no lines", name) : 0;
}

/* Options do not stand behind a file: they would be followed, and waited for. */
static int check_names(const struct client_options *options, struct error *error)
{
	if (!strcmp(options->follow, "-"))
		return error_set(error, "-follow: '-' is no file; -input - sends standard input");
	for (int64_t i = 0; i < options->file_count; i++) {
		const char *name = options->files[i];
		if (*name == '-')
			return error_set(error,
					 "'%.100s' stands behind a file: options come first, and a "
					 "file of that name is './%.100s'",
					 name, name);
		if (!*name)
			return error_set(error, "-follow: '' is no file");
	}
	return 0;
}

/* Files are followed until a signal ends it, by a thread and a connection each. */
static int check_follow(const struct client_options *options, struct error *error)
{
	const char *lines = option_of_lines(options);
	const char *name = lines		    ? lines
			   : options->input	    ? "input"
			   : options->duration > 0  ? "duration"
			   : options->rate > 0	    ? "rate"
			   : options->delay.max > 0 ? "delay"
			   : options->warmup > 0    ? "warmup"
			   : options->connect >= 0  ? "connect"
			   : options->report >= 0   ? "report"
			   : options->interval > 0  ? "interval"
			   : options->expect	    ? "expect"
			   : options->acks >= 0	    ? "acks"
			   : options->probe	    ? "probe"
			   : options->order >= 0    ? "order"
			   : options->seed >= 0	    ? "seed"
			   : options->number >= 0   ? "id"
			   : options->line_end >= 0 ? "eol"
						    : option_of_answers(options);
	if (name)
		return error_set(error, "-%s: not with -follow, which sends files as they grow",
				 name);
	if (options->tag && strlen(options->tag) > TAG_WORDS_MAX)
		return error_set(error, "-tag: longer than %d bytes", TAG_WORDS_MAX);
	if (options->tag && line_template_check("tag", "hf%", options->tag, error) < 0)
		return -1;
	return check_names(options, error);
}

/* Options that need others. */
static int check_files(const struct client_options *options, struct error *error)
{
	const char *name = options->partial >= 0 ? "partial" : options->tag ? "tag" : NULL;
	if (options->follow)
		return check_follow(options, error);
	if (options->file_count)
		return error_set(error, "unexpected argument '%.100s'; see -help",
				 options->files[0]);
	if (options->long_lines >= 0 && !options->input)
		return error_set(error, "-long: only with -input or -follow");
	return name ? error_set(error, "-%s: only with -follow", name) : 0;
}

/* Each trial sends for a time, and is judged by the conditions. */
static int check_find(const struct client_options *options, struct error *error)
{
	struct assertions conditions;
	int report = options->report;
	const char *name = options->iterations > 0  ? "ni"
			   : options->input	    ? "input"
			   : options->delay.max > 0 ? "delay"
			   : options->expect	    ? "expect"
			   : options->interval > 0  ? "interval"
			   : options->http	    ? "http"
			   : options->follow	    ? "follow"
			   : options->probe	    ? "probe"
			   : options->acks >= 0	    ? "acks"
			   : report >= 0 && report != REPORT_TEXT && report != REPORT_JSON
				   ? "report"
				   : NULL;
	if (!options->find)
		return 0;
	if (name)
		return error_set(
			error, "-%s: not with -find, which makes one trial after the other", name);
	if (assertions_parse(&conditions, options->find, error) == 0)
		return 0;
	struct error reason = *error; /* it begins with -expect */
	return error_set(error, "-find%.400s", reason.message + strlen("-expect"));
}

/* Refuses options that exclude each other. */
static int check_together(const struct client_options *options, struct error *error)
{
	if (check_files(options, error) < 0)
		return -1;
	if (options->arrivals >= 0 && options->rate <= 0 && !options->find)
		return error_set(error, "-arrivals: only with -rate or -find");
	if (options->probe)
		return check_probe(options, error);
	if (options->input)
		return check_input(options, error);
	if (options->duration > 0 && options->iterations > 0)
		return error_set(error, "-ni: not with -duration");
	if (options->rate > 0 && options->delay.max > 0)
		return error_set(error, "-delay: not with -rate, which sets the schedule");
	if (options->order == ORDER_FREE && options->connect == CONNECT_SHARED)
		return error_set(error, "-connect shared: not with -order free, where each "
					"thread has its own connection");
	return 0;
}

/* Each request says how much is to be sent, and is answered with the report. */
static int check_http(const struct client_options *options, struct error *error)
{
	const char *name = options->iterations > 0				    ? "ni"
			   : options->threads > 0				    ? "nt"
			   : options->duration >= 0				    ? "duration"
			   : options->delay.min >= 0				    ? "delay"
			   : options->rate > 0					    ? "rate"
			   : options->order >= 0				    ? "order"
			   : options->connect >= 0				    ? "connect"
			   : options->input					    ? "input"
			   : options->interval > 0				    ? "interval"
			   : options->report >= 0 && options->report != REPORT_JSON ? "report"
										    : NULL;
	if (http_check_options(options->http, options->http_token, error) < 0)
		return -1;
	if (!options->http || options->follow || !name)
		return 0;
	return error_set(error, "-%s: not with -http, where requests say what is sent", name);
}

/* Of numbered lines. Each thread in free order has a name of its own. */
int client_options_check_source(const struct client_options *options, struct error *error)
{
	size_t suffix = 0;
	if (options->order == ORDER_FREE || (options->http && !options->follow))
		suffix = (size_t)snprintf(NULL, 0, "/%" PRId64,
					  options->http ? THREADS_MAX : options->threads);
	else if (options->connect == CONNECT_EACH)
		return error_set(error, "-connect each: with -service once only with -order free; "
					"threads that take turns are one sender");
	if (sender_is_name(slice_of(options->source)) &&
	    strlen(options->source) + suffix <= SENDER_NAME_MAX)
		return 0;
	return error_set(error,
			 "-source: '%.160s' is not a name of 1 to %zu printable ASCII characters "
			 "without a blank",
			 options->source, SENDER_NAME_MAX - suffix);
}

/* They are made again for each session. */
static int check_pattern(const char *option, const char *text, struct error *error)
{
	struct pattern *pattern = text ? pattern_make(option, text, error) : NULL;
	bool wrong = text && !pattern;
	pattern_free(pattern);
	return wrong ? -1 : 0;
}

static int check_patterns(const struct answer_rules *rules, struct error *error)
{
	return check_pattern("-answer", rules->answer, error) < 0 ||
			       check_pattern("-answer-end", rules->end, error) < 0 ||
			       check_pattern("-greeting", rules->greeting, error) < 0
		       ? -1
		       : 0;
}

int client_options_check(const struct client_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->service];
	struct assertions expected;
	if (workload->chain && options->threads > 1)
		return error_set(error, "-nt: not with -service %s, which has one thread",
				 workload->name);
	if (check_find(options, error) < 0 || check_http(options, error) < 0 ||
	    check_together(options, error) < 0 ||
	    (options->expect && assertions_parse(&expected, options->expect, error) < 0))
		return -1;
	if (check_patterns(&options->rules, error) < 0)
		return -1;
	return options->message ? line_template_check("message", LINE_TEMPLATE_LETTERS,
						      options->message, error)
				: 0;
}
