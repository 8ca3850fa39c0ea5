/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/answers.h"
#include "once/fnv.h"
#include "once/words.h"
#include "service/once_client.h"

enum {
	NUMBER_SIZE = 20,  /* digits of the highest number, and one more */
	REPLY_SIZE = 4096, /* bytes of answers that are sent together */
};

static const char say_from[] = ONCE_SAY_FROM;
static const char no_number[] = ANSWER_ERROR REASON_NOT_LOGGED "numbers end at 9223372036854775807";
static const char not_known_yet[] = ANSWER_ERROR; /* is replaced when it is sent */
static const char failed_before[] = "an earlier line could not be logged";

/* --- senders; with the lock --- */

static void wake_waiting(struct sender *sender)
{
	for (struct client *at = sender->waiting; at; at = at->next_waiting)
		if (sender_is_settled(sender, at->from.mark))
			pthread_cond_signal(&at->settled);
}

/* The database has lost lines of the sender: it says which number is due. */
static void take_due(struct sender *sender, const char *reason)
{
	struct slice words = slice_of(reason);
	uint64_t due;
	if (slice_skip(&words, REASON_GAP) && slice_number(&words, &due))
		sender->due = sender->next = due;
}

/* Settles the oldest group of a client: its lines are refused for the reason, unless that is NULL.
 * Sets which number is due then. */
static struct group settle(struct client *client, const char *reason, uint64_t *due)
{
	struct group group = groups_settle(&client->groups, reason != NULL);
	*due = group.number;
	if (group.sender) {
		if (reason)
			take_due(group.sender, reason);
		*due = group.sender->due;
		wake_waiting(group.sender);
		senders_release(&client->once->senders, group.sender);
	}
	return group;
}

/* Settles groups, as far as their answers are those that were submitted with them, of at most so
 * many lines. Returns how many lines that are. */
static size_t settle_plain(struct client *client, size_t max)
{
	size_t lines = 0;
	uint64_t due;
	while (lines < max && groups_first(&client->groups)->kind != GROUP_LATE)
		lines += settle(client, NULL, &due).count;
	return lines;
}

/* --- answers; in the thread that delivers --- */

/* Answers that are sent together. After the last one the client may be freed. */
struct reply {
	struct reply_target *target;
	bool (*deliver)(struct reply_target *target, const char *answers, size_t length,
			size_t lines);
	size_t length, lines;
	char bytes[REPLY_SIZE];
};

static void send_reply(struct reply *reply)
{
	if (reply->lines)
		(void)reply->deliver(reply->target, reply->bytes, reply->length, reply->lines);
	reply->length = reply->lines = 0;
}

/* Adds the answers to a group that has failed. */
static void add_failed(struct reply *reply, const struct group *group, uint64_t due,
		       const char *reason)
{
	for (size_t i = 0; i < group->count; i++) {
		if (REPLY_SIZE - reply->length <= ONCE_ANSWER_SIZE)
			send_reply(reply);
		char *answer = reply->bytes + reply->length;
		size_t length = write_failed(answer, group->number + i, due, reason);
		answer[length] = '\n';
		reply->length += length + 1;
		reply->lines++;
	}
}

/* Takes so many lines off the front. */
static struct slice cut_lines(struct slice *rest, size_t lines)
{
	struct slice first = *rest, line;
	while (lines--)
		(void)slice_cut(rest, '\n', &line);
	first.length -= rest->length;
	return first;
}

/* Some of the answers are known only now. */
static void deliver_late(struct client *client, struct slice answers, size_t plain, size_t lines)
{
	struct reply reply = {.target = &client->responder->target, .deliver = client->deliver};
	for (;;) {
		struct slice known = cut_lines(&answers, plain);
		lines -= plain;
		if (plain) {
			send_reply(&reply);
			(void)reply.deliver(reply.target, known.bytes, known.length, plain);
		}
		if (!lines)
			break;
		uint64_t due;
		pthread_mutex_lock(&client->once->lock);
		struct group group = settle(client, NULL, &due);
		lines -= group.count;
		plain = lines ? settle_plain(client, lines) : 0;
		pthread_mutex_unlock(&client->once->lock);
		(void)cut_lines(&answers, group.count);
		add_failed(&reply, &group, due, failed_before);
		if (!lines)
			break;
	}
	send_reply(&reply);
}

