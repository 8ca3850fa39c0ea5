/* SPDX-License-Identifier: MIT */
#include "measure/assertions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

enum { METRIC_RATE = 4 }; /* its index in metrics[] */

/* The counts first, in the order of count_of(). */
static const struct metric {
	const char *name;
	enum assertion_kind kind;
	double fraction;
} metrics[] = {
	{"sent", ASSERTION_COUNT, 0},  {"acknowledged", ASSERTION_COUNT, 0},
	{"lost", ASSERTION_COUNT, 0},  {"dup", ASSERTION_COUNT, 0},
	{"rate", ASSERTION_COUNT, 0},  {"order", ASSERTION_ORDER, 0},
	{"min", ASSERTION_LATENCY, 0}, {"max", ASSERTION_LATENCY, 1},
};

static double count_of(const struct result *result, size_t metric)
{
	const struct counters *total = &result->total;
	const double counts[] = {(double)total->sent, (double)total->acknowledged,
				 (double)(total->sent - total->acknowledged), (double)total->resent,
				 result_rate(result)};
	return counts[metric];
}

/* Reads pNN or pNN.N as a fraction of 1. */
static bool read_percentile(const char *name, double *fraction)
{
	const char *digits = name + 1;
	size_t length = strlen(digits);
	if (*name != 'p' || !length || length > 8 || strspn(digits, "0123456789.") != length ||
	    *digits == '.' || digits[length - 1] == '.')
		return false;
	char *end;
	*fraction = strtod(digits, &end) / 100;
	return !*end && *fraction > 0 && *fraction < 1;
}

static bool read_name(struct assertion *assertion, const char *name)
{
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		if (!strcmp(name, metrics[i].name)) {
			assertion->kind = metrics[i].kind;
			assertion->metric = i;
			assertion->fraction = metrics[i].fraction;
			return true;
		}
	assertion->kind = ASSERTION_LATENCY;
	return read_percentile(name, &assertion->fraction);
}

/* Reads <, <=, =, >= or >. Returns its end. */
static const char *read_relation(struct assertion *assertion, const char *at)
{
	assertion->less = *at == '<';
	assertion->greater = *at == '>';
	assertion->equal = *at == '=' || at[1] == '=';
	return at + (*at != '=' && assertion->equal ? 2 : 1);
}

static bool read_value(struct assertion *assertion, const char *string)
{
	switch (assertion->kind) {
	case ASSERTION_COUNT:
		return number_parse(string, 0, INT64_MAX, &assertion->value) == 0;
	case ASSERTION_LATENCY:
		return duration_parse(string, &assertion->value) == 0;
	case ASSERTION_ORDER:
		assertion->value = !strcmp(string, "strict");
		return !assertion->less && !assertion->greater &&
		       (assertion->value || !strcmp(string, "free"));
	}
	return false;
}

/* Reads the assertion's source. */
static int parse(struct assertion *assertion, struct error *error)
{
	static const char *const expected[] = {
		[ASSERTION_COUNT] = "the value must be a whole number",
		[ASSERTION_LATENCY] = "the value must be a duration such as 250us or 5ms",
		[ASSERTION_ORDER] = "order can be =strict or =free",
	};
	char name[ASSERTION_SIZE];
	const char *source = assertion->source;
	size_t length = strcspn(source, "<>=");
	memcpy(name, source, length);
	name[length] = '\0';
	if (!source[length])
		return error_set(error,
				 "-expect: '%s' is not a condition such as lost=0 or p99<5ms",
				 source);
	if (!read_name(assertion, name))
		return error_set(error,
				 "-expect: '%s': '%s' is not one of sent, acknowledged, lost, "
				 "dup, order, rate, min, max, p50, p99.9 and the like",
				 source, name);
	if (!read_value(assertion, read_relation(assertion, source + length)))
		return error_set(error, "-expect: '%s': %s", source, expected[assertion->kind]);
	return 0;
}

int assertions_parse(struct assertions *assertions, const char *string, struct error *error)
{
	*assertions = (struct assertions){0};
	for (const char *at = string;; at++) {
		at += strspn(at, " ");
		size_t length = strcspn(at, ",");
		if (assertions->count == ASSERTIONS_MAX)
			return error_set(error, "-expect: more than %d conditions", ASSERTIONS_MAX);
		struct assertion *assertion = &assertions->list[assertions->count++];
		if (length >= sizeof assertion->source)
			return error_set(error, "-expect: '%.100s' is too long", at);
		memcpy(assertion->source, at, length);
		if (parse(assertion, error) < 0)
			return -1;
		at += length;
		if (!*at)
			return 0;
	}
}

static double measure(const struct assertion *assertion, const struct result *result)
{
	switch (assertion->kind) {
	case ASSERTION_COUNT:
		return count_of(result, assertion->metric);
	case ASSERTION_LATENCY:
		return (double)histogram_quantile(result->latency, assertion->fraction);
	case ASSERTION_ORDER:
		break;
	}
	return result->strict;
}

