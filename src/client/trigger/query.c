/* SPDX-License-Identifier: MIT */
#include "client/trigger/query.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define VALUES_MAX INT64_C(1000000000)
#define DELAY_MAX (24 * 3600 * CLOCK_SECOND)

enum {
	VALUE_SIZE = 32, /* of any value, with its NUL */
	NAME_SHOWN = 40, /* bytes of an unknown name */
};

static const char *const names[] = {"connection_count", "connection_value", "delay_range"};

enum { NAMES = sizeof names / sizeof *names };

void trigger_query_init(struct trigger_query *query, int64_t connections_max)
{
	*query = (struct trigger_query){.connections = connections_max < 10 ? connections_max : 10,
					.values = 10,
					.delay = 5 * CLOCK_SECOND,
					.connections_max = connections_max};
}

static int take_number(const char *name, const char *value, int64_t max, int64_t *number,
		       struct error *error)
{
	if (number_parse(value, 1, max, number) == 0)
		return 0;
	return error_set(error, "%s: not a number from 1 to %" PRId64, name, max);
}

static int take_delay(const char *name, const char *value, int64_t *delay, struct error *error)
{
	int64_t given;
	if (duration_parse(value, &given) < 0 || given > DELAY_MAX)
		return error_set(error, "%s: not a time from 0 to 86400 s", name);
	*delay = given;
	return 0;
}

/* Bytes that are no text are not repeated. */
static int refuse_name(const char *name, struct error *error)
{
	bool shown = *name != '\0';
	for (const char *at = name; *at; at++)
		shown &= *at > ' ' && *at <= '~';
	return error_set(error,
			 "%.*s: there is no such parameter, only connection_count, "
			 "connection_value and delay_range",
			 (int)NAME_SHOWN, shown ? name : "?");
}

int trigger_query_take(struct trigger_query *query, const char *name, struct slice value,
		       struct error *error)
{
	char text[VALUE_SIZE] = "";
	size_t i = 0;
	while (i < NAMES && strcmp(names[i], name) != 0)
		i++;
	if (i == NAMES)
		return refuse_name(name, error);
	if (query->given[i])
		return error_set(error, "%s: given twice", name);
	query->given[i] = true;
	/* what does not fit, or has a NUL, is no value; neither is nothing */
	if (value.length && value.length < sizeof text && !memchr(value.bytes, 0, value.length))
		memcpy(text, value.bytes, value.length);
	if (i == 2)
		return take_delay(name, text, &query->delay, error);
	return take_number(name, text, i ? VALUES_MAX : query->connections_max,
			   i ? &query->values : &query->connections, error);
}