static bool deliver(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	struct client *client = target->context;
	pthread_mutex_lock(&client->once->lock);
	size_t plain = settle_plain(client, lines);
	pthread_mutex_unlock(&client->once->lock);
	if (plain == lines)
		return client->deliver(target, answers, length, lines);
	deliver_late(client, (struct slice){answers, length}, plain, lines);
	return true;
}

static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	struct client *client = target->context;
	struct reply reply = {.target = target, .deliver = client->deliver};
	while (lines) {
		uint64_t due;
		pthread_mutex_lock(&client->once->lock);
		struct group group = settle(client, reason, &due);
		pthread_mutex_unlock(&client->once->lock);
		lines -= group.count;
		add_failed(&reply, &group, due, reason);
	}
	send_reply(&reply);
}

/* --- lines; in the thread that receives --- */

/* Notes a group, whose answers are submitted next. False: out of memory. A group that is not
 * submitted, for want of memory, is settled when the client is closed: a `from` may wait for it. */
static bool add_group(struct client *client, const struct group *group)
{
	pthread_mutex_lock(&client->once->lock);
	bool added = groups_add(&client->groups, group);
	pthread_mutex_unlock(&client->once->lock);
	return added;
}

/* Answers lines with the same words, without a record. Their group was added. */
static bool answer_lines(struct client *client, struct log_item *items, size_t count,
			 const char *words)
{
	size_t length = strlen(words);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct log_item){
			.answer = words, .answer_length = length, .unrecorded = true};
	return responder_submit(client->responder, items, count, true);
}

bool client_answer(struct client *client, struct log_item *items, size_t count, const char *words)
{
	const struct group group = {.kind = GROUP_FIXED, .count = count};
	return add_group(client, &group) && answer_lines(client, items, count, words);
}

/* A sender that begins at another number than 1 may have lines in other logs. */
static bool note_begin(struct client *client, uint64_t number)
{
	char note[SENDER_NAME_MAX + 32];
	const struct log_item item = {.event = RECORD_NOTE,
				      .bytes = note,
				      .length = (size_t)snprintf(note, sizeof note,
								 "%s begins at %" PRIu64,
								 client->sender->name, number)};
	return responder_submit(client->responder, &item, 1, true);
}

/* Of its first line. */
static const struct record_field begins_here[] = {{RECORD_BEGINS, {"", 0}}, {0}};

/* Submits lines that were given numbers from `number` on. Not inlined: see answer_rest() in
 * session/intake.c. */
__attribute__((noinline)) static enum submit_result submit_numbered(struct client *client,
								    struct log_item *items,
								    size_t count, uint64_t number,
								    uint64_t failures)
{
	for (size_t i = 0; i < count; i++) {
		items[i].sender = client->sender->name;
		items[i].number = number + i;
		items[i].answer = ANSWER_OK;
		items[i].answer_length = sizeof ANSWER_OK - 1;
	}
	return responder_submit_behind(client->responder, items, count, failures);
}

/* What sender_take() has decided for lines. */
struct decision {
	enum fate fate;
	size_t count;
	uint64_t number, failures;
	bool begins, differs;
	bool no_memory;
	char answer[ONCE_ANSWER_SIZE];
};

/* With the lock. Numbers lines if they can be, and notes their group. `hash` is that of the last.
 */
