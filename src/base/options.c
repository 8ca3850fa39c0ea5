/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "config.h"

enum {
	OPTIONS_MOST = 64,   /* entries of one table, with -help and -version */
	OPTION_VALUE = 1000, /* getopt's val for entry i is OPTION_VALUE + i */
	OPTION_HELP = 900,
	OPTION_VERSION,
};

static int refuse(const struct option_spec *spec, const char *value, const char *expected,
		  struct error *error)
{
	return error_set(error, "-%s: '%.100s' is not %s", spec->name, value, expected);
}

static int refuse_number(const struct option_spec *spec, const char *value, struct error *error)
{
	char expected[96];
	(void)snprintf(expected, sizeof expected, "a whole number from %lld to %lld",
		       (long long)spec->min, (long long)spec->max);
	return refuse(spec, value, expected, error);
}

static int store_choice(const struct option_spec *spec, int *choice, const char *value,
			struct error *error)
{
	char expected[160] = "one of";
	for (int i = 0; spec->choices[i]; i++) {
		if (!strcmp(spec->choices[i], value)) {
			*choice = i;
			return 0;
		}
		size_t length = strlen(expected);
		(void)snprintf(expected + length, sizeof expected - length, "%s %s", i ? "," : "",
			       spec->choices[i]);
	}
	return refuse(spec, value, expected, error);
}

static int store_duration(const struct option_spec *spec, void *place, const char *value,
			  struct error *error)
{
	struct range read;
	bool range = spec->kind == OPTION_RANGE;
	if ((range ? range_parse(value, &read) : duration_parse(value, &read.min)) < 0)
		return refuse(spec, value,
			      range ? "a range of durations such as 0:20ms"
				    : "a duration such as 250ms, 5s or 2m",
			      error);
	int64_t longest = range ? read.max : read.min;
	if (read.min < spec->min || longest > spec->max)
		return error_set(error, "-%s: '%.100s' is not between %gs and %gs", spec->name,
				 value, (double)spec->min / (double)CLOCK_SECOND,
				 (double)spec->max / (double)CLOCK_SECOND);
	if (range)
		*(struct range *)place = read;
	else
		*(int64_t *)place = read.min;
	return 0;
}

static int store_counts(const struct option_spec *spec, struct range *counts, const char *value,
			struct error *error)
{
	char expected[96];
	if (counts_parse(value, spec->min, spec->max, counts) == 0)
		return 0;
	(void)snprintf(expected, sizeof expected,
		       "a range such as 1:20 of numbers from %lld to %lld", (long long)spec->min,
		       (long long)spec->max);
	return refuse(spec, value, expected, error);
}

int option_store(const struct option_spec *spec, void *settings, const char *value,
		 struct error *error)
{
	void *place = (char *)settings + spec->offset;
	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_TEXT:
		if (!*value)
			return refuse(spec, value, "a value", error);
		*(const char **)place = value;
		return 0;
	case OPTION_NUMBER:
		if (number_parse(value, spec->min, spec->max, place) < 0)
			return refuse_number(spec, value, error);
		return 0;
	case OPTION_DESCRIPTOR:
		if (number_parse(value, spec->min, spec->max, place) < 0)
			return refuse_number(spec, value, error);
		if (fcntl((int)*(const int64_t *)place, F_GETFD) < 0)
			return refuse(spec, value, "an open descriptor", error);
		return 0;
	case OPTION_DURATION:
	case OPTION_RANGE:
		return store_duration(spec, place, value, error);
	case OPTION_COUNTS:
		return store_counts(spec, place, value, error);
	case OPTION_PERCENT:
		if (percent_parse(value, place) < 0)
			return refuse(spec, value, "a percentage such as 10% or 0.5%", error);
		return 0;
	case OPTION_CHOICE:
		return store_choice(spec, place, value, error);
	}
	return error_set(error, "-%s: unknown kind of option", spec->name);
}

bool option_suits(const struct option_spec *spec, const char *service)
{
	size_t length = strlen(service);
	for (const char *at = spec->only; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, service, length) && (at[length] == ',' || !at[length]))
			return true;
	}
	return !spec->only;
}

int option_refuse(const struct option_spec *spec, struct error *error)
{
	char names[64] = "";
	size_t length = 0;
	for (const char *at = spec->only; *at && length < sizeof names - 5; at++) {
		const char *word = *at == ',' ? " or " : (char[]){*at, '\0'};
		length += (size_t)snprintf(names + length, sizeof names - length, "%s", word);
	}
	return error_set(error, "-%s: only with -service %s", spec->name, names);
}

