/* SPDX-License-Identifier: MIT */
#include "measure/assertions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

/* The counts, by their place in count_of(). */
static const char *const count_names[] = {"sent", "acknowledged", "lost", "dup"};

static uint64_t count_of(const struct tally *total, size_t which)
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

static bool read_name(struct condition *condition, const char *name)
{
	for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++)
		if (!strcmp(name, count_names[i])) {
			condition->kind = EXPECT_COUNT;
			condition->count = i;
			return true;
		}
	condition->kind = EXPECT_LATENCY;
	if (!strcmp(name, "rate"))
		condition->kind = EXPECT_RATE;
	else if (!strcmp(name, "order"))
		condition->kind = EXPECT_ORDER;
	else if (!strcmp(name, "min"))
		condition->fraction = 0;
	else if (!strcmp(name, "max"))
		condition->fraction = 1;
	else
		return read_percentile(name, &condition->fraction);
	return true;
}

/* Returns what stands behind the comparison. */
static const char *read_comparison(struct condition *condition, const char *at)
{
	condition->less = *at == '<';
	condition->greater = *at == '>';
	condition->equal = *at == '=' || at[1] == '=';
	return at + (*at != '=' && condition->equal ? 2 : 1);
}

static bool read_value(struct condition *condition, const char *string)
{
	switch (condition->kind) {
	case EXPECT_COUNT:
	case EXPECT_RATE:
		return number_parse(string, 0, INT64_MAX, &condition->value) == 0;
	case EXPECT_LATENCY:
		return duration_parse(string, &condition->value) == 0;
	case EXPECT_ORDER:
		condition->value = !strcmp(string, "strict");
		return !condition->less && !condition->greater &&
		       (condition->value || !strcmp(string, "free"));
	}
	return false;
}

/* The words are in the condition already. */
static int parse(struct condition *condition, struct failure *failure)
{
	char name[EXPECT_WORDS];
	size_t length = strcspn(condition->words, "<>=");
	memcpy(name, condition->words, length);
	name[length] = '\0';
	if (!condition->words[length])
		return failure_set(failure,
				   "-expect: '%s' is no condition such as lost=0 or p99<5ms",
				   condition->words);
	if (!read_name(condition, name))
		return failure_set(failure,
				   "-expect: '%s': '%s' is not one of sent, acknowledged, lost, "
				   "dup, order, rate, min, max, p50, p99.9 and the like",
				   condition->words, name);
	const char *value = read_comparison(condition, condition->words + length);
	if (read_value(condition, value))
		return 0;
	return failure_set(failure, "-expect: '%s': %s", condition->words,
			   condition->kind == EXPECT_LATENCY ? "not compared with a duration such "
							       "as 250us or 5ms"
			   : condition->kind == EXPECT_ORDER ? "order can be =strict or =free"
							     : "not compared with a whole number");
}

int expect_parse(struct expectations *expected, const char *string, struct failure *failure)
{
	*expected = (struct expectations){0};
	for (const char *at = string;; at++) {
		at += strspn(at, " ");
		size_t length = strcspn(at, ",");
		if (expected->count == EXPECT_MOST)
			return failure_set(failure, "-expect: more than %d conditions",
					   EXPECT_MOST);
		struct condition *condition = &expected->conditions[expected->count++];
		if (length >= sizeof condition->words)
			return failure_set(failure, "-expect: '%.100s' is too long", at);
		memcpy(condition->words, at, length);
		if (parse(condition, failure) < 0)
			return -1;
		at += length;
		if (!*at)
			return 0;
	}
}

/* What was measured, in words, and how it stands to the value: below 0, 0 or above. */
static int compare(const struct condition *condition, const struct result *result,
		   char words[DURATION_SIZE])
{
	double measured = 0;
	switch (condition->kind) {
	case EXPECT_COUNT:
		measured = (double)count_of(&result->total, condition->count);
		(void)snprintf(words, DURATION_SIZE, "%.0f", measured);
		break;
	case EXPECT_RATE:
		measured = result_rate(result);
		(void)snprintf(words, DURATION_SIZE, "%.0f", measured);
		break;
	case EXPECT_LATENCY:
		measured = (double)latency_quantile(result->latency, condition->fraction);
		duration_show((int64_t)measured, words);
		break;
	case EXPECT_ORDER:
		measured = result->strict;
		(void)snprintf(words, DURATION_SIZE, "%s", result->strict ? "strict" : "free");
		break;
	}
	double value = (double)condition->value;
	return (measured > value) - (measured < value);
}

static bool is_met(const struct condition *condition, int comparison)
{
	return comparison < 0	? condition->less
	       : comparison > 0 ? condition->greater
				: condition->equal;
}

/* Rates and latencies are known only where something was measured. */
static bool is_measured(const struct condition *condition, const struct result *result)
{
	return result->latency->count || condition->kind == EXPECT_COUNT ||
	       condition->kind == EXPECT_ORDER;
}

bool expect_check(const struct expectations *expected, const struct result *result,
		  struct text *text)
{
	bool all = true;
	for (size_t i = 0; i < expected->count; i++) {
		const struct condition *condition = &expected->conditions[i];
		char words[DURATION_SIZE] = "nothing was measured";
		bool met = is_measured(condition, result) &&
			   is_met(condition, compare(condition, result, words));
		all &= met;
		all &= report_add(text, "%s: expected %s: %s, %s\n", result->program,
				  condition->words, words, met ? "met" : "not met");
	}
	if (result->total.acknowledged)
		return all;
	(void)report_add(text, "%s: expected answers: there were none at all\n", result->program);
	return false;
}
