/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each scan reads a value at the start of *at and moves *at behind it. Returns 0, or -1. */

static int number_scan(const char **at, int64_t *number)
{
	size_t sign = **at == '-', digits = strspn(*at + sign, "0123456789");
	if (!digits || digits > 23) /* more than any number needs */
		return -1;
	errno = 0;
	*number = strtoll(*at, NULL, 10);
	*at += sign + digits;
	return errno ? -1 : 0;
}

/* A number such as 5 or 0.5. */
static int decimal_scan(const char **at, double *value)
{
	size_t length = strspn(*at, "0123456789.");
	char *end;
	if (!length || length > 18 || **at == '.' || (*at)[length - 1] == '.')
		return -1;
	*value = strtod(*at, &end);
	if (end != *at + length) /* 1.2.3, or 1e5 */
		return -1;
	*at = end;
	return 0;
}

static const struct {
	const char *name;
	double nanoseconds;
} units[] = {{"", 1e9},	  {"ns", 1},	 {"us", 1e3},	 {"ms", 1e6}, {"s", 1e9},
	     {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {NULL, 0}};

void duration_write(int64_t nanoseconds, char string[DURATION_EXACT_SIZE])
{
	size_t i = sizeof units / sizeof *units - 2;
	while (i > 1 && nanoseconds % (int64_t)units[i].nanoseconds)
		i--;
	(void)snprintf(string, DURATION_EXACT_SIZE, "%" PRId64 "%s",
		       nanoseconds / (int64_t)units[i].nanoseconds,
		       nanoseconds ? units[i].name : "");
}

static int duration_scan(const char **at, int64_t *nanoseconds)
{
	double value;
	if (decimal_scan(at, &value) < 0)
		return -1;
	size_t length = strcspn(*at, ":"), i = 0;
	while (units[i].name &&
	       (strlen(units[i].name) != length || memcmp(units[i].name, *at, length) != 0))
		i++;
	value *= units[i].nanoseconds;
	if (!units[i].name)
		return -1;
	*nanoseconds = value <= 9e18 ? (int64_t)(value + 0.5) : INT64_MAX;
	*at += length;
	return 0;
}

/* A whole string: one value, or MIN:MAX. */
static int range_scan(const char *string, int (*scan)(const char **, int64_t *),
		      struct range *range)
{
	if (scan(&string, &range->min) < 0)
		return -1;
	range->max = range->min;
	if (*string == ':' && (++string, scan(&string, &range->max) < 0))
		return -1;
	return *string || range->min > range->max ? -1 : 0;
}

int number_parse(const char *string, int64_t min, int64_t max, int64_t *number)
{
	int64_t value;
	if (number_scan(&string, &value) < 0 || *string || value < min || value > max)
		return -1;
	*number = value;
	return 0;
}

int duration_parse(const char *string, int64_t *nanoseconds)
{
	int64_t value;
	if (duration_scan(&string, &value) < 0 || *string)
		return -1;
	*nanoseconds = value;
	return 0;
}

/* A number and K, M, G or T, in bytes. */
static int size_parse(const char *string, int64_t *bytes)
{
	static const char sizes[] = "KMGT";
	double value;
	const char *unit;
	if (decimal_scan(&string, &value) < 0 || !*string || string[1] ||
	    !(unit = strchr(sizes, *string)))
		return -1;
	for (const char *at = sizes; at <= unit; at++)
		value *= 1024;
	*bytes = value <= 9e18 ? (int64_t)value : INT64_MAX;
	return 0;
}

int limit_parse(const char *string, bool counts, struct limit *limit)
{
	struct limit value = {0};
	bool bare = !string[strspn(string, "0123456789.")];
	if (bare && (!counts || number_parse(string, 1, INT64_MAX, &value.value) < 0))
		return -1;
	if (!bare && size_parse(string, &value.value) == 0)
		value.unit = LIMIT_BYTES;
	else if (!bare && duration_parse(string, &value.value) == 0)
		value.unit = LIMIT_NANOSECONDS;
	if (value.value <= 0)
		return -1;
	*limit = value;
	return 0;
}

int range_parse(const char *string, struct range *range)
{
	struct range value;
	if (range_scan(string, duration_scan, &value) < 0)
		return -1;
	*range = value;
	return 0;
}

int counts_parse(const char *string, int64_t min, int64_t max, struct range *range)
{
	struct range value;
	if (range_scan(string, number_scan, &value) < 0 || value.min < min || value.max > max)
		return -1;
	*range = value;
	return 0;
}

int decimal_parse(const char *string, int64_t min, int64_t max, int64_t *millionths)
{
	double value;
	const char *point = strchr(string, '.');
	if (decimal_scan(&string, &value) < 0 || *string || value > 9e12 ||
	    (point && strlen(point) > sizeof ".123456" - 1))
		return -1;
	int64_t given = (int64_t)(value * 1e6 + 0.5);
	if (given < min || given > max)
		return -1;
	*millionths = given;
	return 0;
}

int percent_parse(const char *string, int64_t *millionths)
{
	double value;
	if (decimal_scan(&string, &value) < 0 || strcmp(string, "%") != 0 || value > 100)
		return -1;
	*millionths = (int64_t)(value * 1e4 + 0.5);
	return 0;
}
