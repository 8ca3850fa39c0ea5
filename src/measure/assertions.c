/* SPDX-License-Identifier: MIT */
#include "measure/assertions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* The counts, by their place in count_of(). */
static const char *const count_names[] = {"sent", "acknowledged", "lost", "dup"};

static uint64_t count_of(const struct counters *total, size_t which)
{
	const uint64_t counts[] = {total->sent, total->acknowledged,
				   total->sent - total->acknowledged, total->resent};
	return counts[which];
}

/* pNN or pNN.N as a fraction of 1. */
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

static bool read_name(struct assertion *condition, const char *name)
{
	for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++)
		if (!strcmp(name, count_names[i])) {
			condition->kind = ASSERTION_COUNT;
			condition->count = i;
			return true;
		}
	condition->kind = ASSERTION_LATENCY;
	if (!strcmp(name, "rate"))
		condition->kind = ASSERTION_RATE;
	else if (!strcmp(name, "order"))
		condition->kind = ASSERTION_ORDER;
	else if (!strcmp(name, "min"))
		condition->fraction = 0;
	else if (!strcmp(name, "max"))
		condition->fraction = 1;
	else
		return read_percentile(name, &condition->fraction);
	return true;
}

/* Returns what stands behind the comparison. */
static const char *read_comparison(struct assertion *condition, const char *at)
{
	condition->less = *at == '<';
	condition->greater = *at == '>';
	condition->equal = *at == '=' || at[1] == '=';
	return at + (*at != '=' && condition->equal ? 2 : 1);
}

static bool read_value(struct assertion *condition, const char *string)
{
	switch (condition->kind) {
	case ASSERTION_COUNT:
	case ASSERTION_RATE:
		return number_parse(string, 0, INT64_MAX, &condition->value) == 0;
	case ASSERTION_LATENCY:
		return duration_parse(string, &condition->value) == 0;
	case ASSERTION_ORDER:
		condition->value = !strcmp(string, "strict");
		return !condition->less && !condition->greater &&
		       (condition->value || !strcmp(string, "free"));
	}
	return false;
}

/* The words are in the condition already. */
static int parse(struct assertion *condition, struct error *error)
{
	char name[ASSERTION_SIZE];
	size_t length = strcspn(condition->words, "<>=");
	memcpy(name, condition->words, length);
	name[length] = '\0';
	if (!condition->words[length])
		return error_set(error, "-expect: '%s' is no condition such as lost=0 or p99<5ms",
				 condition->words);
	if (!read_name(condition, name))
		return error_set(error,
				 "-expect: '%s': '%s' is not one of sent, acknowledged, lost, "
				 "dup, order, rate, min, max, p50, p99.9 and the like",
				 condition->words, name);
	const char *value = read_comparison(condition, condition->words + length);
	if (read_value(condition, value))
		return 0;
	return error_set(error, "-expect: '%s': %s", condition->words,
			 condition->kind == ASSERTION_LATENCY ? "not compared with a duration such "
								"as 250us or 5ms"
			 : condition->kind == ASSERTION_ORDER ? "order can be =strict or =free"
							      : "not compared with a whole number");
}

int assertions_parse(struct assertions *expected, const char *string, struct error *error)
{
	*expected = (struct assertions){0};
	for (const char *at = string;; at++) {
		at += strspn(at, " ");
		size_t length = strcspn(at, ",");
		if (expected->count == ASSERTIONS_MAX)
			return error_set(error, "-expect: more than %d conditions", ASSERTIONS_MAX);
		struct assertion *condition = &expected->conditions[expected->count++];
		if (length >= sizeof condition->words)
			return error_set(error, "-expect: '%.100s' is too long", at);
		memcpy(condition->words, at, length);
		if (parse(condition, error) < 0)
			return -1;
		at += length;
		if (!*at)
			return 0;
	}
}

/* What was measured, in words, and how it stands to the value: below 0, 0 or above. */
static int compare(const struct assertion *condition, const struct result *result,
		   char words[DURATION_SIZE])
{
	double measured = 0;
	switch (condition->kind) {
	case ASSERTION_COUNT:
		measured = (double)count_of(&result->total, condition->count);
		(void)snprintf(words, DURATION_SIZE, "%.0f", measured);
		break;
	case ASSERTION_RATE:
		measured = result_rate(result);
		(void)snprintf(words, DURATION_SIZE, "%.0f", measured);
		break;
	case ASSERTION_LATENCY:
		measured = (double)histogram_quantile(result->latency, condition->fraction);
		duration_format((int64_t)measured, words);
		break;
	case ASSERTION_ORDER:
		measured = result->strict;
		(void)snprintf(words, DURATION_SIZE, "%s", result->strict ? "strict" : "free");
		break;
	}
	double value = (double)condition->value;
	return (measured > value) - (measured < value);
}

static bool is_met(const struct assertion *condition, int comparison)
{
	return comparison < 0	? condition->less
	       : comparison > 0 ? condition->greater
				: condition->equal;
}

/* Rates and latencies are known only where something was measured. */
static bool is_measured(const struct assertion *condition, const struct result *result)
{
	return result->latency->count || condition->kind == ASSERTION_COUNT ||
	       condition->kind == ASSERTION_ORDER;
}

bool assertions_check(const struct assertions *expected, const struct result *result,
		      struct buffer *text)
{
	bool all = true;
	for (size_t i = 0; i < expected->count; i++) {
		const struct assertion *condition = &expected->conditions[i];
		char words[DURATION_SIZE] = "nothing was measured";
		bool met = is_measured(condition, result) &&
			   is_met(condition, compare(condition, result, words));
		all &= met;
		all &= buffer_printf(text, "%s: expected %s: %s, %s\n", result->program,
				     condition->words, words, met ? "met" : "not met");
	}
	if (result->total.acknowledged)
		return all;
	(void)buffer_printf(text, "%s: expected answers: there were none at all\n",
			    result->program);
	return false;
}
