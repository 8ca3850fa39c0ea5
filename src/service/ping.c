/* SPDX-License-Identifier: MIT */
/* The service ping: an unreliable server, on purpose. Requests are answered after a random delay,
 * or never; keepalives go to all sessions.
 *
 * Messages are given to the log in rounds, by the timer queue's thread: one round at a time, and
 * all of it in one submission. So all messages have one order, and what the log cannot store gives
 * its numbers M back before others are given. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "record/exchange.h"
#include "record/ping_message.h"
#include "service/table.h"

/* After which messages are tried again: a round is under way, or the log could not take one. */
#define PING_AGAIN CLOCK_MILLISECOND

enum { MILLION = 1000000, ROUND_MAX = 64 };

struct ping_options {
	int64_t loss;	   /* millionths */
	int64_t keepalive; /* ns */
};

#define AT(member) offsetof(struct ping_options, member)

static const struct option_spec options_ping[] = {
	{"loss", OPTION_PERCENT, "PERCENT", "share of the requests to ignore [10%]",
	 .offset = AT(loss), .group = "With -service ping"},
	{"keepalive", OPTION_DURATION, "TIME", "interval of keepalive messages; 0: none [5s]",
	 AT(keepalive), .max = 24 * 3600 * CLOCK_SECOND},
	{0},
};

/* What is sent: the answer to a request, or a keepalive. */
struct message {
	struct task task; /* first member: the pointer is cast between the two types */
	struct message *next;
	struct ping *ping;
	struct responder *responder; /* a reference; NULL: a keepalive, which is the service's */
	uint64_t number;	     /* N */
	struct stamp received;
};

struct ping {
	struct task again; /* first member: the pointer is cast between the two types */
	struct service_settings settings;
	struct reply_target answers, keepalives; /* each takes a round, and sends its messages */
	int64_t loss;				 /* millionths */
	struct range delay;
	int64_t interval; /* of keepalives, 0: none */

	/* in the timer queue's thread only */
	struct message *due, **due_end; /* the earliest first */
	bool waiting;			/* `again` is scheduled */

	/* that thread's, but while a round is under way that of the leader that commits it */
	struct message *round;
	uint64_t sent; /* the last M */
	struct message keepalive;
	int64_t keepalive_at; /* when the next one is due, on the monotonic clock */

	atomic_bool under_way;
};

/* By intended times, so that they do not drift; those that were missed because the process stood
 * still are left out. */
static void plan_keepalive(struct ping *ping)
{
	int64_t missed = (clock_now() - ping->keepalive_at) / ping->interval;
	ping->keepalive_at += (missed + 1) * ping->interval;
	/* -1: the server ends, or without memory the keepalives do */
	(void)timer_queue_at(ping->settings.timer_queue, &ping->keepalive.task, ping->keepalive_at);
}

/* The server ends, or memory is out. */
static void drop_message(struct task *task)
{
	struct message *message = (struct message *)task;
	if (!message->responder)
		return;
	log_note(message->ping->settings.log, RECORD_WARNING, message->responder->target.name,
		 "[%llu] PING will not be answered", (unsigned long long)message->number);
	responder_unreference(message->responder);
	free(message);
}

static struct message *take_due(struct ping *ping)
{
	struct message *message = ping->due;
	ping->due = message->next;
	if (!ping->due)
		ping->due_end = &ping->due;
	message->next = NULL;
	return message;
}

static void drop_due(struct task *task)
{
	struct ping *ping = (struct ping *)task;
	while (ping->due)
		drop_message(&take_due(ping)->task);
}

/* --- the end of a round, in the thread that commits it --- */

/* A message has left, or will not: the session may be freed then. */
static void end_message(struct message *message)
{
	if (message->responder)
		free(message);
	else
		plan_keepalive(message->ping);
}

static void end_round(struct ping *ping)
{
	ping->round = NULL;
	atomic_store(&ping->under_way, false);
}

