/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int number_parse(const char *string, int64_t min, int64_t max, int64_t *number)
{
	const char *digits = *string == '-' ? string + 1 : string;
	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return -1;
	errno = 0;
	long long value = strtoll(string, NULL, 10);
	if (errno || value < min || value > max)
		return -1;
	*number = value;
	return 0;
}

/* One duration at the start of a string; *end is set behind it. Whole and decimal numbers. */
static int duration_scan(const char *string, const char **end, int64_t *nanoseconds)
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	size_t length = strspn(string, "0123456789.");
	if (!length || length > 18 || *string == '.' || string[length - 1] == '.')
		return -1;
	char *stop;
	double value = strtod(string, &stop);
	if (stop != string + length) /* 1.2.3, or 1e5 */
		return -1;
	size_t unit_length = strcspn(stop, ":");
	*end = stop + unit_length;
	double scale = unit_length ? 0 : 1e9;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strlen(units[i].name) == unit_length &&
		    !memcmp(units[i].name, stop, unit_length))
			scale = units[i].nanoseconds;
	if (scale <= 0 || value * scale > 9e18)
		return -1;
	*nanoseconds = (int64_t)(value * scale + 0.5);
	return 0;
}

int duration_parse(const char *string, int64_t *nanoseconds)
{
	const char *end;
	int64_t value;
	if (duration_scan(string, &end, &value) < 0 || *end)
		return -1;
	*nanoseconds = value;
	return 0;
}

int range_parse(const char *string, struct range *range)
{
	const char *end;
	struct range value;
	if (duration_scan(string, &end, &value.min) < 0)
		return -1;
	value.max = value.min;
	if (*end == ':' && (duration_scan(end + 1, &end, &value.max) < 0 || *end == ':'))
		return -1;
	if (value.min > value.max)
		return -1;
	*range = value;
	return 0;
}

int counts_parse(const char *string, int64_t min, int64_t max, struct range *range)
{
	char first[24];
	const char *colon = strchr(string, ':');
	size_t length = colon ? (size_t)(colon - string) : strlen(string);
	struct range value;
	if (length >= sizeof first)
		return -1;
	memcpy(first, string, length);
	first[length] = '\0';
	if (number_parse(first, min, max, &value.min) < 0 ||
	    number_parse(colon ? colon + 1 : first, min, max, &value.max) < 0 ||
	    value.min > value.max)
		return -1;
	*range = value;
	return 0;
}

int percent_parse(const char *string, int64_t *millionths)
{
	size_t length = strspn(string, "0123456789.");
	char *end;
	if (!length || length > 18 || *string == '.' || string[length - 1] == '.' ||
	    strcmp(string + length, "%") != 0)
		return -1;
	double value = strtod(string, &end);
	if (end != string + length || value > 100)
		return -1;
	*millionths = (int64_t)(value * 1e4 + 0.5);
	return 0;
}
