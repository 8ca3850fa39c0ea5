/* SPDX-License-Identifier: MIT */
/* The answers to `from`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log/postgresql_senders.h"
#include "net/answers.h"
#include "once/words.h"
#include "service/once_client.h"

void client_answer_from(struct client *client, const struct sender *stored,
			char answer[ONCE_ANSWER_SIZE])
{
	struct sender *sender = client->from.sender;
	if (client->from.number)
		sender_begin(sender, client, client->from.number);
	(void)write_last(answer, stored, client->from.number);
	client->from.sender = NULL;
	senders_release(&client->once->senders, sender);
}

/* What the database says is the state of the sender here, too, if the client may send lines of it
 * now. */
void client_ask_database(struct client *client, char answer[ONCE_ANSWER_SIZE])
{
	struct once *once = client->once;
	struct sender *sender = client->from.sender, stored = {.name = sender->name};
	pthread_mutex_unlock(&once->lock);
	int result =
		postgresql_senders_ask(once->database, stored.name, &stored.last, &stored.hash);
	pthread_mutex_lock(&once->lock);
	stored.due = stored.last + 1;
	if (!stored.last) /* it may begin with any */
		stored.due = client->from.number;
	if (result == 0 && client->from.number && sender->owner == client &&
	    sender->given == sender->settled) {
		sender->last = stored.last;
		sender->hash = stored.hash;
		sender->due = sender->next = stored.due;
	}
	client_answer_from(client, &stored, answer);
	if (result < 0)
		(void)snprintf(answer, ONCE_ANSWER_SIZE, ANSWER_ERROR REASON_UNKNOWN "%.80s",
			       strerror(ETIMEDOUT));
}
