/* SPDX-License-Identifier: MIT */
/* The sender: one connection to the next server, lines in order, and all that was not acknowledged
 * once more after the connection was lost. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "relay/queue.h"

#define LINK_CONNECT (2 * CLOCK_SECOND)	    /* for a connection to be made */
#define LINK_NOTE (100 * CLOCK_MILLISECOND) /* after a note could not be stored */
#define LINK_PAUSE_FIRST (10 * CLOCK_MILLISECOND)
#define LINK_PAUSE_MOST CLOCK_SECOND
/* A next server that holds back answers late, and one that is asked again has lines twice: so much
 * patience. A dead network is noticed by TCP, long before. */
#define LINK_ANSWER_FIRST (30 * CLOCK_SECOND)
#define LINK_ANSWER_MOST (960 * CLOCK_SECOND)

enum {
	LINK_ANSWER = 4096, /* bytes of the longest answer */
	/* A silent peer is probed after 5 s, and given up when it has not confirmed for 10 s. */
	LINK_KEEPALIVE_IDLE_SECONDS = 5,
	LINK_KEEPALIVE_INTERVAL_SECONDS = 2,
	LINK_KEEPALIVE_PROBES = 3,
	LINK_USER_TIMEOUT_MILLISECONDS = 10000,
};

/* What became of a line, by its answer. */
enum verdict_of_next { NEXT_OK, NEXT_TOO_LONG, NEXT_REFUSES };