static struct assertion_outcome check(const struct assertion *assertion,
				      const struct result *result)
{
	bool needs_latency =
		assertion->kind == ASSERTION_LATENCY || assertion->metric == METRIC_RATE;
	if (needs_latency && !result->latency->count)
		return (struct assertion_outcome){0};
	double value = measure(assertion, result), limit = (double)assertion->value;
	return (struct assertion_outcome){.measured = true,
					  .value = value,
					  .met = value < limit	 ? assertion->less
						 : value > limit ? assertion->greater
								 : assertion->equal};
}

bool assertions_check(const struct assertions *assertions, const struct result *result,
		      struct assertion_outcome *outcomes)
{
	bool met = result->total.acknowledged > 0;
	for (size_t i = 0; i < assertions->count; i++) {
		outcomes[i] = check(&assertions->list[i], result);
		met &= outcomes[i].met;
	}
	return met;
}

static const char *order_of(const struct assertion_outcome *outcome)
{
	return outcome->value > 0 ? "strict" : "free";
}

static int compare(double one, double other)
{
	return (one > other) - (one < other);
}

enum { DECIMALS_MAX = 17, DIGITS_MAX = 12, VALUE_SIZE = 64 };

/* Writes a value with as few decimals, but `decimals` unless it is whole, as leave it on its side
 * of the limit: what is shown decides as the comparison did. */
static void write_value(double value, double limit, int decimals, char string[VALUE_SIZE])
{
	int side = compare(value, limit);
	if (compare(value, (double)(int64_t)value) == 0)
		decimals = 0;
	do
		(void)snprintf(string, VALUE_SIZE, "%.*f", decimals, value); /* always fits */
	while (compare(strtod(string, NULL), limit) != side && ++decimals <= DECIMALS_MAX);
}

/* The same for a latency. */
static void write_latency(double value, double limit, char string[VALUE_SIZE])
{
	int digits = 3, side = compare(value, limit);
	while (compare((double)duration_format_digits((int64_t)value, digits, string), limit) !=
		       side &&
	       digits < DIGITS_MAX)
		digits++;
}

bool assertion_describe(struct buffer *buffer, const struct assertion *assertion,
			const struct assertion_outcome *outcome)
{
	char measured[VALUE_SIZE] = "nothing was measured";
	double limit = (double)assertion->value;
	if (outcome->measured && assertion->kind == ASSERTION_LATENCY)
		write_latency(outcome->value, limit, measured);
	else if (outcome->measured && assertion->kind == ASSERTION_ORDER)
		(void)snprintf(measured, sizeof measured, "%s", order_of(outcome));
	else if (outcome->measured)
		write_value(outcome->value, limit, 0, measured);
	return buffer_printf(buffer, "expected %s: %s, %s", assertion->source, measured,
			     outcome->met ? "met" : "not met");
}

static bool add_measured(struct buffer *buffer, const struct assertion *assertion,
			 const struct assertion_outcome *outcome)
{
	char value[VALUE_SIZE];
	if (!outcome->measured)
		return buffer_append_string(buffer, "null");
	if (assertion->kind == ASSERTION_ORDER)
		return buffer_printf(buffer, "\"%s\"", order_of(outcome));
	write_value(outcome->value, (double)assertion->value, 1, value);
	return buffer_append_string(buffer, value);
}

static bool add_json(struct buffer *buffer, const struct assertion *assertion,
		     const struct assertion_outcome *outcome, size_t client)
{
	return (!buffer->length || buffer_append(buffer, ",", 1)) &&
	       buffer_append(buffer, "{", 1) &&
	       (!client || buffer_printf(buffer, "\"client\":%zu,", client)) &&
	       /* it was parsed: there is nothing in it to escape */
	       buffer_printf(buffer, "\"condition\":\"%s\",\"measured\":", assertion->source) &&
	       add_measured(buffer, assertion, outcome) &&
	       buffer_printf(buffer, ",\"met\":%s}", outcome->met ? "true" : "false");
}

static bool add_junit(struct buffer *buffer, const struct assertion *assertion,
		      const struct assertion_outcome *outcome, size_t client)
{
	struct buffer failure = {0};
	bool complete = outcome->met || (assertion_describe(&failure, assertion, outcome) &&
					 buffer_append(&failure, "", 1));
	complete = complete &&
		   report_xml_test(buffer, "expect", client, assertion->source, failure.bytes);
	buffer_free(&failure);
	return complete;
}

bool assertion_report(struct buffer *buffer, int format, const struct assertion *assertion,
		      const struct assertion_outcome *outcome, size_t client)
{
	return format == REPORT_JUNIT ? add_junit(buffer, assertion, outcome, client)
				      : add_json(buffer, assertion, outcome, client);
}

bool assertion_report_no_answers(struct buffer *buffer, int format, size_t client)
{
	static const struct assertion answers = {.source = "acknowledged>0",
						 .kind = ASSERTION_COUNT};
	static const struct assertion_outcome none = {.measured = true};
	return assertion_report(buffer, format, &answers, &none, client);
}
