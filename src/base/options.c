/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "config.h"

/* The options that each program has. */
enum { COMMON_HELP, COMMON_VERSION };
static const struct option_spec common[] = {
	[COMMON_HELP] = {"help", OPTION_FLAG, NULL, "print this help and exit", .group = "Help"},
	[COMMON_VERSION] = {"version", OPTION_FLAG, NULL, "print the version and exit"},
	{0},
};

static const struct kind {
	const char *expected;
	size_t size; /* of the value; of a range, only its min counts */
	int unset;   /* each byte of the value of an option that was not given */
} kinds[] = {
	[OPTION_FLAG] = {"", sizeof(bool), 0},
	[OPTION_TEXT] = {"a value", sizeof(const char *), 0},
	[OPTION_NUMBER] = {"a whole number", sizeof(int64_t), -1},
	[OPTION_DESCRIPTOR] = {"an open descriptor", sizeof(int64_t), -1},
	[OPTION_DURATION] = {"a duration such as 250ms, 5s or 2m", sizeof(int64_t), -1},
	[OPTION_RANGE] = {"a range of durations such as 0:20ms", sizeof(int64_t), -1},
	[OPTION_COUNTS] = {"a range such as 1:20 of numbers", sizeof(int64_t), -1},
	[OPTION_PERCENT] = {"a percentage such as 10% or 0.5%", sizeof(int64_t), -1},
	[OPTION_CHOICE] = {"one of", sizeof(int), -1},
};

/* Says what the value should be. Returns -1. */
static int refuse(const struct option_spec *spec, const char *value, struct error *error)
{
	char details[160] = "";
	enum option_kind kind = spec->kind;
	int64_t number;
	if (kind == OPTION_DESCRIPTOR && number_parse(value, spec->min, spec->max, &number) < 0)
		kind = OPTION_NUMBER;
	if (kind == OPTION_NUMBER || kind == OPTION_COUNTS)
		(void)snprintf(details, sizeof details, " from %lld to %lld", (long long)spec->min,
			       (long long)spec->max);
	for (size_t i = 0, length = 0; kind == OPTION_CHOICE && spec->choices[i]; i++)
		length += (size_t)snprintf(details + length, sizeof details - length, "%s %s",
					   i ? "," : "", spec->choices[i]);
	return error_set(error, "-%s: '%.100s' is not %s%s", spec->name, value,
			 kinds[kind].expected, details);
}

static bool store_choice(const struct option_spec *spec, int *choice, const char *value)
{
	for (int i = 0; spec->choices[i]; i++)
		if (!strcmp(spec->choices[i], value)) {
			*choice = i;
			return true;
		}
	return false;
}

static bool store(const struct option_spec *spec, void *place, const char *value)
{
	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return true;
	case OPTION_TEXT:
		*(const char **)place = value;
		return *value;
	case OPTION_NUMBER:
		return number_parse(value, spec->min, spec->max, place) == 0;
	case OPTION_DESCRIPTOR:
		return number_parse(value, spec->min, spec->max, place) == 0 &&
		       fcntl((int)*(const int64_t *)place, F_GETFD) >= 0;
	case OPTION_DURATION:
		return duration_parse(value, place) == 0;
	case OPTION_RANGE:
		return range_parse(value, place) == 0;
	case OPTION_COUNTS:
		return counts_parse(value, spec->min, spec->max, place) == 0;
	case OPTION_PERCENT:
		return percent_parse(value, place) == 0;
	case OPTION_CHOICE:
		return store_choice(spec, place, value);
	}
	return false;
}

int option_store(const struct option_spec *spec, void *settings, const char *value,
		 struct error *error)
{
	void *place = (char *)settings + spec->offset;
	if (spec->kind > OPTION_CHOICE)
		return error_set(error, "-%s: unknown kind of option", spec->name);
	if (!store(spec, place, value))
		return refuse(spec, value, error);
	if (spec->kind != OPTION_DURATION && spec->kind != OPTION_RANGE)
		return 0;
	int64_t min = *(const int64_t *)place; /* also first in struct range */
	int64_t max = spec->kind == OPTION_RANGE ? ((const struct range *)place)->max : min;
	if (min >= spec->min && max <= spec->max)
		return 0;
	char least[DURATION_EXACT_SIZE], most[DURATION_EXACT_SIZE];
	duration_write(spec->min, least);
	duration_write(spec->max, most);
	return error_set(error, "-%s: '%.100s' is not between %s and %s", spec->name, value, least,
			 most);
}

void option_unset(const struct option_spec *spec, void *settings)
{
	const struct kind *kind = &kinds[spec->kind];
	memset((char *)settings + spec->offset, kind->unset, kind->size);
}

