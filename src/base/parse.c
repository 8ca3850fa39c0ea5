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

/* Reads a number such as 5 or 0.5 at the start of *at and moves it behind the number. */
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

/* The same for a duration. */
static int duration_scan(const char **at, int64_t *nanoseconds)
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {{"", 1e9},	 {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
		     {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0}};
	double value;
	if (decimal_scan(at, &value) < 0)
		return -1;
	size_t length = strcspn(*at, ":"), i = 0;
	while (units[i].name &&
	       (strlen(units[i].name) != length || memcmp(units[i].name, *at, length) != 0))
		i++;
	value *= units[i].nanoseconds;
	if (!units[i].name || value > 9e18)
		return -1;
	*nanoseconds = (int64_t)(value + 0.5);
	*at += length;
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

int range_parse(const char *string, struct range *range)
{
	struct range value;
	if (duration_scan(&string, &value.min) < 0)
		return -1;
	value.max = value.min;
	if (*string == ':' && (++string, duration_scan(&string, &value.max) < 0))
		return -1;
	if (*string || value.min > value.max)
		return -1;
	*range = value;
	return 0;
}

int counts_parse(const char *string, int64_t min, int64_t max, struct range *range)
{
	char first[24];
	size_t length = strcspn(string, ":");
	struct range value;
	if (length >= sizeof first)
		return -1;
	memcpy(first, string, length);
	first[length] = '\0';
	if (number_parse(first, min, max, &value.min) < 0 ||
	    number_parse(string[length] ? string + length + 1 : first, min, max, &value.max) < 0 ||
	    value.min > value.max)
		return -1;
	*range = value;
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
