/* SPDX-License-Identifier: MIT */
/* What comes before a TLS handshake is done, at both ends: the bytes as they are, and a peer that
 * means it, whose bytes are changed on the way. abort() says that a handshake is told to be done
 * and is not, that other bytes arrive than were sent, or that a call does not return.
 *
 * The first byte says how, see struct plan; where the peer means it, the next four change what it
 * sends. The rest are bytes of the input. */
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tls_openssl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing takes so long, unless it hangs. */
#define PATIENCE (20 * CLOCK_SECOND)

enum {
	HEAD = 5,     /* bytes of a plan */
	MORE = 2,     /* ms until a peer that has changed something has nothing more to say */
	INPUT = 8192, /* bytes; more are not looked at, and fit into a socket */
};

/* What the peer of a stream does. */
struct plan {
	enum stream_side side; /* the stream's */
	bool real;	       /* the peer shakes hands, else it sends the input */
	bool trusted;	       /* it has a certificate of the CA */
	int version;
	size_t place, dropped; /* where in what it sends, and how many bytes of that */
	size_t piece;	       /* bytes that it sends together */
	const uint8_t *input;  /* what it sends there instead */
	size_t size;
};

static const char *const line = "a line\n";

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* --- keys and certificates, made once --- */

static struct tls *types[2];	/* by side */
static SSL_CTX *contexts[2][2]; /* of peers: by the stream's side, and whether it is trusted */

/* Another CA: makes the same files anew, in the same place. */
static void make_peers(bool trusted)
{
	for (int side = 0; side < 2; side++) {
		bool server = side == STREAM_CLIENT; /* is what the stream is not */
		SSL_CTX *context = SSL_CTX_new(TLS_method());
		check(context && SSL_CTX_use_certificate_file(
					 context, server ? TLS_SERVER_FILE : TLS_CLIENT_FILE,
					 SSL_FILETYPE_PEM) == 1);
		check(SSL_CTX_use_PrivateKey_file(
			      context, server ? TLS_SERVER_KEY_FILE : TLS_CLIENT_KEY_FILE,
			      SSL_FILETYPE_PEM) == 1);
		contexts[side][trusted] = context;
	}
}

static struct tls *make_type(enum stream_side side)
{
	bool server = side == STREAM_SERVER;
	const struct tls_settings settings = {
		.side = side,
		.certificate = server ? TLS_SERVER_FILE : TLS_CLIENT_FILE,
		.key = server ? TLS_SERVER_KEY_FILE : TLS_CLIENT_KEY_FILE,
		.ca = TLS_CA_FILE};
	struct error error;
	struct tls *tls = tls_new(&settings, &error);
	check(tls);
	return tls;
}

static void remove_files(void)
{
	static const char *const files[] = {TLS_CA_FILE,     TLS_CA_KEY_FILE,
					    TLS_SERVER_FILE, TLS_SERVER_KEY_FILE,
					    TLS_CLIENT_FILE, TLS_CLIENT_KEY_FILE};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		check(unlink(files[i]) == 0);
}

static void make_all(void)
{
	char folder[] = "/tmp/fuzz_tls.XXXXXX", *before = getcwd(NULL, 0);
	struct error error;
	check(before && mkdtemp(folder) && chdir(folder) == 0);
	check(tls_make_certificates(".", &error) == 0);
	types[STREAM_CLIENT] = make_type(STREAM_CLIENT);
	types[STREAM_SERVER] = make_type(STREAM_SERVER);
	make_peers(true);
	remove_files();
	check(tls_make_certificates(".", &error) == 0);
	make_peers(false);
	remove_files();
	check(chdir(before) == 0 && rmdir(folder) == 0);
	free(before);
}

/* --- the peer --- */

struct peer {
	const struct plan *plan;
	int descriptor;
	SSL *ssl;
	BIO *in, *out;
	size_t sent; /* bytes of its own, with those that were dropped */
	bool changed;
};

static bool send_all(struct peer *peer, const uint8_t *bytes, size_t length)
{
	size_t piece = peer->plan->piece;
	for (size_t done = 0; done < length; done += piece)
		if (send(peer->descriptor, bytes + done,
			 length - done < piece ? length - done : piece, MSG_NOSIGNAL) < 0)
			return false;
	return true;
}

/* How many bytes of what it says are treated alike from here on. */
static size_t alike(const struct peer *peer)
{
	const struct plan *plan = peer->plan;
	size_t end = plan->place + plan->dropped;
	size_t left = peer->sent < plan->place ? plan->place - peer->sent
		      : peer->sent < end       ? end - peer->sent
					       : plan->piece;
	return left < plan->piece ? left : plan->piece;
}

/* Sends what it has to say, changed as planned. False: the other end is gone. */
static bool say(struct peer *peer)
{
	const struct plan *plan = peer->plan;
	uint8_t bytes[256];
	int length;
	while ((length = BIO_read(peer->out, bytes, (int)alike(peer))) > 0) {
		if (peer->sent == plan->place && (plan->size || plan->dropped)) {
			peer->changed = true;
			if (!send_all(peer, plan->input, plan->size))
				return false;
		}
		size_t behind = peer->sent - plan->place; /* much where it is before it */
		if (behind >= plan->dropped && !send_all(peer, bytes, (size_t)length))
			return false;
		peer->sent += (size_t)length;
	}
	return true;
}

