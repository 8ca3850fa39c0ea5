/* SPDX-License-Identifier: MIT */
/* The service ping: an unreliable server, on purpose. Requests are answered after a random delay,
 * or never; keepalives go to all sessions.
 *
 * All messages are given to the log by the timer queue's thread: so they have one order, and their
 * counter M needs no lock. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "record/exchange.h"
#include "record/ping_message.h"
#include "service/table.h"

#define PING_AGAIN (5 * CLOCK_MILLISECOND) /* after the log could not take a message */

enum { MILLION = 1000000 };

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

struct ping {
	struct task keepalive; /* first member: the pointer is cast between the two types */
	struct service_settings settings;
	int64_t loss; /* millionths */
	struct range delay;
	int64_t interval; /* of keepalives, 0: none */
	/* in the timer queue's thread only */
	uint64_t sent; /* the last M */
	int64_t due;   /* of the next keepalive, on the monotonic clock */
};

/* A request whose answer is to come. */
struct pong {
	struct task task; /* first member: the pointer is cast between the two types */
	struct ping *ping;
	struct responder *responder; /* a reference */
	uint64_t number;	     /* N */
	struct stamp received;
};

static struct log_item message_item(const char *line, size_t length)
{
	return (struct log_item){.event = RECORD_SENT,
				 .bytes = line,
				 .length = length,
				 .answer = line,
				 .answer_length = length,
				 .is_sent_record = true};
}

/* The server ends, or memory is out. */
static void drop_pong(struct task *task)
{
	struct pong *pong = (struct pong *)task;
	log_note(pong->ping->settings.log, RECORD_WARNING, pong->responder->target.name,
		 "[%llu] PING will not be answered", (unsigned long long)pong->number);
	responder_unreference(pong->responder);
	free(pong);
}

static void send_pong(struct task *task)
{
	struct pong *pong = (struct pong *)task;
	struct ping *ping = pong->ping;
	char asked[PING_MESSAGE_SIZE], answer[PING_MESSAGE_SIZE];
	struct ping_message message = {.kind = PING_REQUEST, .request = pong->number};
	struct exchange_request request;
	exchange_request_init(&request, &pong->received, asked,
			      ping_message_write(asked, &message));
	message.kind = PING_ANSWER;
	message.message = ping->sent + 1;
	message.client = pong->responder->number;
	struct log_item item = message_item(answer, ping_message_write(answer, &message));
	item.fields = request.fields;
	if (responder_push(pong->responder, &item)) {
		ping->sent++;
		free(pong); /* the session may be freed, too */
	} else if (timer_queue_at(ping->settings.timer_queue, task, clock_after(PING_AGAIN)) < 0) {
		drop_pong(task);
	}
}

/* By intended times, so that they do not drift; those that were missed because the process stood
 * still are left out. */
static void plan_keepalive(struct ping *ping)
{
	int64_t missed = (clock_now() - ping->due) / ping->interval;
	ping->due += (missed + 1) * ping->interval;
	/* -1: the server ends, or without memory the keepalives do */
	(void)timer_queue_at(ping->settings.timer_queue, &ping->keepalive, ping->due);
}

static void send_keepalive(struct task *task)
{
	struct ping *ping = (struct ping *)task;
	char line[PING_MESSAGE_SIZE];
	const struct ping_message keepalive = {.kind = PING_KEEPALIVE, .message = ping->sent + 1};
	const struct log_item item = message_item(line, ping_message_write(line, &keepalive));
	if (log_try_submit(ping->settings.log, ping->settings.broadcast, &item, 1)) {
		ping->sent++;
		plan_keepalive(ping);
	} else { /* as above */
		(void)timer_queue_at(ping->settings.timer_queue, task, clock_after(PING_AGAIN));
	}
}

static void *start_ping(const struct service_settings *settings, struct error *error)
{
	const struct ping_options *own = settings->options.own;
	struct ping *ping = memory_malloc(sizeof *ping);
	if (!ping) {
		error_set(error, "out of memory");
		return NULL;
	}
	*ping = (struct ping){
		.keepalive.run = send_keepalive,
		.settings = *settings,
		.loss = own->loss < 0 ? MILLION / 10 : own->loss,
		.delay = settings->options.delay,
		.interval = own->keepalive < 0 ? 5 * CLOCK_SECOND : own->keepalive,
	};
	if (ping->delay.min < 0)
		ping->delay = (struct range){100 * CLOCK_MILLISECOND, 1 * CLOCK_SECOND};
	ping->due = clock_now();
	if (ping->interval)
		plan_keepalive(ping);
	return ping;
}

/* Records that a request was received and, if so, that it is ignored. */
static bool record_request(struct responder *responder, const struct frame *frame,
			   const struct stamp *received, bool ignored)
{
	struct exchange_request request;
	exchange_request_init(&request, received, frame->bytes, frame->length);
	const struct log_item items[] = {
		{.event = RECORD_RECEIVED, .bytes = frame->bytes, .length = frame->length},
		{.event = RECORD_IGNORED,
		 .bytes = frame->bytes,
		 .length = frame->length,
		 .fields = request.fields},
	};
	return responder_submit(responder, items, ignored ? 2 : 1, true);
}

static bool schedule_pong(struct ping *ping, struct responder *responder, uint64_t number,
			  int64_t delay, const struct stamp *received)
{
	struct pong *pong = memory_malloc(sizeof *pong);
	if (!pong)
		return false;
	*pong = (struct pong){.task = {.run = send_pong, .drop = drop_pong},
			      .ping = ping,
			      .responder = responder,
			      .number = number,
			      .received = *received};
	int64_t deadline = clock_after(delay); /* waiting for the reference is part of the delay */
	responder_reference(responder);
	if (timer_queue_at(ping->settings.timer_queue, &pong->task, deadline) < 0)
		drop_pong(&pong->task);
	return true;
}

/* Delay and loss follow from the seed, the client and the number of the request alone: the same
 * seed ignores the same requests. */
static bool take_ping(void *state, struct responder *responder, const struct frame *frame)
{
	static _Thread_local struct stamp received;
	struct ping *ping = state;
	struct slice line = {frame->bytes, frame->length};
	struct ping_message read;
	if (!ping_message_read(line, &read) || read.kind != PING_REQUEST)
		return responder_warn(responder, NOTE_MALFORMED, "malformed", frame->bytes,
				      frame->length);
	stamp_update(&received);
	uint64_t chance = random_state((uint64_t)ping->settings.options.seed, responder->number,
				       read.request);
	bool ignored = random_next(&chance) % MILLION < (uint64_t)ping->loss;
	int64_t delay = random_in(&chance, &ping->delay);
	if (!record_request(responder, frame, &received, ignored))
		return false;
	return ignored || schedule_pong(ping, responder, read.request, delay, &received);
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
