/* SPDX-License-Identifier: MIT */
#include "client/rate_search.h"

#include <stdbool.h>

enum {
	MAJORITY = 2,	   /* of three */
	CONFIRMATIONS = 3, /* further trials of what was found */
	PRECISION = 20,	   /* a part of the rate */
	LEAST = 1000,	   /* a part of the first rate */
	TRIALS_MAX = 200,
};

struct seeker {
	struct rate_search *search;
	rate_trial trial;
	void *context;
};

/* -1: the search is over. */
static int try_once(struct seeker *seeker, struct rate_point *point)
{
	if (seeker->search->trials++ == TRIALS_MAX)
		return -1;
	int held = seeker->trial(seeker->context, point->rate);
	if (held < 0)
		return -1;
	point->tried++;
	point->held += held > 0;
	return 0;
}

static bool holds(const struct rate_point *point)
{
	return point->held && (point->tried == 1 || point->held >= MAJORITY);
}

/* Tries a rate, which becomes the search's low or high one. -1: the search is over. */
static int judge(struct seeker *seeker, int64_t rate)
{
	struct rate_point point = {.rate = rate};
	do
		if (try_once(seeker, &point) < 0)
			return -1;
	while (!holds(&point) && point.tried - point.held < MAJORITY);
	*(holds(&point) ? &seeker->search->low : &seeker->search->high) = point;
	return 0;
}

/* Finds a rate at which it holds and one at which it does not, unless there is only one of them. */
static int bracket(struct seeker *seeker, int64_t first, int64_t max)
{
	struct rate_search *search = seeker->search;
	int64_t rate = first, min = first / LEAST ? first / LEAST : 1;
	for (;;) {
		if (judge(seeker, rate) < 0)
			return -1;
		if (search->low.rate && search->high.rate)
			return 0;
		if (rate == (search->low.rate ? max : min))
			return 0;
		if (search->low.rate)
			rate = rate < max / 2 ? rate * 2 : max;
		else
			rate = rate / 4 > min ? rate / 4 : min;
	}
}

static int narrow(struct seeker *seeker)
{
	struct rate_search *search = seeker->search;
	while (search->low.rate && search->high.rate &&
	       search->high.rate - search->low.rate > search->low.rate / PRECISION + 1)
		if (judge(seeker, search->low.rate + (search->high.rate - search->low.rate) / 2) <
		    0)
			return -1;
	return 0;
}

/* 1: confirmed; 0: not; -1: the search is over. */
static int confirm(struct seeker *seeker)
{
	struct rate_point *low = &seeker->search->low;
	unsigned before = low->held;
	for (int i = 0; i < CONFIRMATIONS; i++)
		if (try_once(seeker, low) < 0)
			return -1;
	return low->held - before >= MAJORITY;
}

/* What was not confirmed is too high; the next one is a tenth lower. */
static int step_down(struct seeker *seeker, int64_t min)
{
	struct rate_search *search = seeker->search;
	int64_t rate = search->low.rate;
	search->high = search->low;
	search->low = (struct rate_point){0};
	while (!search->low.rate && rate > min) {
		rate -= rate / 10 + 1;
		if (judge(seeker, rate < min ? min : rate) < 0)
			return -1;
	}
	return 0;
}

int rate_search_run(struct rate_search *search, int64_t first, int64_t max, rate_trial trial,
		    void *context)
{
	struct seeker seeker = {.search = search, .trial = trial, .context = context};
	int confirmed = 0;
	*search = (struct rate_search){.trials = 0};
	if (bracket(&seeker, first, max) < 0 || narrow(&seeker) < 0)
		return -1;
	while (search->low.rate && (confirmed = confirm(&seeker)) == 0)
		if (step_down(&seeker, first / LEAST ? first / LEAST : 1) < 0)
			return -1;
	return confirmed < 0 ? -1 : 0;
}
