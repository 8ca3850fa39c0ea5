/* SPDX-License-Identifier: MIT */
#include "protocols.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Requests are put together without snprintf(), which would be most of the load generator's work at
 * a million of them a second. The longest has half of PROTOCOL_REQUEST_SIZE. Each returns where the
 * next one goes on. */

static char *put_number(char *out, uint64_t number)
{
	char digits[20];
	size_t count = 0;
	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count)
		*out++ = digits[--count];
	return out;
}

static char *put_line(char *out, size_t connection, uint64_t number)
{
	out = put_number(stpcpy(out, "Thread "), connection);
	return put_number(stpcpy(out, ", iteration "), number + 1);
}

/* A length, what is between it and the line, and the line. */
static char *put_measured_line(char *out, const char *between, size_t connection, uint64_t number,
			       size_t more)
{
	char line[PROTOCOL_REQUEST_SIZE / 2];
	size_t length = (size_t)(put_line(line, connection, number) - line);
	out = stpcpy(put_number(out, length + more), between);
	return mempcpy(out, line, length);
}

static struct answer answer_of(enum answer_kind kind, size_t length)
{
	return (struct answer){.kind = kind, .length = length};
}

/* The length of the line that the bytes begin with, with its LF; 0: it is not complete. */
static size_t line_length(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);
	return end ? (size_t)(end - bytes) + 1 : 0;
}

static bool begins(const char *bytes, size_t length, const char *with)
{
	size_t expected = strlen(with);
	return length >= expected && !memcmp(bytes, with, expected);
}

/* Reads a decimal number that ends before `end`; moves *bytes behind it. False: there is none. */
static bool read_number(const char **bytes, const char *end, uint64_t *number)
{
	const char *start = *bytes;
	*number = 0;
	while (*bytes < end && **bytes >= '0' && **bytes <= '9' && *bytes - start < 18)
		*number = *number * 10 + (uint64_t)(*(*bytes)++ - '0');
	return *bytes > start;
}

/* The answer is a line, and good if it begins like that. */
static struct answer read_line_answer(const char *bytes, size_t length, const char *good)
{
	size_t line = line_length(bytes, length);
	if (!line)
		return answer_of(ANSWER_PARTIAL, 0);
	return answer_of(begins(bytes, line, good) ? ANSWER_ACKNOWLEDGED : ANSWER_REFUSED, line);
}

/* ackline: a line, answered with ok. */

static size_t line_compose(char request[PROTOCOL_REQUEST_SIZE], size_t connection, uint64_t number)
{
	char *end = stpcpy(put_line(request, connection, number), "\n");
	return (size_t)(end - request);
}

static struct answer line_read(const char *bytes, size_t length, uint64_t number)
{
	(void)number;
	return read_line_answer(bytes, length, "ok\n");
}

/* ackline's service once: each connection is a sender, and each run has others. */

static size_t once_greet(char request[PROTOCOL_REQUEST_SIZE], size_t connection)
{
	return (size_t)snprintf(request, PROTOCOL_REQUEST_SIZE, "from %x.%zu 1\n",
				(unsigned)getpid(), connection);
}

static struct answer once_read_greeting(const char *bytes, size_t length)
{
	return read_line_answer(bytes, length, "ok 0\n");
}

/* Redis: an entry is added to a stream, and its id comes back as a bulk string. */

static size_t redis_compose(char request[PROTOCOL_REQUEST_SIZE], size_t connection, uint64_t number)
{
	char *end =
		stpcpy(request, "*5\r\n$4\r\nXADD\r\n$5\r\nlines\r\n$1\r\n*\r\n$4\r\nline\r\n$");
	end = stpcpy(put_measured_line(end, "\r\n", connection, number, 0), "\r\n");
	return (size_t)(end - request);
}