static bool is_given(const struct option_spec *spec, const void *settings)
{
	char unset[sizeof(int64_t)];
	const struct kind *kind = &kinds[spec->kind];
	memset(unset, kind->unset, kind->size);
	return memcmp((const char *)settings + spec->offset, unset, kind->size) != 0;
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

int options_check_service(const struct option_table *table, const void *settings,
			  const char *service, struct error *error)
{
	for (const struct option_spec *spec = table->specs; spec->name; spec++)
		if (spec->only && !option_suits(spec, service) && is_given(spec, settings))
			return option_refuse(spec, error);
	return 0;
}

static const struct option_spec *find(const struct option_spec *specs, const char *name,
				      size_t length)
{
	for (const struct option_spec *spec = specs; spec->name; spec++)
		if (strlen(spec->name) == length && !memcmp(spec->name, name, length))
			return spec;
	return NULL;
}

const struct option_spec *option_find(const struct option_table *table, const char *name)
{
	return find(table->specs, name, strlen(name));
}

static const char *group_of(const struct option_spec *specs, size_t i)
{
	while (i > 0 && !specs[i].group)
		i--;
	return specs[i].group ? specs[i].group : "Options";
}

/* Is entry i the first of its group? */
static bool begins_group(const struct option_spec *specs, size_t i)
{
	size_t first = 0;
	while (strcmp(group_of(specs, first), group_of(specs, i)) != 0)
		first++;
	return first == i;
}

static void show_group(const struct option_spec *specs, const char *group)
{
	printf("\n%s:\n", group);
	for (size_t i = 0; specs[i].name; i++) {
		const struct option_spec *spec = &specs[i];
		char left[64];
		if (strcmp(group_of(specs, i), group) != 0)
			continue;
		(void)snprintf(left, sizeof left, "-%s%s%s", spec->name, spec->argument ? " " : "",
			       spec->argument ? spec->argument : "");
		printf("  %-22s %s\n", left, spec->help);
	}
}

static void show_groups(const struct option_spec *specs)
{
	for (size_t i = 0; specs[i].name; i++)
		if (begins_group(specs, i))
			show_group(specs, group_of(specs, i));
}

static void show_help(const struct option_table *table, const char *program)
{
	printf("Usage: %s [OPTION]...\n%s\n", program, table->synopsis);
	show_groups(table->specs);
	show_groups(common);
	printf("\nTIME is a number and a unit: 250ms, 5s, 2m, 1h, 7d; without a unit it is in "
	       "seconds.\n"
	       "The default is in brackets. Exit status: 0 success, 1 failure, 2 wrong usage.\n"
	       "See also %s(1), ackline(7).\n",
	       table->program);
}

/* What -help and -version print must arrive: a full disk is a failure. */
static enum option_outcome shown(struct error *error)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return OPTIONS_SHOWN;
	error_set(error, "cannot write to stdout: %s", strerror(errno));
	return OPTIONS_NOT_SHOWN;
}

/* Finds the entry of a word that begins with a dash, and what stands behind its '=', or NULL. Only
 * a whole name counts: a part of one could be meant for another option. */
static const struct option_spec *find_word(const struct option_table *table, const char *word,
					   const char **value)
{
	const char *name = word + 1 + (word[1] == '-');
	size_t length = strcspn(name, "=");
	const struct option_spec *spec = find(table->specs, name, length);
	*value = name[length] ? name + length + 1 : NULL;
	return spec ? spec : find(common, name, length);
}

/* Reads the option at *at, and moves *at to its last word. */
static enum option_outcome read_option(const struct option_table *table, void *settings,
				       char **words, int *at, struct error *error)
{
	const char *word = words[*at], *value, *problem = NULL;
	const struct option_spec *spec = find_word(table, word, &value);
	if (!spec)
		problem = "unknown option '%.100s'; see -help";
	else if (spec->kind == OPTION_FLAG && value)
		problem = "option '%.100s' takes no value; see -help";
	else if (spec->kind != OPTION_FLAG && !value && !(value = words[++*at]))
		problem = "option '%.100s' needs a value; see -help";
	if (problem) {
		error_set(error, problem, word);
		return OPTIONS_WRONG;
	}
	if (spec == &common[COMMON_HELP])
		show_help(table, program_name(words[0]));
	else if (spec == &common[COMMON_VERSION])
		printf("%s (%s) %s\n", table->program, PACKAGE_NAME, PACKAGE_VERSION);
	else
		return option_store(spec, settings, value, error) < 0 ? OPTIONS_WRONG
								      : OPTIONS_READ;
	return shown(error);
}

enum option_outcome options_read(const struct option_table *table, void *settings, int argc,
				 char **argv, struct error *error)
{
	int at = 1;
	for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
		if (!strcmp(argv[at], "--")) {
			at++;
			break;
		}
		enum option_outcome outcome = read_option(table, settings, argv, &at, error);
		if (outcome != OPTIONS_READ)
			return outcome;
	}
	if (at >= argc)
		return OPTIONS_READ;
	error_set(error, "unexpected argument '%.100s'; see -help", argv[at]);
	return OPTIONS_WRONG;
}

const char *options_peek(int argc, char **argv, const char *name)
{
	const char *found = NULL, *value;
	const struct option_spec specs[] = {{.name = name}, {0}};
	const struct option_table table = {.specs = specs};
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && find_word(&table, argv[i], &value) == specs)
			found = value ? value : argv[i + 1];
	return found;
}
