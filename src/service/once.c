/* SPDX-License-Identifier: MIT */
/* The service once: each line is in the log exactly once. A sender numbers its lines, asks what the
 * log has, and goes on from there. The rules are in once/sender.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/postgresql_senders.h"
#include "log/sink.h"
#include "net/answers.h"
#include "once/known.h"
#include "once/words.h"
#include "service/once_client.h"
#include "service/table.h"

/* After so many bytes the senders are noted in the log, so that no more has to be read back. */
#define ONCE_KNOWN_EVERY ((size_t)64 << 20)

enum { SENDERS_DEFAULT = 100000, SENDERS_LIMIT = 100000000 };

struct once_options {
	int64_t senders;
	int64_t forget; /* ns */
};

#define AT(member) offsetof(struct once_options, member)

static const struct option_spec options_once[] = {
	{"senders", OPTION_NUMBER, "N", "maximum of senders that are known [100000]", AT(senders),
	 .min = 1, .max = SENDERS_LIMIT, .group = "With -service once"},
	{"forget", OPTION_DURATION, "TIME",
	 "forget senders that are idle for TIME, at a rotation [never]", AT(forget),
	 .max = INT64_MAX / 2},
	{0},
};

/* --- `from`; with the lock --- */

/* It has not said from which sender any more. */
static void leave_sender(struct client *client)
{
	struct sender *sender = client->sender;
	client->sender = NULL;
	if (!sender)
		return;
	if (sender->owner == client)
		sender->owner = NULL;
	senders_release(&client->once->senders, sender);
}

/* Takes a reference to the sender that is named, instead of the one before. NULL: errno is as of
 * senders_add(). */
static struct sender *change_sender(struct client *client, const struct from *from)
{
	struct senders *senders = &client->once->senders;
	struct sender *sender = senders_find(senders, from->name);
	if (sender)
		senders_reference(sender);
	leave_sender(client); /* its place may be free then */
	if (!sender && (sender = senders_add(senders, from->name)))
		senders_reference(sender);
	client->sender = sender;
	client->number = from->number;
	return sender;
}

/* The sender that is named, which the client is about to claim if it does not only ask. NULL: errno
 * is 0 where it asks for one that is not known, or as of senders_add(). */
static struct sender *find_sender(struct client *client, const struct from *from)
{
	struct senders *senders = &client->once->senders;
	struct sender *sender;
	errno = 0;
	if (!from->asks)
		return change_sender(client, from);
	sender = senders_find(senders, from->name);
	/* the database may know it */
	return sender || !client->once->database ? sender : senders_add(senders, from->name);
}

/* Begins to wait until all is settled that its sender was given so far. */
static void begin_wait(struct client *client, struct sender *sender, const struct from *from)
{
	senders_reference(sender);
	client->from.sender = sender;
	client->from.number = from->number;
	client->from.mark = from->asks ? sender->given : sender_claim(sender, client);
}

/* Ends the wait, if all is settled; but what only a database knows is asked for in the session's
 * own thread. */
static bool end_wait(struct client *client, char answer[ONCE_ANSWER_SIZE])
{
	struct sender *sender = client->from.sender;
	if (client->once->database || !sender_is_settled(sender, client->from.mark))
		return false;
	client_answer_from(client, sender, answer);
	return true;
}

/* Blocks. */
static void await_settled(struct client *client)
{
	struct sender *sender = client->from.sender;
	struct client *first = sender->waiting, **at = &first;
	client->next_waiting = first;
	sender->waiting = client;
	while (!sender_is_settled(sender, client->from.mark))
		pthread_cond_wait(&client->settled, &client->once->lock);
	first = sender->waiting;
	while (*at != client)
		at = &(*at)->next_waiting;
	*at = client->next_waiting;
	sender->waiting = first;
}

/* --- the handler --- */