int relay_next_parse(const char *next, char host[SOCKET_NAME_SIZE], int *port)
{
	bool bracket = *next == '[';
	if (socket_name_split(next, host, port) < 0 || *port < 1 || strpbrk(host, "[]"))
		return -1;
	const char *colon = strrchr(next, ':');
	/* an address with colons has brackets, and only such a one */
	if (bracket != (strchr(host, ':') != NULL) || (bracket && colon[-1] != ']'))
		return -1;
	for (const char *at = host; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return -1;
	return 0;
}

int relay_link_open(struct relay *relay, struct error *error)
{
	struct relay_link *link = &relay->link;
	link->name = relay->settings.next;
	link->sent = relay->confirmed;
	link->pause = LINK_PAUSE_FIRST;
	link->answer_wait = LINK_ANSWER_FIRST;
	if (relay_next_parse(link->name, link->host, &link->port) < 0)
		return error_set(error, "-next: '%.100s' is not HOST:PORT", link->name);
	if (!line_init(&link->answers, LINK_ANSWER))
		return error_set(error, "cannot start the relay: %s", strerror(ENOMEM));
	return 0;
}

static void hang_up(struct relay_link *link)
{
	if (link->socket >= 0)
		(void)close(link->socket); /* what was not acknowledged is sent once more */
	link->socket = -1;
}

void relay_link_close(struct relay_link *link)
{
	hang_up(link);
	buffer_free(&link->out);
	line_free(&link->answers);
}

/* Waits for an event on the link's socket, if there is one, for whatever wakes the sender, or until
 * the deadline. Returns the socket's events. */
static short wait_event(struct relay *relay, short events, int64_t deadline)
{
	eventfd_t count;
	struct pollfd ready[] = {
		{.fd = relay->wake, .events = POLLIN},
		{.fd = relay->stop, .events = POLLIN},
		{.fd = relay->link.socket, .events = events},
	};
	if (poll(ready, 3, clock_poll_timeout(deadline)) <= 0)
		return 0; /* late, or interrupted: the caller looks again */
	if (ready[0].revents)
		(void)eventfd_read(relay->wake, &count); /* only to be quiet again */
	return ready[2].revents;
}

static bool is_stopping(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	bool stopping = relay->stopping;
	pthread_mutex_unlock(&relay->lock);
	return stopping;
}

static void pause_until(struct relay *relay, int64_t deadline)
{
	struct pollfd stop = {.fd = relay->stop, .events = POLLIN};
	while (clock_now() < deadline && poll(&stop, 1, clock_poll_timeout(deadline)) <= 0)
		; /* late, or interrupted */
}

/* --- losing and finding the next server --- */

/* Notes it once, gives up the connection, and waits before the next attempt. */
static void lose(struct relay *relay, const char *why)
{
	struct relay_link *link = &relay->link;
	hang_up(link);
	link->careful = true;
	if (!link->lost)
		log_note(relay->settings.log, RECORD_WARNING, link->name,
			 "cannot be reached: %s; lines wait here until it can", why);
	link->lost = true;
	pause_until(relay, clock_after(link->pause));
	link->pause = link->pause * 2 < LINK_PAUSE_MOST ? link->pause * 2 : LINK_PAUSE_MOST;
}

/* A line was taken. */
static void is_well(struct relay *relay)
{
	struct relay_link *link = &relay->link;
	if (link->lost)
		log_note(relay->settings.log, RECORD_INFO, link->name,
			 "can be reached again; lines are forwarded");
	link->lost = false;
	link->pause = LINK_PAUSE_FIRST;
	link->answer_wait = LINK_ANSWER_FIRST;
}

static void set_number(int socket, int level, int name, int value)
{
	/* without it a dead peer is only noticed later */
	(void)setsockopt(socket, level, name, &value, sizeof value);
}

static void reach(struct relay *relay)
{
	struct relay_link *link = &relay->link;
	struct error error;
	int socket = socket_connect(link->host, link->port, clock_after(LINK_CONNECT), &error);
	if (socket < 0) {
		lose(relay, error.message);
		return;
	}
	set_number(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_number(socket, IPPROTO_TCP, TCP_KEEPIDLE, LINK_KEEPALIVE_IDLE_SECONDS);
	set_number(socket, IPPROTO_TCP, TCP_KEEPINTVL, LINK_KEEPALIVE_INTERVAL_SECONDS);
	set_number(socket, IPPROTO_TCP, TCP_KEEPCNT, LINK_KEEPALIVE_PROBES);
	set_number(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, LINK_USER_TIMEOUT_MILLISECONDS);
	link->socket = socket;
	buffer_clear(&link->out, 0);
	line_free(&link->answers);
	if (!line_init(&link->answers, LINK_ANSWER))
		lose(relay, strerror(ENOMEM));
}

/* --- sending --- */

static bool append_job(struct buffer *out, const struct relay_job *job)
{
	char head[RELAY_OVERHEAD];
	size_t before = out->length, length = job->line.length;
	int head_length = snprintf(head, sizeof head, "%llu | %s | %s | ",
				   (unsigned long long)job->number, job->received, job->done);
	/* a CR at the end of the line is part of it: another one goes to the line's end */
	bool returns = length && job->line.bytes[length - 1] == '\r';
	if (buffer_append(out, head, (size_t)head_length) &&
	    buffer_append(out, job->line.bytes, length) &&
	    buffer_append_string(out, returns ? "\r\n" : "\n"))
		return true;
	out->length = before; /* tried again, when something has left */
	return false;
}

/* Up to which number lines may be sent now; called with the lock. After a failure there is one line
 * at a time, until one is taken: where the next server cannot log, one behind it might be logged
 * before it; and where it does not answer, each attempt has but one line more there twice. */
static uint64_t last_allowed(const struct relay *relay)
{
	uint64_t last = relay->noted + RELAY_WINDOW;
	return relay->link.careful && last > relay->confirmed ? relay->confirmed + 1 : last;
}

/* Takes what is due to be sent; without a connection only looks whether there is something.
 * Returns whether a line is in flight, or would be. From here on the sender is woken. */
static bool fill(struct relay *relay, bool *unnoted)
{
	struct relay_link *link = &relay->link;
	const struct relay_job *job;
	bool idle = link->sent == relay->confirmed; /* nobody else changes that */
	pthread_mutex_lock(&relay->lock);
	if (link->socket < 0)
		link->sent = relay->confirmed;
	bool there = link->sent > relay->confirmed;
	while (link->sent < last_allowed(relay) &&
	       (job = reorder_buffer_get(&relay->jobs, link->sent + 1))) {
		there = true;
		if (link->socket < 0 || !append_job(&link->out, job))
			break;
		link->sent++;
	}
	*unnoted = !relay->noting && relay->noted < relay->confirmed;
	relay->sleeping = true;
	pthread_mutex_unlock(&relay->lock);
	if (idle && there)
		link->deadline = clock_after(link->answer_wait);
	return there;
}

/* Sends what the peer takes now. False: the connection is lost, errno says why. */
static bool send_out(struct relay_link *link)
{
	while (link->out.length) {
		ssize_t sent = send(link->socket, link->out.bytes, link->out.length,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		buffer_drop(&link->out, (size_t)sent);
	}
	return true;
}

/* --- acknowledgements --- */

/* The oldest line is done with. False: there is none that was sent. */
static bool confirm(struct relay *relay)
{
	struct relay_job *job = NULL;
	pthread_mutex_lock(&relay->lock);
	if (relay->confirmed < relay->link.sent) {
		relay->confirmed++;
		job = reorder_buffer_take(&relay->jobs);
		pthread_cond_signal(&relay->feed);
		pthread_cond_broadcast(&relay->progress);
	}
	pthread_mutex_unlock(&relay->lock);
	relay_job_free(job);
	return job != NULL;
}

/* Puts a note into the log, up to which line the next server has all: one at a time. False: it
 * could not be stored, and is to be tried again, after a pause. */
static bool note_confirmed(struct relay *relay)
{
	static const char done[] = "ok"; /* or an error, where it could not be stored */
	char words[64];
	pthread_mutex_lock(&relay->lock);
	bool failed = relay->note_failed;
	bool due = !relay->noting && relay->noted < relay->confirmed;
	relay->note_failed = false;
	if (due && !failed)
		relay->noting = relay->confirmed;
	int length = snprintf(words, sizeof words, RELAY_ACKNOWLEDGED "%llu",
			      (unsigned long long)relay->confirmed);
	pthread_mutex_unlock(&relay->lock);
	if (!due || failed)
		return !due;
	const struct log_item item = {.event = RECORD_NOTE,
				      .bytes = words,
				      .length = (size_t)length,
				      .answer = done,
				      .answer_length = sizeof done - 1,
				      .is_sent_record = true};
	if (log_try_submit(relay->settings.log, &relay->acknowledger, &item, 1))
		return true;
	pthread_mutex_lock(&relay->lock);
	relay->noting = 0;
	pthread_mutex_unlock(&relay->lock);
	return false;
}

static bool begins_with(const char *line, size_t length, const char *words)
{
	return length >= strlen(words) && !memcmp(line, words, strlen(words));
}

static enum verdict_of_next judge(const char *line, size_t length)
{
	if (length == 2 && !memcmp(line, "ok", 2))
		return NEXT_OK;
	if (begins_with(line, length, "error: line longer than "))
		return NEXT_TOO_LONG;
	return NEXT_REFUSES; /* such as: not logged, too many connections */
}

/* The oldest line that is in flight was answered. False: the connection is of no more use. */
static bool take_answer(struct relay *relay, const char *line, size_t length, char why[128])
{
	struct relay_link *link = &relay->link;
	enum verdict_of_next verdict = judge(line, length);
	if (verdict == NEXT_TOO_LONG)
		log_note(relay->settings.log, RECORD_WARNING, link->name,
			 "does not take line %llu, which is too long for it: left out",
			 (unsigned long long)relay->confirmed + 1);
	if (verdict == NEXT_OK || verdict == NEXT_TOO_LONG) {
		(void)snprintf(why, 128, "it answers what it was not sent");
		if (!confirm(relay))
			return false;
		link->deadline = clock_after(link->answer_wait);
		if (verdict == NEXT_OK)
			link->careful = false;
		is_well(relay);
		return true;
	}
	(void)snprintf(why, 128, "it answers '%.*s'", (int)(length < 100 ? length : 100), line);
	return false;
}

/* Takes the answers that have come. False: the connection is lost, and why says so. */
static bool receive(struct relay *relay, char why[128])
{
	struct relay_link *link = &relay->link;
	const char *line;
	size_t room, length;
	char *space = line_space(&link->answers, &room);
	(void)snprintf(why, 128, "%s", strerror(ENOMEM));
	if (!space)
		return false;
	ssize_t received = recv(link->socket, space, room, MSG_DONTWAIT);
	if (received < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	(void)snprintf(why, 128, "%s", received ? strerror(errno) : "it has closed the connection");
	if (received <= 0)
		return false;
	line_filled(&link->answers, (size_t)received);
	enum line_result result;
	while ((result = line_next(&link->answers, &line, &length)) == LINE_FOUND)
		if (!take_answer(relay, line, length, why))
			return false;
	(void)snprintf(why, 128, "it answers with too long a line");
	return result == LINE_NONE;
}

/* One turn with a connection: sends, waits until `deadline` at the longest, and receives. */
static void session(struct relay *relay, bool in_flight, int64_t deadline)
{
	struct relay_link *link = &relay->link;
	char why[128];
	if (!send_out(link)) {
		lose(relay, strerror(errno));
		return;
	}
	if (in_flight && deadline > link->deadline)
		deadline = link->deadline;
	short events = wait_event(relay, link->out.length ? POLLIN | POLLOUT : POLLIN, deadline);
	if (events & ~POLLOUT) {
		if (receive(relay, why))
			return;
		/* nobody is told of an end that comes while nothing is under way */
		if (in_flight)
			lose(relay, why);
		else
			hang_up(link);
	} else if (in_flight && clock_now() >= link->deadline) {
		link->answer_wait *= link->answer_wait < LINK_ANSWER_MOST ? 2 : 1;
		lose(relay, "it does not answer");
	}
}

void *relay_sender_run(void *argument)
{
	struct relay *relay = argument;
	while (!is_stopping(relay)) {
		bool unnoted;
		bool noted = note_confirmed(relay);
		bool in_flight = fill(relay, &unnoted);
		int64_t deadline = !unnoted ? CLOCK_NEVER : clock_after(noted ? 0 : LINK_NOTE);
		if (relay->link.socket >= 0)
			session(relay, in_flight, deadline);
		else if (in_flight)
			reach(relay);
		else
			(void)wait_event(relay, 0, deadline);
	}
	return NULL;
}
