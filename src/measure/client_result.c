/* SPDX-License-Identifier: MIT */
#include "measure/client_result.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parse.h"
#include "measure/histogram_text.h"

enum {
	ACCOUNT_WORDS = 7,	   /* most words of a line */
	ACCOUNT_LINE = 128,	   /* longest line */
	ACCOUNT_THREADS = 1000000, /* most threads and iterations believed, so that their */
};
#define ACCOUNT_ITERATIONS (INT64_C(1) << 42) /* product stays in range */

static int damaged(const char *line, struct error *error)
{
	return error_set(error, "damaged account at '%.60s'", line);
}

/* Splits a line at single blanks, in place; returns the number of words, 0 when there are too many.
 */
static size_t split(char *line, char *words[ACCOUNT_WORDS])
{
	size_t count = 0;
	for (char *rest = line; rest;) {
		if (count == ACCOUNT_WORDS)
			return 0;
		words[count++] = rest;
		rest = strchr(rest, ' ');
		if (rest)
			*rest++ = '\0';
	}
	return count;
}

/* plan NT NI WINDOW shared|each [free] [open] */
static bool read_plan(struct client_result *account, char **words, size_t count)
{
	if (count < 5 || account->per_thread ||
	    number_parse(words[1], 1, ACCOUNT_THREADS, &account->threads) < 0 ||
	    number_parse(words[2], 1, ACCOUNT_ITERATIONS, &account->iterations) < 0 ||
	    number_parse(words[3], 1, INT32_MAX, &account->window) < 0)
		return false;
	account->each = !strcmp(words[4], "each");
	if (!account->each && strcmp(words[4], "shared") != 0)
		return false;
	size_t next = 5;
	account->free = next < count && account->each && !strcmp(words[next], "free");
	next += account->free;
	account->open = next < count && !strcmp(words[next], "open");
	next += account->open;
	if (next < count)
		return false;
	account->per_thread = memory_calloc((size_t)account->threads, sizeof *account->per_thread);
	return account->per_thread != NULL;
}

/* connection THREAD LOCALNAME [ANSWERED] */
static bool read_connection(struct client_result *account, char **words, size_t count)
{
	int64_t thread, answered = -1;
	if (count < 3 || count > 4 || !account->per_thread ||
	    strlen(words[2]) >= SOCKET_NAME_SIZE || !*words[2] ||
	    number_parse(words[1], 0, account->each ? account->threads - 1 : 0, &thread) < 0 ||
	    (count == 4 && number_parse(words[3], 0, INT64_MAX, &answered) < 0))
		return false;
	void *larger = memory_grow(account->connections, account->connection_count,
				   &account->connection_capacity, sizeof *account->connections);
	if (!larger)
		return false;
	account->connections = larger;
	struct client_result_connection *made = &account->connections[account->connection_count++];
	made->thread = thread;
	made->answered = answered;
	memcpy(made->name, words[2], strlen(words[2]) + 1);
	return true;
}

/* thread K SENT ACKNOWLEDGED RESENT */
static bool read_thread(struct client_result *account, char **words, size_t count)
{
	int64_t number;
	if (count != 5 || !account->per_thread ||
	    number_parse(words[1], 0, account->threads - 1, &number) < 0)
		return false;
	struct client_result_thread *thread = &account->per_thread[number];
	if (thread->told || number_parse(words[2], 0, account->iterations, &thread->sent) < 0 ||
	    number_parse(words[3], 0, thread->sent, &thread->acknowledged) < 0 ||
	    number_parse(words[4], 0, INT32_MAX, &thread->resent) < 0)
		return false;
	thread->told = true;
	return true;
}

/* end: every thread must have been told of. */
static bool read_end(struct client_result *account, size_t count)
{
	if (count != 1 || !account->per_thread)
		return false;
	for (int64_t i = 0; i < account->threads; i++)
		if (!account->per_thread[i].told)
			return false;
	account->complete = true;
	return true;
}

static bool read_words(struct client_result *account, char **words, size_t count)
{
	if (!count || account->complete) /* nothing may follow the end */
		return false;
	if (!strcmp(words[0], "plan"))
		return read_plan(account, words, count);
	if (report_account_has(words[0])) /* which reads it by itself */
		return account->per_thread != NULL;
	if (!strcmp(words[0], "connection"))
		return read_connection(account, words, count);
	if (!strcmp(words[0], "thread"))
		return read_thread(account, words, count);
	return !strcmp(words[0], "end") && read_end(account, count);
}

int client_result_read(struct client_result *account, const char *bytes, size_t length,
		       struct error *error)
{
	const char *end = bytes + length;
	while (bytes < end) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!stop) { /* cut off in the middle of a line */
			account->complete = false;
			return 0;
		}
		char line[ACCOUNT_LINE], shown[ACCOUNT_LINE];
		size_t line_length = (size_t)(stop - bytes);
		if (line_length >= sizeof line || memchr(bytes, '\0', line_length))
			return damaged("a line that is too long or holds a NUL", error);
		memcpy(line, bytes, line_length);
		line[line_length] = '\0';
		memcpy(shown, line, line_length + 1);
		char *words[ACCOUNT_WORDS];
		size_t count = split(line, words);
		if (!read_words(account, words, count)) {
			account->complete = false;
			return damaged(shown, error);
		}
		bytes = stop + 1;
	}
	return 0;
}

int64_t client_result_planned(const struct client_result *account)
{
	return account->open ? client_result_sent(account) : account->threads * account->iterations;
}

int64_t client_result_sent(const struct client_result *account)
{
	int64_t sum = 0;
	for (int64_t i = 0; i < account->threads; i++)
		sum += account->per_thread[i].sent;
	return sum;
}

int64_t client_result_acknowledged(const struct client_result *account)
{
	int64_t sum = 0;
	for (int64_t i = 0; i < account->threads; i++)
		sum += account->per_thread[i].acknowledged;
	return sum;
}

int64_t client_result_resent(const struct client_result *account)
{
	int64_t sum = 0;
	for (int64_t i = 0; i < account->threads; i++)
		sum += account->per_thread[i].resent;
	return sum;
}

void client_result_free(struct client_result *account)
{
	free(account->connections);
	free(account->per_thread);
	*account = (struct client_result){0};
}
