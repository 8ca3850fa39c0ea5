/* SPDX-License-Identifier: MIT */
/* The service chars: random characters to all sessions, at random times; `stat` is answered with
 * how many there were since the last one.
 *
 * There is one burst at a time: it is either scheduled or given to the log, and the next one is
 * drawn when it was stored. So its state needs no lock; what it is drawn from has one, as it can be
 * set while bursts are drawn. It is counted once it is in the log. */
#include "service/chars.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/answers.h"

/* Min pause, so that -delay 0 neither takes a processor nor cuts off peers that read. */
#define CHARS_PAUSE CLOCK_MILLISECOND

/* After which a burst is tried again: the open batch is full, the log cannot be written. */
#define CHARS_FULL (5 * CLOCK_MILLISECOND)
#define CHARS_FAILED (100 * CLOCK_MILLISECOND)

static const char burst_word[] = "chars ";
static const char unknown[] = ANSWER_ERROR "unknown request";

struct chars_options {
	struct range burst; /* characters */
	const char *alphabet;
};

#define AT(member) offsetof(struct chars_options, member)

static const struct option_spec options_chars[] = {
	{"burst", OPTION_COUNTS, "MIN:MAX", "number of characters in a message [1:20]", AT(burst),
	 1, .max = CHARS_BURST_MAX, .group = "With -service chars"},
	{"alphabet", OPTION_TEXT, "CHARACTERS", "characters to choose from [a-zA-Z]",
	 .offset = AT(alphabet)},
	{0},
};

static void schedule(struct chars *chars, int64_t pause)
{
	/* -1: memory is out, or the server ends: no more characters come */
	(void)timer_queue_at(chars->settings.timer_queue, &chars->task, clock_after(pause));
}

static int64_t draw_pause(struct chars *chars)
{
	int64_t pause = random_in(&chars->random, &chars->delay);
	return pause < CHARS_PAUSE ? CHARS_PAUSE : pause;
}

static void draw(struct chars *chars)
{
	size_t skip = sizeof burst_word - 1;
	memcpy(chars->message, burst_word, skip);
	pthread_mutex_lock(&chars->lock);
	int64_t length = random_in(&chars->random, &chars->burst);
	for (size_t i = 0; i < (size_t)length; i++) {
		uint64_t at = random_next(&chars->random) % chars->charset.count;
		chars->message[skip + i] = chars->charset.characters[at];
	}
	pthread_mutex_unlock(&chars->lock);
	chars->length = skip + (size_t)length;
	chars->pause = draw_pause(chars);
}

/* Draws a burst, unless one is drawn, and gives it to the log. */
static void burst_run(struct task *task)
{
	struct chars *chars = (struct chars *)task;
	if (atomic_load(&chars->draining))
		return;
	if (!chars->length)
		draw(chars);
	struct log_item item = {.event = RECORD_SENT,
				.bytes = chars->message,
				.length = chars->length,
				.answer = chars->message,
				.answer_length = chars->length,
				.is_sent_record = true};
	if (!log_try_submit(chars->settings.log, &chars->target, &item, 1))
		schedule(chars, CHARS_FULL);
}

/* The burst is in the log: counts it first, so that a peer that has it finds it in the count. */
static bool deliver_burst(struct reply_target *target, const char *bytes, size_t length,
			  size_t lines)
{
	struct chars *chars = target->context;
	size_t skip = sizeof burst_word - 1, count = chars->length - skip;
	atomic_fetch_add(&chars->generated, count);
	atomic_fetch_add(&chars->since, count);
	(void)chars->settings.broadcast->deliver(chars->settings.broadcast, bytes, length, lines);
	chars_keep(chars, chars->message + skip, count);
	chars->length = 0;
	schedule(chars, chars->pause); /* the timer queue's thread owns it again */
	return true;
}

/* The burst is not in the log, and was not sent. */
static void burst_undelivered(void *context, const char *bytes, size_t length)
{
	(void)bytes; /* still in the message */
	(void)length;
	schedule(context, CHARS_FAILED);
}

static bool take_line(struct chars *chars, struct responder *responder, struct log_item *item)
{
	char answer[CHARS_STAT_SIZE];
	item->answer = unknown;
	item->answer_length = sizeof unknown - 1;
	if (!slice_equals((struct slice){item->bytes, item->length}, "stat"))
		return responder_submit(responder, item, 1, true);
	uint64_t count = atomic_exchange(&chars->since, 0);
	item->answer = answer;
	item->answer_length = (size_t)snprintf(answer, sizeof answer, CHARS_STAT "%" PRIu64, count);
	if (responder_submit(responder, item, 1, true))
		return true;
	atomic_fetch_add(&chars->since, count);
	return false;
}

static bool take(void *state, struct responder *responder, struct log_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!take_line(state, responder, &items[i]))
			return false;
	return true;
}

static const char *alphabet_of(const struct service_options *options)
{
	const struct chars_options *own = options->own;
	return own->alphabet ? own->alphabet : CHARSET_DEFAULT;
}

static int check(const struct service_options *options, struct error *error)
{
	struct charset charset;
	return charset_read(&charset, alphabet_of(options), error);
}

static void *start(const struct service_settings *settings, struct error *error)
{
	const struct service_options *options = &settings->options;
	const struct chars_options *own = options->own;
	struct chars *chars = memory_calloc(1, sizeof *chars);
	if (!chars)
		return error_null(error, "cannot start the service: out of memory");
	chars->settings = *settings;
	chars->task.run = burst_run; /* a burst that is dropped was not counted */
	chars->target = (struct reply_target){.name = settings->broadcast->name,
					      .deliver = deliver_burst,
					      .on_undelivered = burst_undelivered,
					      .broadcast = true,
					      .context = chars};
	chars->burst = own->burst.min < 0 ? (struct range){1, 20} : own->burst;
	chars->delay =
		options->delay.min < 0 ? (struct range){0, 5 * CLOCK_SECOND} : options->delay;
	chars->random = (uint64_t)options->seed;
	pthread_mutex_init(&chars->lock, NULL); /* cannot fail without attributes */
	(void)snprintf(chars->alphabet, sizeof chars->alphabet, "%s", alphabet_of(options));
	(void)charset_read(&chars->charset, alphabet_of(options), error); /* it was checked */
	schedule(chars, draw_pause(chars));
	return chars;
}

static void drain(void *state)
{
	atomic_store(&((struct chars *)state)->draining, true);
}

static void stop(void *state)
{
	struct chars *chars = state;
	log_note(chars->settings.log, RECORD_INFO, RECORD_SERVER,
		 "%" PRIuFAST64 " characters generated, %" PRIuFAST64 " since the last stat",
		 atomic_load(&chars->generated), atomic_load(&chars->since));
	pthread_mutex_destroy(&chars->lock);
	free(chars);
}

const struct service service_chars = {
	.name = "chars",
	.options = options_chars,
	.log = "chars.log",
	.format = &record_milliseconds,
	.random = true,
	.handler = {.protocol = &protocol_lines,
		    .notes_ends = true,
		    .take = take,
		    .on_undelivered = chars_give_back},
	.console = &chars_console,
	.check = check,
	.start = start,
	.drain = drain,
	.stop = stop,
};
