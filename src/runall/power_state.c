/* SPDX-License-Identifier: MIT */
#include "runall/power_cut.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/answers.h"
#include "net/connect.h"
#include "once/words.h"
#include "record/log_reader.h"
#include "verify/run.h"

#define PATIENCE (10 * CLOCK_SECOND) /* for an answer, and for the server's end */

enum { ANSWER_MAX = 512 };

/* --- a conversation --- */

struct conversation {
	int socket;
	char answer[ANSWER_MAX];
};

static int begin(struct conversation *with, const struct runall *runall, struct error *error)
{
	const struct timeval patience = {.tv_sec = PATIENCE / CLOCK_SECOND};
	const struct connect_target target = {.host = runall->address.host,
					      .port = runall->address.port,
					      .deadline = clock_after(PATIENCE),
					      .wake = -1};
	with->socket = socket_connect(&target, error);
	if (with->socket < 0)
		return -1;
	/* without it a server that does not answer is waited for until the user ends this */
	(void)setsockopt(with->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return 0;
}

/* Sends a line and receives its answer, byte by byte: the next one has not been asked for. */
static int ask(struct conversation *with, struct slice line, struct error *error)
{
	char end = '\n';
	size_t length = 0;
	struct iovec parts[] = {{(char *)(uintptr_t)line.bytes, line.length}, {&end, 1}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	if (sendmsg(with->socket, &message, MSG_NOSIGNAL) != (ssize_t)line.length + 1)
		return error_set(error, "cannot send to the server: %s", strerror(errno));
	for (; length < ANSWER_MAX; length++) {
		ssize_t received = recv(with->socket, with->answer + length, 1, 0);
		if (received <= 0)
			return error_set(error, "the server does not answer: %s",
					 received ? strerror(errno) : "it has closed");
		if (with->answer[length] == '\n')
			break;
	}
	with->answer[length < ANSWER_MAX ? length : ANSWER_MAX - 1] = '\0';
	return 0;
}

/* Asks, and expects that answer. */
static int expect(struct conversation *with, struct slice line, struct slice answer,
		  struct error *error)
{
	if (ask(with, line, error) < 0)
		return -1;
	if (slice_same(slice_of(with->answer), answer))
		return 0;
	return promise_broken(error, "'%.*s' is answered with '%.200s'", (int)line.length,
			      line.bytes, with->answer);
}

/* --- lines after the cut --- */

/* Asks what the log has of a sender, and goes on behind it. */
static int go_on(struct conversation *with, const struct promised_sender *sender, uint64_t *last,
		 struct error *error)
{
	char words[2 * SENDER_NAME_MAX], line[PROBE_SIZE];
	uint64_t hash;
	(void)snprintf(words, sizeof words, ONCE_FROM "%s ?", sender->name);
	if (ask(with, slice_of(words), error) < 0)
		return -1;
	if (!last_read(slice_of(with->answer), last, &hash))
		return promise_broken(error, "'%s' is answered with '%.200s'", words, with->answer);
	if (*last && hash != promised_hash(sender, *last))
		return promise_broken(error, "line %" PRIu64 " of %s is not as it was sent", *last,
				      sender->name);
	(void)snprintf(words, sizeof words, ONCE_FROM "%s %" PRIu64, sender->name, *last + 1);
	if (ask(with, slice_of(words), error) < 0)
		return -1;
	int result = 0;
	for (uint64_t i = 1; i <= PROBES && result == 0; i++)
		result = expect(with, promise_probe_line(*last + i, line), slice_of(ANSWER_OK),
				error);
	return result;
}

static int send_on(struct runall *runall, const struct promise *promise, uint64_t *last,
		   struct error *error)
{
	struct conversation with;
	char bytes[PROBE_SIZE];
	struct slice line = promise_probe_line(0, bytes);
	int result = begin(&with, runall, error);
	if (result < 0)
		return result;
	if (promise->kind != PROMISE_NUMBERS)
		result = expect(&with, line,
				promise->kind == PROMISE_ECHO ? line : slice_of(ANSWER_OK), error);
	for (size_t i = 0; promise->kind == PROMISE_NUMBERS && i < promise->sender_count && !result;
	     i++)
		result = go_on(&with, &promise->senders[i], &last[i], error);
	(void)close(with.socket);
	return result;
}

/* --- all of it --- */

static int start_all(struct power_cuts *cuts, struct error *error)
{
	struct supervisor *watch = &cuts->runall->watch;
	int result = 0;
	watch->run = power_run_silently;
	for (size_t i = watch->servers; i-- > 0 && result == 0;)
		result = power_start(cuts, cuts->tried, i, 0, error);
	watch->run = NULL;
	return result;
}

/* A chain forwards all that it has before. */
static int end_all(struct runall *runall, bool started, struct error *error)
{
	char how[128];
	const struct supervisor *watch = &runall->watch;
	end_servers(runall, started);
	for (size_t i = 0; i < watch->servers && started; i++) {
		process_describe(&watch->children[i], how, sizeof how);
		if (!process_succeeded(&watch->children[i]))
			return promise_broken(error, "%s %s", relay_chain_names[i], how);
	}
	return 0;
}

static int judge(const struct verdict *verdict, struct error *error)
{
	return verdict->good ? 0 : promise_broken(error, "runall -check: %.400s", verdict->message);
}

/* The proofs of runall, for a log by itself and for a chain. */
static int check(struct power_cuts *cuts, const uint64_t *last, struct error *error)
{
	const struct runall_options *options = &cuts->runall->options;
	struct promise *promise = &cuts->promise;
	struct verdict verdict;
	char targets[RELAY_CHAIN_SERVERS][PATH_MAX];
	const char *logs[RELAY_CHAIN_SERVERS];
	for (size_t i = 0; i < RELAY_CHAIN_SERVERS; i++) {
		scratch_target(cuts, cuts->tried, i, targets[i]);
		logs[i] = targets[i];
	}
	int result = promise_check(promise, &(struct promise_probe){last}, logs[0],
				   runall_is_plain(options), error);
	if (result)
		return result;
	if (cuts->runall->watch.servers > 1)
		return relay_chain_prove_logs(options, logs, &verdict, error) < 0
			       ? -1
			       : judge(&verdict, error);
	if (promise->kind != PROMISE_NUMBERS || !promise->sender_count)
		return 0;
	return verify_once_check(logs, 1, &verdict, error) < 0 ? -1 : judge(&verdict, error);
}

int power_state_try(struct power_cuts *cuts, const struct disk_image *image, struct error *error)
{
	struct runall *runall = cuts->runall;
	struct error ignored;
	uint64_t *last = memory_calloc(cuts->promise.sender_count + 1, sizeof *last);
	if (!last)
		return error_set(error, "out of memory");
	scratch_empty(cuts->tried);
	int result = disk_image_write(image, cuts->tried, error);
	if (result == 0) { /* what fails from here on, the state has caused */
		bool started = start_all(cuts, error) == 0;
		result = !started || send_on(runall, &cuts->promise, last, error);
		int ended = end_all(runall, started, result ? &ignored : error);
		result = result || ended || check(cuts, last, error) != 0;
	}
	free(last);
	return runall->watch.interrupts ? error_set(error, "interrupted") : result;
}