static struct answer redis_read(const char *bytes, size_t length, uint64_t number)
{
	(void)number;
	uint64_t size;
	size_t head = line_length(bytes, length);
	if (!head)
		return answer_of(ANSWER_PARTIAL, 0);
	if (*bytes == '-')
		return answer_of(ANSWER_REFUSED, head);
	const char *at = bytes + 1;
	if (*bytes != '$' || !read_number(&at, bytes + head, &size) || size > PROTOCOL_REQUEST_SIZE)
		return answer_of(ANSWER_NONSENSE, head);
	size_t all = head + (size_t)size + 2; /* CR LF */
	return all > length ? answer_of(ANSWER_PARTIAL, 0) : answer_of(ANSWER_ACKNOWLEDGED, all);
}

/* beanstalkd: a job is put into the default tube. */

static size_t beanstalk_compose(char request[PROTOCOL_REQUEST_SIZE], size_t connection,
				uint64_t number)
{
	char *end = stpcpy(request, "put 1024 0 120 ");
	end = stpcpy(put_measured_line(end, "\r\n", connection, number, 0), "\r\n");
	return (size_t)(end - request);
}

static struct answer beanstalk_read(const char *bytes, size_t length, uint64_t number)
{
	(void)number;
	return read_line_answer(bytes, length, "INSERTED ");
}

/* RELP: frames with a transaction number, which an answer repeats. Number 1 is the handshake. */

static uint64_t relp_transaction(uint64_t number)
{
	return number % 999999998 + 2; /* 1 to 999999999, as the protocol has it */
}

static size_t relp_greet(char request[PROTOCOL_REQUEST_SIZE], size_t connection)
{
	static const char offers[] = "relp_version=0\nrelp_software=lineload\ncommands=syslog";
	(void)connection;
	return (size_t)snprintf(request, PROTOCOL_REQUEST_SIZE, "1 open %zu %s\n",
				sizeof offers - 1, offers);
}

static size_t relp_compose(char request[PROTOCOL_REQUEST_SIZE], size_t connection, uint64_t number)
{
	static const char priority[] = " <13>"; /* of which the blank is not counted */
	char *end = stpcpy(put_number(request, relp_transaction(number)), " syslog ");
	end = put_measured_line(end, priority, connection, number, sizeof priority - 2);
	end = stpcpy(end, "\n");
	return (size_t)(end - request);
}

/* Reads "TRANSACTION rsp LENGTH 200 ...", in which LENGTH bytes and an LF follow. */
static struct answer relp_read_frame(const char *bytes, size_t length, uint64_t transaction)
{
	char head[48];
	uint64_t size;
	size_t expected = (size_t)snprintf(head, sizeof head, "%" PRIu64 " rsp ", transaction);
	const char *at = bytes + expected, *end = bytes + length;
	if (length < expected)
		return answer_of(ANSWER_PARTIAL, 0);
	if (!begins(bytes, length, head))
		return answer_of(ANSWER_NONSENSE, length);
	bool numbered = read_number(&at, end, &size);
	if (at == end)
		return answer_of(ANSWER_PARTIAL, 0);
	if (!numbered || *at != ' ' || size > PROTOCOL_ANSWER_SIZE / 2)
		return answer_of(ANSWER_NONSENSE, length);
	size_t all = (size_t)(at - bytes) + 1 + (size_t)size + 1;
	if (all > length)
		return answer_of(ANSWER_PARTIAL, 0);
	bool good = begins(at + 1, (size_t)size, "200 ");
	return answer_of(good ? ANSWER_ACKNOWLEDGED : ANSWER_REFUSED, all);
}

static struct answer relp_read_greeting(const char *bytes, size_t length)
{
	return relp_read_frame(bytes, length, 1);
}

static struct answer relp_read(const char *bytes, size_t length, uint64_t number)
{
	return relp_read_frame(bytes, length, relp_transaction(number));
}

/* NATS JetStream: a message is published with an inbox as its reply subject, and the stream's
 * acknowledgement comes there as a message of its own. The stream has to be there. */