static bool take_from(struct client *client, struct log_item *item)
{
	char answer[ONCE_ANSWER_SIZE] = ANSWER_OK " 0";
	const char *words = answer;
	struct from from;
	bool reads = from_read((struct slice){item->bytes, item->length}, &from);
	int errnum = 0;
	pthread_mutex_lock(&client->once->lock);
	struct sender *sender = reads ? find_sender(client, &from) : NULL;
	if (reads && !sender)
		errnum = errno;
	if (!reads)
		leave_sender(client);
	if (sender)
		begin_wait(client, sender, &from);
	bool waits = sender && !end_wait(client, answer);
	pthread_mutex_unlock(&client->once->lock);
	if (!reads)
		words = ONCE_SAY_FROM;
	else if (errnum == ENOSPC)
		words = ANSWER_ERROR REASON_SENDERS;
	if (errnum == ENOMEM)
		return false;
	return waits || client_answer(client, item, 1, words);
}

/* A relay says `via`. */
static bool take_via(struct client *client, struct log_item *item, struct slice line)
{
	enum route_heard heard = route_hear(client->once->route, line);
	client->leads_back |= heard == ROUTE_BACK;
	return client_answer(client, item, 1,
			     heard == ROUTE_HEARD  ? ANSWER_OK
			     : heard == ROUTE_BACK ? ROUTE_LEADS_BACK
						   : ONCE_SAY_FROM);
}

/* A line that says something about those behind it. */
static bool take_saying(struct client *client, struct log_item *item)
{
	struct slice line = {item->bytes, item->length};
	if (!from_begins(line))
		return take_via(client, item, line);
	return client->leads_back ? client_answer(client, item, 1, ROUTE_LEADS_BACK)
				  : take_from(client, item);
}

static bool take(void *state, struct responder *responder, struct log_item *items, size_t count)
{
	struct client *client = state;
	bool is_from = client->from_follows;
	size_t lines = count - is_from;
	(void)responder;
	client->from_follows = false;
	return (!lines || client_take(client, items, lines)) &&
	       (!is_from || take_saying(client, &items[lines]));
}

/* A client that waits for its sender takes no more lines. */
static bool admit(void *state, size_t frames, size_t bytes, bool wait)
{
	struct client *client = state;
	char answer[ONCE_ANSWER_SIZE];
	struct log_item item;
	(void)frames;
	(void)bytes;
	if (!client->from.sender)
		return true;
	pthread_mutex_lock(&client->once->lock);
	if (wait)
		await_settled(client);
	bool ended = end_wait(client, answer);
	if (wait && client->once->database) {
		client_ask_database(client, answer);
		ended = true;
	}
	pthread_mutex_unlock(&client->once->lock);
	/* out of memory: without this answer no other may follow */
	if (ended && (!client_answer(client, &item, 1, answer) ||
		      !responder_submit(client->responder, NULL, 0, client->responder->for_others)))
		stream_stop(client->responder->queue.stream);
	return ended;
}

static bool refuses(void *state)
{
	return client_refuses(state);
}

/* Behind a `from` a line that begins as `via` is one to be logged. */
static bool is_saying(const struct client *client, struct slice line)
{
	return from_begins(line) || (!client->sender && route_begins(line));
}

/* A `from` ends a set of frames: whether the next one may be taken is known behind it. */
static enum frame_result next_line(struct line_splitter *received, bool flush, void *state,
				   struct frame *frame)
{
	struct client *client = state;
	(void)flush; /* a line has an end */
	if (client->from_follows)
		return FRAME_LATER;
	frame->end = 0;
	enum frame_result result =
		(enum frame_result)line_next(received, &frame->bytes, &frame->length);
	/* of most lines the first byte tells */
	if (result == FRAME_FOUND && frame->length &&
	    (*frame->bytes == *ONCE_FROM || *frame->bytes == *ROUTE_VIA))
		client->from_follows =
			is_saying(client, (struct slice){frame->bytes, frame->length});
	return result;
}

static size_t refuse_line(enum refusal refusal, const char *reason,
			  char message[PROTOCOL_REFUSAL_MAX])
{
	return protocol_lines.refuse(refusal, reason, message);
}

static const struct protocol protocol_once = {
	.frame_name = "line", .next = next_line, .refuse = refuse_line};

