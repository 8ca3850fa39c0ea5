/* SPDX-License-Identifier: MIT */
/* The service chars as it is used on the page: the same characters and the same count as for all
 * sessions, and what they are drawn from. */
#include "service/chars.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/memory.h"
#include "net/answers.h"

/* --- what was sent --- */

void chars_keep(struct chars *chars, const char *characters, size_t length)
{
	pthread_mutex_lock(&chars->lock);
	for (size_t i = 0; i < length; i++)
		chars->kept[chars->end++ % CHARS_KEPT] = characters[i];
	pthread_mutex_unlock(&chars->lock);
	if (chars->settings.news >= 0)
		(void)eventfd_write(chars->settings.news, 1); /* EAGAIN: it is readable already */
}

static size_t follow(void *state, uint64_t *position, char *space, size_t size)
{
	struct chars *chars = state;
	size_t length = 0;
	pthread_mutex_lock(&chars->lock);
	uint64_t first = chars->end > CHARS_KEPT ? chars->end - CHARS_KEPT : 0;
	if (*position > chars->end)
		*position = chars->end;
	if (*position < first)
		*position = first;
	while (length < size && *position < chars->end)
		space[length++] = chars->kept[(*position)++ % CHARS_KEPT];
	pthread_mutex_unlock(&chars->lock);
	return length;
}

/* --- the count --- */

void chars_give_back(void *state, const char *answers, size_t length)
{
	struct chars *chars = state;
	struct slice rest = {answers, length}, answer;
	uint64_t count;
	while (slice_cut(&rest, '\n', &answer))
		if (slice_skip(&answer, CHARS_STAT) && slice_number(&answer, &count))
			atomic_fetch_add(&chars->since, count);
}

static bool ask(void *state, struct reply_target *target)
{
	struct chars *chars = state;
	char answer[CHARS_STAT_SIZE];
	uint64_t count = atomic_exchange(&chars->since, 0);
	int length = snprintf(answer, sizeof answer, CHARS_STAT "%" PRIu64, count);
	const struct log_item item = {.event = RECORD_RECEIVED,
				      .bytes = "stat",
				      .length = strlen("stat"),
				      .answer = answer,
				      .answer_length = (size_t)length};
	target->on_undelivered = chars_give_back;
	target->context = chars;
	if (log_try_submit(chars->settings.log, target, &item, 1))
		return true;
	atomic_fetch_add(&chars->since, count);
	return false;
}

/* --- what is drawn from --- */

struct change {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	struct chars *chars;
	struct reply_target *asked; /* who has asked for it */
	struct charset charset;
	char alphabet[CHARS_ALPHABET_SIZE];
	struct range burst;
};

/* Its record is in the log. */
static bool apply(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	struct change *change = (struct change *)target;
	struct chars *chars = change->chars;
	pthread_mutex_lock(&chars->lock);
	chars->charset = change->charset;
	memcpy(chars->alphabet, change->alphabet, sizeof chars->alphabet);
	chars->burst = change->burst;
	pthread_mutex_unlock(&chars->lock);
	(void)change->asked->deliver(change->asked, answers, length, lines);
	free(change);
	return true;
}

static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	struct change *change = (struct change *)target;
	change->asked->refuse(change->asked, reason, lines);
	free(change);
}

/* Checks the alphabet, without the name of an option in the error. */
static int read_charset(struct change *change, const char *alphabet, struct error *error)
{
	static const char option[] = "-alphabet: ";
	struct error reason;
	if (strlen(alphabet) >= sizeof change->alphabet)
		return error_set(error, "more than %d characters", CHARS_ALPHABET_SIZE - 1);
	(void)snprintf(change->alphabet, sizeof change->alphabet, "%s", alphabet);
	if (charset_read(&change->charset, alphabet, &reason) == 0)
		return 0;
	return error_set(error, "%s", reason.message + sizeof option - 1);
}

static int set(void *state, struct reply_target *target, const char *alphabet,
	       const struct range *burst, struct error *error)
{
	struct chars *chars = state;
	char note[CHARS_ALPHABET_SIZE + 96];
	struct change *change = memory_calloc(1, sizeof *change);
	if (!change) {
		error_set(error, "out of memory");
		return ENOMEM;
	}
	if (read_charset(change, alphabet, error) < 0) {
		free(change);
		return EINVAL;
	}
	change->target = (struct reply_target){
		.name = target->name, .deliver = apply, .refuse = refuse, .control = true};
	change->chars = chars;
	change->asked = target;
	change->burst = *burst;
	int length = snprintf(note, sizeof note,
			      "characters from now on: %s, %" PRId64 " to %" PRId64 " in a message",
			      alphabet, burst->min, burst->max);
	const struct log_item item = {.event = RECORD_NOTE,
				      .bytes = note,
				      .length = (size_t)length,
				      .answer = ANSWER_OK,
				      .answer_length = sizeof ANSWER_OK - 1,
				      .is_sent_record = true};
	if (log_try_submit(chars->settings.log, &change->target, &item, 1))
		return 0;
	free(change);
	error_set(error, "the log takes nothing at the moment; try it again");
	return EAGAIN;
}

static void settings(void *state, char *alphabet, size_t size, struct range *burst)
{
	struct chars *chars = state;
	pthread_mutex_lock(&chars->lock);
	(void)snprintf(alphabet, size, "%s", chars->alphabet);
	*burst = chars->burst;
	pthread_mutex_unlock(&chars->lock);
}

const struct service_console chars_console = {
	.follow = follow,
	.ask = ask,
	.set = set,
	.settings = settings,
	.burst_max = CHARS_BURST_MAX,
};