/* False: the other end has nothing more to say. */
static bool listen_to(struct peer *peer)
{
	uint8_t bytes[4096];
	struct pollfd waiting = {.fd = peer->descriptor, .events = POLLIN};
	if (poll(&waiting, 1, peer->changed ? MORE : -1) == 0)
		return false;
	ssize_t length = recv(peer->descriptor, bytes, sizeof bytes, 0);
	return length > 0 && BIO_write(peer->in, bytes, (int)length) == length;
}

static void *run_peer(void *argument)
{
	struct peer *peer = argument;
	int done = 0;
	while (done != 1) {
		done = SSL_do_handshake(peer->ssl);
		bool waits = done == 1 || SSL_get_error(peer->ssl, done) == SSL_ERROR_WANT_READ;
		if (!say(peer) || (done != 1 && (!waits || !listen_to(peer))))
			break;
	}
	if (done == 1 && SSL_write(peer->ssl, line, (int)strlen(line)) > 0 &&
	    SSL_shutdown(peer->ssl) >= 0)
		(void)say(peer);
	(void)shutdown(peer->descriptor, SHUT_WR);
	return NULL;
}

/* --- the stream --- */

/* Each end has the other's Finished: both have seen the same handshake. */
static bool is_done(SSL *one, SSL *other)
{
	uint8_t sent[EVP_MAX_MD_SIZE], received[EVP_MAX_MD_SIZE];
	size_t length = SSL_get_finished(other, sent, sizeof sent);
	return length && SSL_get_peer_finished(one, received, sizeof received) == length &&
	       memcmp(sent, received, length) == 0;
}

/* Receives to the end. It is what the peer has sent, or a beginning of that. */
static void receive_line(struct stream *stream)
{
	char bytes[64];
	size_t total = 0;
	int64_t deadline = clock_after(PATIENCE);
	ssize_t length;
	while ((length = stream_receive_until(stream, bytes + total, sizeof bytes - total,
					      deadline)) > 0) {
		total += (size_t)length;
		check(total <= strlen(line) && memcmp(bytes, line, total) == 0);
	}
	check(clock_now() < deadline);
}

static bool shake(struct stream *stream)
{
	struct error error;
	int64_t deadline = clock_after(PATIENCE);
	int result = stream_handshake(stream, deadline, -1, &error);
	check(clock_now() < deadline);
	check(result == 0 || (*error.message && !strchr(error.message, '\n')));
	return result == 0;
}

static void try_bytes(struct stream *stream, int peer, const struct plan *plan)
{
	for (size_t done = 0; done < plan->size; done += plan->piece) {
		size_t left = plan->size - done;
		if (send(peer, plan->input + done, left < plan->piece ? left : plan->piece,
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break; /* enough */
	}
	(void)shutdown(peer, SHUT_WR);
	check(!shake(stream));
}

static void try_peer(struct stream *stream, int descriptor, const struct plan *plan)
{
	pthread_t thread;
	struct peer peer = {.plan = plan, .descriptor = descriptor};
	peer.ssl = SSL_new(contexts[plan->side][plan->trusted]);
	peer.in = BIO_new(BIO_s_mem());
	peer.out = BIO_new(BIO_s_mem());
	check(peer.ssl && peer.in && peer.out);
	SSL_set_bio(peer.ssl, peer.in, peer.out); /* owns them */
	(void)SSL_set_max_proto_version(peer.ssl, plan->version);
	if (plan->side == STREAM_CLIENT)
		SSL_set_accept_state(peer.ssl);
	else
		SSL_set_connect_state(peer.ssl);
	check(pthread_create(&thread, NULL, run_peer, &peer) == 0);
	bool done = shake(stream);
	if (done)
		receive_line(stream);
	stream_stop(stream);
	check(pthread_join(thread, NULL) == 0);
	if (done)
		check(plan->trusted && is_done(((struct tls_stream *)stream)->ssl, peer.ssl));
	else
		check(peer.changed || !plan->trusted);
	SSL_free(peer.ssl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ends[2];
	struct error error;
	check(pthread_once(&once, make_all) == 0);
	if (size < HEAD)
		return 0;
	const struct plan plan = {.side = data[0] & 1 ? STREAM_SERVER : STREAM_CLIENT,
				  .real = data[0] & 2,
				  .trusted = !(data[0] & 4),
				  .version = data[0] & 8 ? TLS1_2_VERSION : TLS1_3_VERSION,
				  .place = (size_t)data[1] << 8 | data[2],
				  .dropped = data[3],
				  .piece = (size_t)data[4] + 1,
				  .input = data + HEAD,
				  .size = size - HEAD < INPUT ? size - HEAD : INPUT};
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	const struct stream_type *type = tls_stream_type(types[plan.side]);
	struct stream *stream = stream_open(type, ends[0], plan.side);
	check(stream);
	if (plan.side == STREAM_CLIENT)
		check(type->expect(stream, TLS_SERVER_NAME, &error) == 0);
	(plan.real ? try_peer : try_bytes)(stream, ends[1], &plan);
	stream_close(stream, 0);
	check(close(ends[1]) == 0);
	return 0;
}