static size_t nats_greet(char request[PROTOCOL_REQUEST_SIZE], size_t connection)
{
	return (size_t)snprintf(request, PROTOCOL_REQUEST_SIZE,
				"CONNECT {\"verbose\":false}\r\nSUB _INBOX.%zu 1\r\nPING\r\n",
				connection);
}

/* What a server may say at any time. Partial where it is nothing of that. */
static struct answer nats_read_aside(const char *bytes, size_t line)
{
	struct answer answer = answer_of(ANSWER_ASIDE, line);
	if (begins(bytes, line, "PING\r\n"))
		answer.reply = "PONG\r\n";
	else if (begins(bytes, line, "-ERR"))
		answer.kind = ANSWER_REFUSED;
	else if (!begins(bytes, line, "INFO ") && !begins(bytes, line, "PONG\r\n"))
		answer.kind = ANSWER_PARTIAL;
	return answer;
}

static struct answer nats_read_greeting(const char *bytes, size_t length)
{
	size_t line = line_length(bytes, length);
	if (!line)
		return answer_of(ANSWER_PARTIAL, 0);
	if (begins(bytes, line, "PONG\r\n"))
		return answer_of(ANSWER_ACKNOWLEDGED, line);
	struct answer aside = nats_read_aside(bytes, line);
	return aside.kind == ANSWER_PARTIAL ? answer_of(ANSWER_NONSENSE, line) : aside;
}

static size_t nats_compose(char request[PROTOCOL_REQUEST_SIZE], size_t connection, uint64_t number)
{
	char *end = put_number(stpcpy(request, "PUB lines _INBOX."), connection);
	end = put_measured_line(stpcpy(end, " "), "\r\n", connection, number, 0);
	end = stpcpy(end, "\r\n");
	return (size_t)(end - request);
}

/* "MSG SUBJECT 1 LENGTH", and LENGTH bytes of JSON in a line of their own. */
static struct answer nats_read(const char *bytes, size_t length, uint64_t number)
{
	(void)number;
	uint64_t size;
	size_t head = line_length(bytes, length);
	if (!head)
		return answer_of(ANSWER_PARTIAL, 0);
	struct answer aside = nats_read_aside(bytes, head);
	if (aside.kind != ANSWER_PARTIAL)
		return aside;
	if (!begins(bytes, head, "MSG "))
		return answer_of(ANSWER_NONSENSE, head);
	const char *at = (const char *)memrchr(bytes, ' ', head) + 1;
	if (!read_number(&at, bytes + head, &size) || size > PROTOCOL_ANSWER_SIZE / 2)
		return answer_of(ANSWER_NONSENSE, head);
	size_t all = head + (size_t)size + 2;
	if (all > length)
		return answer_of(ANSWER_PARTIAL, 0);
	bool good = begins(bytes + head, (size_t)size, "{\"stream\":") &&
		    !memmem(bytes + head, (size_t)size, "\"error\"", 7);
	return answer_of(good ? ANSWER_ACKNOWLEDGED : ANSWER_REFUSED, all);
}

static const struct protocol protocols[] = {
	{.name = "line", .compose = line_compose, .read_answer = line_read},
	{.name = "once",
	 .greet = once_greet,
	 .read_greeting = once_read_greeting,
	 .compose = line_compose,
	 .read_answer = line_read},
	{.name = "redis", .compose = redis_compose, .read_answer = redis_read},
	{.name = "beanstalk", .compose = beanstalk_compose, .read_answer = beanstalk_read},
	{.name = "relp",
	 .greet = relp_greet,
	 .read_greeting = relp_read_greeting,
	 .compose = relp_compose,
	 .read_answer = relp_read},
	{.name = "nats",
	 .greet = nats_greet,
	 .read_greeting = nats_read_greeting,
	 .compose = nats_compose,
	 .read_answer = nats_read},
};

const struct protocol *protocol_find(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	return NULL;
}

const char *protocol_names(void)
{
	return "line once redis beanstalk relp nats";
}