static void decide(struct client *client, const struct log_item *items, size_t count, uint64_t hash,
		   struct decision *decision)
{
	struct sender *sender = client->sender;
	uint64_t number = decision->number = client->number;
	bool first = !sender->last && sender->next == sender->due;
	size_t same = sender_take(sender, client, number, count, log_failures(client->once->log),
				  &decision->fate);
	bool given = decision->fate == FATE_GIVEN, late = decision->fate == FATE_GAP;
	if (same < count && (given || decision->fate == FATE_LAST))
		hash = fnv1a_64(items[same - 1].bytes, items[same - 1].length);
	struct group group = {.kind = given  ? GROUP_LINES
				      : late ? GROUP_LATE
					     : GROUP_FIXED,
			      .sender = given || late ? sender : NULL,
			      .number = number,
			      .count = same,
			      .hash = hash};
	decision->count = same;
	decision->failures = sender->failures;
	decision->begins = given && first && number > 1;
	decision->differs = decision->fate == FATE_LAST && hash != sender->hash;
	if (decision->differs)
		(void)write_differs(decision->answer, sender);
	if (decision->fate == FATE_ELSEWHERE)
		(void)write_elsewhere(decision->answer, sender);
	decision->no_memory = !groups_add(&client->groups, &group);
	if (decision->fate == FATE_HAD || (decision->fate == FATE_LAST && !decision->differs))
		client->once->had += same;
	if (decision->no_memory && given)
		sender_take_back(sender, number);
}

/* The lines did not get into the log, as an earlier one has failed. */
static void take_back(struct client *client, uint64_t number)
{
	pthread_mutex_lock(&client->once->lock);
	sender_take_back(client->sender, number);
	groups_last(&client->groups)->kind = GROUP_LATE;
	pthread_mutex_unlock(&client->once->lock);
}

static bool give(struct client *client, struct log_item *items, const struct decision *decision)
{
	size_t count = decision->count;
	enum submit_result result = SUBMIT_NO_MEMORY;
	if (decision->begins)
		items[0].fields = begins_here;
	if (!decision->begins || note_begin(client, decision->number))
		result =
			submit_numbered(client, items, count, decision->number, decision->failures);
	if (result != SUBMIT_FAILED_BEFORE)
		return result == SUBMITTED;
	take_back(client, decision->number);
	return answer_lines(client, items, count, not_known_yet);
}

/* Takes the first lines, which have the same fate. Returns their number; 0: out of memory. */
static size_t take_some(struct client *client, struct log_item *items, size_t count)
{
	struct decision decision;
	uint64_t hash = fnv1a_64(items[count - 1].bytes, items[count - 1].length);
	if (!client->sender)
		return client_answer(client, items, count, say_from) ? count : 0;
	pthread_mutex_lock(&client->once->lock);
	decide(client, items, count, hash, &decision);
	pthread_mutex_unlock(&client->once->lock);
	if (decision.no_memory)
		return 0;
	client->number += decision.count;
	const char *words = decision.fate == FATE_GAP				  ? not_known_yet
			    : decision.fate == FATE_NO_NUMBER			  ? no_number
			    : decision.fate == FATE_ELSEWHERE || decision.differs ? decision.answer
										  : ANSWER_HAD;
	bool taken = decision.fate == FATE_GIVEN
			     ? give(client, items, &decision)
			     : answer_lines(client, items, decision.count, words);
	return taken ? decision.count : 0;
}

bool client_take(struct client *client, struct log_item *items, size_t count)
{
	size_t taken;
	for (; count; items += taken, count -= taken)
		if (!(taken = take_some(client, items, count)))
			return false;
	return true;
}

bool client_refuses(struct client *client)
{
	struct group group = {.kind = GROUP_FIXED, .number = client->number++, .count = 1};
	pthread_mutex_lock(&client->once->lock);
	if (client->sender && client->sender->owner == client)
		group.sender = client->sender;
	bool added = groups_add(&client->groups, &group);
	pthread_mutex_unlock(&client->once->lock);
	return added;
}

void client_close(struct client *client)
{
	uint64_t due;
	while (client->groups.count) /* see add_group() */
		(void)settle(client, "", &due);
	groups_free(&client->groups);
	pthread_cond_destroy(&client->settled);
}

void client_open(struct client *client, struct once *once, struct responder *responder)
{
	*client = (struct client){
		.once = once, .responder = responder, .deliver = responder->target.deliver};
	pthread_cond_init(&client->settled, NULL); /* cannot fail without attributes */
	responder->target.deliver = deliver;
	responder->target.refuse = refuse;
	responder->target.context = client;
}