static bool is_given(const struct option_spec *spec, const void *settings)
{
	const void *place = (const char *)settings + spec->offset;
	switch (spec->kind) {
	case OPTION_FLAG:
		return *(const bool *)place;
	case OPTION_TEXT:
		return *(const char *const *)place != NULL;
	case OPTION_CHOICE:
		return *(const int *)place != -1;
	case OPTION_RANGE:
	case OPTION_COUNTS:
		return ((const struct range *)place)->min != -1;
	case OPTION_NUMBER:
	case OPTION_DESCRIPTOR:
	case OPTION_DURATION:
	case OPTION_PERCENT:
		break;
	}
	return *(const int64_t *)place != -1;
}

void option_unset(const struct option_spec *spec, void *settings)
{
	void *place = (char *)settings + spec->offset;
	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)place = false;
		return;
	case OPTION_TEXT:
		*(const char **)place = NULL;
		return;
	case OPTION_CHOICE:
		*(int *)place = -1;
		return;
	case OPTION_RANGE:
	case OPTION_COUNTS:
		*(struct range *)place = (struct range){-1, -1};
		return;
	case OPTION_NUMBER:
	case OPTION_DESCRIPTOR:
	case OPTION_DURATION:
	case OPTION_PERCENT:
		break;
	}
	*(int64_t *)place = -1;
}

int options_check_service(const struct option_table *table, const void *settings,
			  const char *service, struct error *error)
{
	for (const struct option_spec *spec = table->specs; spec->name; spec++)
		if (spec->only && !option_suits(spec, service) && is_given(spec, settings))
			return option_refuse(spec, error);
	return 0;
}

const struct option_spec *option_find(const struct option_table *table, const char *name)
{
	for (const struct option_spec *spec = table->specs; spec->name; spec++)
		if (!strcmp(spec->name, name))
			return spec;
	return NULL;
}

static void show_help(const struct option_table *table, const char *program)
{
	printf("Usage: %s [OPTION]...\n%s\n\n", program, table->synopsis);
	for (const struct option_spec *spec = table->specs; spec->name; spec++) {
		char left[64];
		(void)snprintf(left, sizeof left, "-%s%s%s", spec->name, spec->argument ? " " : "",
			       spec->argument ? spec->argument : "");
		printf("  %-22s %s\n", left, spec->help);
	}
	printf("  %-22s %s\n  %-22s %s\n\n", "-help", "show this help and exit", "-version",
	       "show the version and exit");
	printf("Durations: 250ms, 5s, 2m; a bare number is seconds. Ranges: MIN:MAX.\n"
	       "Exit status: 0 done, 1 something failed, 2 bad usage. See %s(1), ackline(7).\n",
	       table->program);
}

/* What -help and -version print must arrive: a full disk is a failure. */
static enum option_outcome shown(struct error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return OPTIONS_SHOWN;
	error_set(error, "cannot write to stdout: %s", strerror(errno));
	return OPTIONS_WRONG;
}

static void fill_getopt(const struct option_table *table, struct option *options)
{
	int count = 0;
	for (; table->specs[count].name && count < OPTIONS_MOST - 3; count++)
		options[count] = (struct option){.name = table->specs[count].name,
						 .has_arg = table->specs[count].kind == OPTION_FLAG
								    ? no_argument
								    : required_argument,
						 .val = OPTION_VALUE + count};
	options[count++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	options[count++] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
	options[count] = (struct option){0};
}

/* getopt has refused the word: says why, in our words. */
static enum option_outcome wrong_word(int code, const char *word, struct error *error)
{
	if (code == ':')
		error_set(error, "option '%.100s' needs a value; see -help", word);
	else if (optopt >= OPTION_HELP) /* a known flag, given a value */
		error_set(error, "option '%.100s' takes no value; see -help", word);
	else
		error_set(error, "unknown or ambiguous option '%.100s'; see -help", word);
	return OPTIONS_WRONG;
}

enum option_outcome options_read(const struct option_table *table, void *settings, int argc,
				 char **argv, struct error *error)
{
	struct option options[OPTIONS_MOST];
	fill_getopt(table, options);
	opterr = 0;
	optind = 0; /* what getopt remembers of another command line is forgotten, too */
	int code, at = 1;
	/* '+': stop at the first word that is no option, so that it can be refused by name */
	for (; (code = getopt_long_only(argc, argv, "+:", options, NULL)) != -1; at = optind) {
		if (code == OPTION_HELP) {
			show_help(table, program_name(argv[0]));
			return shown(error);
		}
		if (code == OPTION_VERSION) {
			printf("%s (%s) %s\n", table->program, PACKAGE_NAME, PACKAGE_VERSION);
			return shown(error);
		}
		if (code < OPTION_VALUE)
			return wrong_word(code, argv[at], error);
		const struct option_spec *spec = &table->specs[code - OPTION_VALUE];
		if (option_store(spec, settings, optarg, error) < 0)
			return OPTIONS_WRONG;
	}
	if (optind < argc) {
		error_set(error, "unexpected argument '%.100s'; see -help", argv[optind]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_READ;
}