static bool deliver_round(struct reply_target *target, const char *bytes, size_t length,
			  size_t lines)
{
	struct ping *ping = target->context;
	const char *end = bytes + length;
	struct message *next;
	(void)lines;
	for (struct message *at = ping->round; at; at = next) {
		const char *feed = memchr(bytes, '\n', (size_t)(end - bytes)), *stop = feed + 1;
		struct reply_target *to =
			at->responder ? &at->responder->target : ping->settings.broadcast;
		next = at->next;
		(void)to->deliver(to, bytes, (size_t)(stop - bytes), 1);
		end_message(at);
		bytes = stop;
	}
	end_round(ping);
	return true;
}

/* Nothing of the round is in the log, and nothing was given to it since. */
static void refuse_round(struct reply_target *target, const char *reason, size_t lines)
{
	struct ping *ping = target->context;
	struct message *next;
	ping->sent -= lines;
	for (struct message *at = ping->round; at; at = next) {
		next = at->next;
		if (at->responder)
			at->responder->target.refuse(&at->responder->target, reason, 1);
		end_message(at);
	}
	end_round(ping);
}

/* --- rounds, in the timer queue's thread --- */

/* What an item of the log borrows. */
struct message_text {
	char asked[PING_MESSAGE_SIZE], sent[PING_MESSAGE_SIZE];
	struct exchange_request request;
};

static struct log_item message_item(const struct message *message, uint64_t number,
				    struct message_text *text)
{
	struct ping_message sent = {.kind = PING_KEEPALIVE, .message = number};
	struct log_item item = {.event = RECORD_SENT,
				.bytes = text->sent,
				.answer = text->sent,
				.is_sent_record = true};
	if (message->responder) {
		const struct ping_message asked = {.kind = PING_REQUEST,
						   .request = message->number};
		exchange_request_init(&text->request, &message->received, text->asked,
				      ping_message_write(text->asked, &asked));
		sent.kind = PING_ANSWER;
		sent.request = message->number;
		sent.client = message->responder->number;
		item.fields = text->request.fields;
		item.subject = message->responder->target.name;
	}
	item.length = item.answer_length = ping_message_write(text->sent, &sent);
	return item;
}

/* Gives the log what is due first: answers, or a keepalive. False: not possible now. */
static bool give_round(struct ping *ping)
{
	struct message_text texts[ROUND_MAX];
	struct log_item items[ROUND_MAX];
	const bool answers = ping->due->responder;
	struct message *at = ping->due, *last = NULL;
	size_t count = 0;
	for (; at && !at->responder == !answers && count < ROUND_MAX; at = at->next, count++) {
		items[count] = message_item(at, ping->sent + count + 1, &texts[count]);
		last = at;
	}
	ping->round = ping->due;
	last->next = NULL;
	ping->sent += count;
	atomic_store(&ping->under_way, true); /* from here on it may end at any time */
	if (log_try_submit(ping->settings.log, answers ? &ping->answers : &ping->keepalives, items,
			   count)) {
		ping->due = at;
		if (!at)
			ping->due_end = &ping->due;
		return true;
	}
	ping->sent -= count;
	last->next = at;
	end_round(ping);
	return false;
}

/* Gives a round, unless one is under way; what is left is tried again. */
static void run_again(struct task *task)
{
	struct ping *ping = (struct ping *)task;
	ping->waiting = false;
	while (ping->due && !atomic_load(&ping->under_way) && give_round(ping))
		;
	if (!ping->due)
		return;
	ping->waiting =
		timer_queue_at(ping->settings.timer_queue, task, clock_after(PING_AGAIN)) == 0;
	if (!ping->waiting)
		drop_due(task);
}

static void message_is_due(struct task *task)
{
	struct message *message = (struct message *)task;
	struct ping *ping = message->ping;
	message->next = NULL;
	*ping->due_end = message;
	ping->due_end = &message->next;
	if (!ping->waiting)
		run_again(&ping->again);
}

