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

#include "base/program.h"
#include "config.h"

enum {
	OPTIONS_MAX = 80,    /* entries of one table, with the common ones */
	OPTION_COMMON = 900, /* getopt's val for the common ones, and for those of a table */
	OPTION_VALUE = 1000,
};

/* The options that each program has. */
enum { COMMON_HELP, COMMON_VERSION };
static const struct option_spec common[] = {
	[COMMON_HELP] = {"help", OPTION_FLAG, NULL, "print this help and exit", .group = "Help"},
	[COMMON_VERSION] = {"version", OPTION_FLAG, NULL, "print the version and exit",
			    .offset = 0},
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
	[OPTION_DECIMAL] = {"a number", sizeof(int64_t), -1},
	[OPTION_DESCRIPTOR] = {"an open descriptor", sizeof(int64_t), -1},
	[OPTION_DURATION] = {"a duration such as 250ms, 5s or 2m", sizeof(int64_t), -1},
	[OPTION_RANGE] = {"a range of durations such as 0:20ms", sizeof(int64_t), -1},
	[OPTION_COUNTS] = {"a range such as 1:20 of numbers", sizeof(int64_t), -1},
	[OPTION_PERCENT] = {"a percentage such as 10% or 0.5%", sizeof(int64_t), -1},
	[OPTION_LIMIT] = {"a size such as 64M or a time such as 7d", sizeof(int64_t), 0},
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
	if (kind == OPTION_DECIMAL)
		(void)snprintf(details, sizeof details,
			       " from %.9g to %.9g with up to six digits behind the point",
			       (double)spec->min / 1e6, (double)spec->max / 1e6);
	if (kind == OPTION_LIMIT && spec->max)
		(void)snprintf(details, sizeof details, ", nor a number from 1");
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
	case OPTION_DECIMAL:
		return decimal_parse(value, spec->min, spec->max, place) == 0;
	case OPTION_PERCENT:
		return percent_parse(value, place) == 0;
	case OPTION_LIMIT:
		return limit_parse(value, spec->max, place) == 0;
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
	char names[96] = "";
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

const struct option_spec *option_find(const struct option_table *table, const char *name)
{
	for (const struct option_spec *spec = table->specs; spec->name; spec++)
		if (!strcmp(spec->name, name))
			return spec;
	return NULL;
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
	printf("Usage: %s [OPTION]...%s%s\n%s\n", program, table->operands ? " " : "",
	       table->operands ? table->operands : "", table->synopsis);
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

/* For getopt: option i of the table has the val OPTION_VALUE + i, and then come the common ones. */
static void fill_getopt(const struct option_table *table, struct option *options)
{
	int count = 0;
	for (const struct option_spec *spec = table->specs; spec->name; spec++, count++)
		options[count] = (struct option){
			.name = spec->name,
			.has_arg = spec->kind == OPTION_FLAG ? no_argument : required_argument,
			.val = OPTION_VALUE + count};
	for (size_t i = 0; common[i].name; i++)
		options[count++] = (struct option){.name = common[i].name,
						   .has_arg = no_argument,
						   .val = OPTION_COMMON + (int)i};
	options[count] = (struct option){0};
}

static bool is_name(const char *name, const char *word)
{
	word += 1 + (word[1] == '-');
	size_t length = strcspn(word, "=");
	return strlen(name) == length && !memcmp(name, word, length);
}

/* The option's entry, by what getopt returned for the word. Only a whole name counts: a part of one
 * could be meant for another option. */
static const struct option_spec *find_spec(const struct option_table *table, int code,
					   const char *word, struct error *error)
{
	const struct option_spec *spec = NULL;
	if (code >= OPTION_VALUE)
		spec = &table->specs[code - OPTION_VALUE];
	else if (code >= OPTION_COMMON)
		spec = &common[code - OPTION_COMMON];
	if (spec && is_name(spec->name, word))
		return spec;
	const char *problem = "unknown option '%.100s'; see -help";
	if (code == ':' && is_name(table->specs[optopt - OPTION_VALUE].name, word))
		problem = "option '%.100s' needs a value; see -help";
	else if (code == '?' && optopt >= OPTION_COMMON) /* a flag */
		problem = "option '%.100s' takes no value; see -help";
	return error_null(error, problem, word);
}

static enum option_outcome read_option(const struct option_table *table, void *settings,
				       const struct option_spec *spec, const char *program,
				       struct error *error)
{
	if (spec == &common[COMMON_HELP])
		show_help(table, program_name(program));
	else if (spec == &common[COMMON_VERSION])
		printf("%s (%s) %s\n", table->program, PACKAGE_NAME, PACKAGE_VERSION);
	else if (spec->unique && is_given(spec, settings)) {
		error_set(error, "-%s: given twice", spec->name);
		return OPTIONS_WRONG;
	} else
		return option_store(spec, settings, optarg, error) < 0 ? OPTIONS_WRONG
								       : OPTIONS_READ;
	return shown(error);
}

enum option_outcome options_read(const struct option_table *table, void *settings, int argc,
				 char **argv, struct error *error)
{
	struct option options[OPTIONS_MAX];
	fill_getopt(table, options);
	opterr = 0;
	optind = 0; /* what getopt remembers of another command line is forgotten, too */
	int code, at = 1;
	/* '+': stop at the first word that is no option, so that it can be refused by name */
	for (; (code = getopt_long_only(argc, argv, "+:", options, NULL)) != -1; at = optind) {
		const struct option_spec *spec = find_spec(table, code, argv[at], error);
		enum option_outcome outcome =
			spec ? read_option(table, settings, spec, argv[0], error) : OPTIONS_WRONG;
		if (outcome != OPTIONS_READ)
			return outcome;
	}
	if (optind >= argc || (table->operands && argv[optind][0] != '-'))
		return OPTIONS_READ;
	error_set(error, "unexpected argument '%.100s'; see -help", argv[optind]);
	return OPTIONS_WRONG;
}

int options_operands(void)
{
	return optind;
}

const char *options_peek(int argc, char **argv, const char *name)
{
	const char *found = NULL;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || !is_name(name, argv[i]))
			continue;
		const char *value = strchr(argv[i], '=');
		found = value ? value + 1 : argv[i + 1];
	}
	return found;
}
