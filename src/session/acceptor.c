/* SPDX-License-Identifier: MIT */
#include "session/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "net/answers.h"
#include "net/listener.h"

enum { ACCEPTOR_AT_ONCE = 64 }; /* then main looks at signals and finished sessions */

/* How long to pause, if no session ends before. */
#define ACCEPTOR_PAUSE (1 * CLOCK_SECOND)

/* A handshake that takes longer is ended when its place is needed. */
#define ACCEPTOR_HANDSHAKE (1 * CLOCK_SECOND)

static int accept_socket(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
	return accept4(listener, address, length, flags);
}

int (*acceptor_accept4)(int listener, struct sockaddr *address, socklen_t *length,
			int flags) = accept_socket;

static void pause_accepting(struct acceptor *acceptor, int errnum)
{
	struct error warning;
	acceptor->paused_until = clock_after(ACCEPTOR_PAUSE);
	if (acceptor->warned)
		return;
	acceptor->warned = true;
	error_set(&warning, "WARNING: cannot accept more connections for now: %s",
		  strerror(errnum));
	if (peer_note(acceptor->settings->notes, NOTE_PAUSED, RECORD_SERVER, "%s",
		      warning.message + strlen("WARNING: ")))
		acceptor->warn(warning.message);
}

static void refuse(struct acceptor *acceptor, struct stream *stream, const char *name,
		   enum peer_note kind, const char *reason, const char *option, size_t limit)
{
	const struct protocol *protocol = acceptor->settings->handler->protocol;
	char message[PROTOCOL_REFUSAL_MAX];
	size_t length = protocol->refuse(REFUSAL_CONNECTION, reason, message);
	/* a new socket has space for it; a type that needs a handshake first closes without it */
	(void)stream_send(stream, message, length);
	(void)peer_note(acceptor->settings->notes, kind, name, "refused: the limit of %s is %zu",
			option, limit);
}

static bool is_full(const struct acceptor *acceptor)
{
	return acceptor->settings->table->count >= acceptor->max;
}

/* All places are taken. True: some by handshakes, and those that take long have been ended. Peers
 * that do not finish theirs cannot keep others out. */
static bool will_have_place(const struct acceptor *acceptor)
{
	return session_table_end_handshakes(acceptor->settings->table,
					    clock_now() - ACCEPTOR_HANDSHAKE);
}

/* Starts the pending session's thread, or refuses it. False: not possible now; it stays pending. */
static bool start_pending(struct acceptor *acceptor)
{
	struct session *pending = acceptor->pending;
	bool full = is_full(acceptor);
	if (full && will_have_place(acceptor)) {
		acceptor->paused_until = clock_after(ACCEPTOR_PAUSE);
		return false;
	}
	int errnum = full ? 0 : session_start(pending);
	if (errnum) {
		pause_accepting(acceptor, errnum);
		return false;
	}
	acceptor->pending = NULL;
	if (full) {
		refuse(acceptor, pending->stream, pending->name, NOTE_REFUSED, REASON_CONNECTIONS,
		       "-connections", acceptor->max);
		session_drop(pending);
	}
	return true;
}

/* Makes a session of the stream, or refuses it. False: out of memory, and it does neither. */
static bool take_in(struct acceptor *acceptor, struct stream *stream, const char *name,
		    const struct sockaddr *from)
{
	const struct session_settings *settings = acceptor->settings;
	struct address *address;
	if (is_full(acceptor) && !will_have_place(acceptor)) {
		refuse(acceptor, stream, name, NOTE_REFUSED, REASON_CONNECTIONS, "-connections",
		       acceptor->max);
		stream_close(stream, 0);
		return true;
	}
	enum admission admission = address_table_enter(settings->addresses, from, &address);
	if (admission == TOO_MANY_OF_ADDRESS) {
		refuse(acceptor, stream, name, NOTE_REFUSED_ADDRESS, REASON_ADDRESS, "-per-address",
		       settings->addresses->max);
		stream_close(stream, 0);
	}
	if (admission != ADMITTED)
		return admission == TOO_MANY_OF_ADDRESS;
	acceptor->pending = session_new(stream, name, acceptor->accepted + 1, settings);
	if (acceptor->pending)
		acceptor->pending->address = address;
	else
		address_table_leave(settings->addresses, address);
	return acceptor->pending;
}

/* Takes over an accepted socket. False: it has to pause. */
static bool admit(struct acceptor *acceptor, int descriptor, const char *name,
		  const struct sockaddr *from)
{
	struct stream *stream =
		stream_open(acceptor->settings->stream_type, descriptor, STREAM_SERVER);
	if (stream && take_in(acceptor, stream, name, from)) {
		acceptor->accepted += acceptor->pending != NULL;
		return !acceptor->pending || start_pending(acceptor);
	}
	/* out of memory: this peer has to connect again */
	if (stream)
		stream_close(stream, 0);
	else
		(void)close(descriptor);
	pause_accepting(acceptor, ENOMEM);
	return false;
}

/* False: there is nothing to accept, or it has to pause. */
static bool accept_one(struct acceptor *acceptor)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char name[SOCKET_NAME_SIZE];
	int descriptor = acceptor_accept4(acceptor->listener, (struct sockaddr *)&address, &length,
					  SOCK_CLOEXEC);
	if (descriptor >= 0) {
		socket_accepted_name(descriptor, (struct sockaddr *)&address, length, name);
		return admit(acceptor, descriptor, name, (struct sockaddr *)&address);
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		pause_accepting(acceptor, errno);
	/* any other is an error of one connection, which is gone */
	return errno != EAGAIN && errno != EWOULDBLOCK && acceptor->paused_until == CLOCK_NEVER;
}

static void accept_some(struct acceptor *acceptor, int max)
{
	acceptor->paused_until = CLOCK_NEVER;
	if (acceptor->pending && !start_pending(acceptor))
		return;
	for (int i = 0; i < max && accept_one(acceptor); i++)
		;
}

void acceptor_run(struct acceptor *acceptor)
{
	accept_some(acceptor, ACCEPTOR_AT_ONCE);
	if (acceptor->paused_until == CLOCK_NEVER)
		acceptor->warned = false;
}

void acceptor_finish(struct acceptor *acceptor)
{
	unix_remove(&acceptor->file);
	accept_some(acceptor, SOCKET_BACKLOG);
}

void acceptor_close(struct acceptor *acceptor)
{
	session_drop(acceptor->pending);
	acceptor->pending = NULL;
	unix_remove(&acceptor->file);
	descriptor_close(&acceptor->listener);
}