static void *start_ping(const struct service_settings *settings, struct error *error)
{
	const struct ping_options *own = settings->options.own;
	struct ping *ping = memory_malloc(sizeof *ping);
	if (!ping)
		return error_null(error, "out of memory");
	*ping = (struct ping){
		.again = {.run = run_again, .drop = drop_due},
		.settings = *settings,
		.answers = {.name = settings->broadcast->name,
			    .deliver = deliver_round,
			    .refuse = refuse_round,
			    .broadcast = true,
			    .context = ping},
		.keepalive = {.task = {.run = message_is_due, .drop = drop_message}, .ping = ping},
		.loss = own->loss < 0 ? MILLION / 10 : own->loss,
		.delay = settings->options.delay,
		.interval = own->keepalive < 0 ? 5 * CLOCK_SECOND : own->keepalive,
	};
	if (ping->delay.min < 0)
		ping->delay = (struct range){100 * CLOCK_MILLISECOND, 1 * CLOCK_SECOND};
	ping->keepalives = ping->answers;
	ping->keepalives.control = true; /* no peer waits for it */
	ping->due_end = &ping->due;
	ping->keepalive_at = clock_now();
	if (ping->interval)
		plan_keepalive(ping);
	return ping;
}

/* Records that a request was received and, if so, that it is ignored. */
static bool record_request(struct responder *responder, const struct log_item *line,
			   const struct stamp *received, bool ignored)
{
	struct exchange_request request;
	exchange_request_init(&request, received, line->bytes, line->length);
	const struct log_item items[] = {
		*line,
		{.event = RECORD_IGNORED,
		 .bytes = line->bytes,
		 .length = line->length,
		 .fields = request.fields},
	};
	return responder_submit(responder, items, ignored ? 2 : 1, true);
}

static bool schedule_answer(struct ping *ping, struct responder *responder, uint64_t number,
			    int64_t delay, const struct stamp *received)
{
	struct message *message = memory_malloc(sizeof *message);
	if (!message)
		return false;
	*message = (struct message){.task = {.run = message_is_due, .drop = drop_message},
				    .ping = ping,
				    .responder = responder,
				    .number = number,
				    .received = *received};
	int64_t deadline = clock_after(delay); /* waiting for the reference is part of the delay */
	responder_reference(responder);
	if (timer_queue_at(ping->settings.timer_queue, &message->task, deadline) < 0)
		drop_message(&message->task);
	return true;
}

/* Delay and loss follow from the seed, the client and the number of the request alone: the same
 * seed ignores the same requests. */
static bool take_line(struct ping *ping, struct responder *responder, const struct log_item *item)
{
	static _Thread_local struct stamp received;
	struct slice line = {item->bytes, item->length};
	struct ping_message read;
	if (!ping_message_read(line, &read) || read.kind != PING_REQUEST)
		return responder_warn(responder, NOTE_MALFORMED, "malformed", item->bytes,
				      item->length);
	stamp_update(&received);
	uint64_t chance = random_state((uint64_t)ping->settings.options.seed, responder->number,
				       read.request);
	bool ignored = random_next(&chance) % MILLION < (uint64_t)ping->loss;
	int64_t delay = random_in(&chance, &ping->delay);
	if (!record_request(responder, item, &received, ignored))
		return false;
	return ignored || schedule_answer(ping, responder, read.request, delay, &received);
}

static bool take_ping(void *state, struct responder *responder, struct log_item *items,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!take_line(state, responder, &items[i]))
			return false;
	return true;
}

const struct service service_ping = {
	.name = "ping",
	.options = options_ping,
	.log = "logs/server.log",
	.format = &record_exchange,
	.random = true,
	.handler = {.protocol = &protocol_lines,
		    .notes_ends = true,
		    .notes_numbers = true,
		    .take = take_ping},
	.start = start_ping,
	.stop = free,
};