static void *open_client(void *service, struct responder *responder)
{
	struct client *client = memory_malloc(sizeof *client);
	if (client)
		client_open(client, service, responder);
	return client;
}

static void close_client(void *state)
{
	struct client *client = state;
	pthread_mutex_lock(&client->once->lock);
	client_close(client);
	if (client->from.sender)
		senders_release(&client->once->senders, client->from.sender);
	leave_sender(client);
	pthread_mutex_unlock(&client->once->lock);
	free(client);
}

/* --- the service --- */

static bool write_known(struct log_summary *summary, struct buffer *notes, uint64_t lines,
			bool reopens)
{
	struct once *once = (struct once *)summary;
	(void)lines;
	pthread_mutex_lock(&once->lock);
	if (reopens && once->forget >= 0)
		(void)senders_forget(&once->senders, clock_now() - once->forget);
	bool written = known_write(&once->senders, notes);
	pthread_mutex_unlock(&once->lock);
	return written;
}

/* What the log has says which numbers are due. -1: the error is set. */
static int recover(struct once *once, const struct service_settings *settings, struct error *error)
{
	struct known known;
	if (once->database)
		return 0;
	int result =
		known_recover(&once->senders, sink_file_name(settings->log_name), settings->appends,
			      settings->sync == LOG_SYNC_DISK, &known, error);
	if (result < 0)
		return -1;
	if (once->senders.count)
		log_note(once->log, known.odd ? RECORD_WARNING : RECORD_INFO, RECORD_SERVER,
			 "the log has lines of %zu senders%s", once->senders.count,
			 known.odd ? "; numbers are missing or repeated in it" : "");
	log_summarise(once->log, &once->summary, known.behind);
	return 0;
}

static size_t figures_once(void *state, struct service_figure figures[SERVICE_FIGURES_MAX])
{
	struct once *once = state;
	pthread_mutex_lock(&once->lock);
	figures[0] = (struct service_figure){"once_senders", "Senders that are known.", false,
					     (double)once->senders.count};
	figures[1] = (struct service_figure){"once_senders_max", "Maximum of them, -senders.",
					     false, (double)once->senders.max};
	figures[2] = (struct service_figure){
		"once_had_lines_total", "Lines that the log had already.", true, (double)once->had};
	pthread_mutex_unlock(&once->lock);
	return 3;
}

static void stop(void *state)
{
	struct once *once = state;
	log_end_summary(once->log, &once->summary);
	senders_free(&once->senders);
	postgresql_senders_free(once->database);
	pthread_mutex_destroy(&once->lock);
	free(once);
}

static void *start(const struct service_settings *settings, struct error *error)
{
	const struct once_options *own = settings->options.own;
	struct once *once = memory_malloc(sizeof *once);
	if (!once)
		return error_null(error, "cannot start the service: out of memory");
	*once = (struct once){
		.summary = {.every = ONCE_KNOWN_EVERY, .write = write_known},
		.log = settings->log,
		.route = settings->route,
		.forget = own->forget,
		.senders.max = own->senders < 0 ? SENDERS_DEFAULT : (size_t)own->senders,
	};
	pthread_mutex_init(&once->lock, NULL); /* cannot fail without attributes */
	const char *conninfo = sink_conninfo(settings->log_name);
	once->senders.keeps_none = conninfo != NULL;
	if (conninfo)
		once->database =
			postgresql_senders_new(conninfo, settings->sync, settings->timeout, error);
	if ((!conninfo || once->database) && recover(once, settings, error) == 0)
		return once;
	stop(once);
	return NULL;
}

const struct service service_once = {
	.name = "once",
	.options = options_once,
	.log = "once.log",
	.format = &record_text,
	.forwards = true,
	.reads_log = true,
	.numbers_lines = true,
	.handler = {.protocol = &protocol_once,
		    .open = open_client,
		    .close = close_client,
		    .take = take,
		    .refuses = refuses,
		    .admit = admit},
	.start = start,
	.figures = figures_once,
	.stop = stop,
};
