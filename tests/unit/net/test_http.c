/* SPDX-License-Identifier: MIT */
/* The HTTP server, with a client of plain sockets. */
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "net/listener.h"
#include "support.h"
#include "unit.h"

static struct http *http;
static int port;
static struct http_request *kept; /* to be answered later */
static size_t closed;		  /* streams */

/* A stream that repeats a byte, `left` times. */
struct repeat {
	struct http_stream stream; /* first member: the pointer is cast between the two types */
	size_t left;
	bool ends; /* then; else it waits */
};

static size_t next(struct http_stream *stream, char *space, size_t size)
{
	struct repeat *repeat = (struct repeat *)stream;
	size_t length = repeat->left < size ? repeat->left : size;
	if (!length && repeat->ends)
		return HTTP_STREAM_END;
	memset(space, 'x', length);
	repeat->left -= length;
	return length;
}

static void close_stream(struct http_stream *stream)
{
	closed++;
	free(stream);
}

static bool take_a(void *context, const char *name, struct slice value)
{
	if (strcmp(name, "a") != 0)
		return true;
	if (value.bytes && !memchr(value.bytes, '\0', value.length))
		*(struct slice *)context = value;
	return false;
}

static void echo(struct http_request *request)
{
	char peer[SOCKET_NAME_SIZE], text[2000];
	const char *header = http_header(request, "x-test");
	struct slice body = http_body(request), argument = slice_of("-");
	http_each_argument(request, take_a, &argument);
	http_peer(request, peer);
	(void)snprintf(text, sizeof text, "%s %.*s %s %s %.*s", http_method(request),
		       (int)argument.length, argument.bytes, header ? header : "-",
		       strncmp(peer, "127.0.0.1:", 10) ? peer : "local", (int)body.length,
		       body.bytes);
	http_answer_text(request, 200, text);
}

static bool append(void *context, const char *name, struct slice value)
{
	struct buffer *text = context;
	return buffer_printf(text, "%s=%.*s;", name, (int)value.length,
			     value.bytes ? value.bytes : "") &&
	       strcmp(name, "last") != 0;
}

static void list(struct http_request *request)
{
	struct buffer text = {0};
	http_each_argument(request, append, &text);
	const struct http_answer answer = {
		.status = 200, .bytes = text.bytes, .length = text.length};
	http_answer(request, &answer);
	buffer_free(&text);
}

static void handle(void *context, struct http_request *request)
{
	ck_assert_ptr_eq(context, &http);
	if (!strcmp(http_path(request), "/later")) {
		kept = request;
	} else if (!strcmp(http_path(request), "/list")) {
		list(request);
	} else if (!strncmp(http_path(request), "/stream", strlen("/stream"))) {
		struct repeat *repeat = calloc(1, sizeof *repeat);
		ck_assert_ptr_nonnull(repeat);
		*repeat = (struct repeat){
			{next, close_stream}, 5, !strcmp(http_path(request), "/stream/ends")};
		http_stream(request, &repeat->stream);
	} else {
		echo(request);
	}
}

static void begin(void)
{
	struct error error;
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	const struct http_settings settings = {.handle = handle, .context = &http};
	int listener = socket_bind("127.0.0.1", 0, -1, &error);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(socket_listen(listener, &error), 0);
	socket_local_name(listener, name);
	ck_assert_int_eq(socket_name_split(name, host, &port), 0);
	ck_assert_ptr_nonnull(http = http_open(&settings, listener, &error));
	kept = NULL;
	closed = 0;
}

static void end(void)
{
	http_close(http);
}

static int ask(const char *request)
{
	int peer = tcp_connect(port);
	peer_send(peer, request, strlen(request));
	return peer;
}

static void turn(void)
{
	http_run(http, -1, clock_after(10 * CLOCK_MILLISECOND));
}

/* Serves until the peer has got these words. */
static void await(int peer, const char *words)
{
	static char got[8192];
	size_t length = 0;
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	*got = '\0';
	while (!strstr(got, words)) {
		ck_assert_msg(clock_now() < deadline, "no %s in %s", words, got);
		turn();
		ssize_t more = recv(peer, got + length, sizeof got - 1 - length, MSG_DONTWAIT);
		if (more > 0)
			length += (size_t)more;
		got[length] = '\0';
	}
}

START_TEST(what_is_asked_can_be_read)
{
	int peer = ask("POST /?a=%41%20b&c=d HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\n"
		       "Content-Length: 4\r\n\r\nbody");
	await(peer, "\r\n\r\nPOST A b yes local body\n");
	(void)close(peer);
	peer = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "\r\n\r\nGET - - local \n");
	(void)close(peer);
}
END_TEST

START_TEST(a_nul_is_no_value)
{
	int peer = ask("GET /?a=x%00y HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "GET - - local");
	(void)close(peer);
}
END_TEST

START_TEST(each_answer_is_for_our_own_page_alone)
{
	int peer = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "Content-Security-Policy: default-src 'none'; ");
	(void)close(peer);
}
END_TEST

START_TEST(an_answer_may_come_later)
{
	int peer = ask("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!kept)
		turn();
	int other = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	await(other, "GET - - local");
	http_answer_text(kept, 503, "at last");
	await(peer, "HTTP/1.1 503 ");
	(void)close(peer);
	(void)close(other);
}
END_TEST

START_TEST(an_answer_that_comes_later_is_not_held_back)
{
	char byte;
	int peer = ask("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!kept)
		turn();
	http_answer_text(kept, 200, "at last");
	http_run(http, peer, clock_after(20 * CLOCK_SECOND)); /* nothing else happens */
	ck_assert_int_eq(recv(peer, &byte, 1, MSG_DONTWAIT), 1);
	(void)close(peer);
}
END_TEST

START_TEST(a_stream_is_asked_again_when_it_is_woken)
{
	int peer = ask("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "xxxxx");
	http_wake(http);
	turn();
	(void)close(peer);
	ck_assert_uint_eq(closed, 0);
	http_close(http);
	http = NULL;
	ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(a_stream_can_end)
{
	int peer = ask("GET /stream/ends HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "xxxxx\r\n0\r\n"); /* the last chunk */
	http_flush(http, clock_after(20 * CLOCK_SECOND));
	ck_assert_uint_eq(closed, 1);
	(void)close(peer);
}
END_TEST

START_TEST(what_was_answered_leaves_before_the_end)
{
	static char got[16384];
	char answer[8000];
	size_t length = 0;
	int waiting = ask("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	await(waiting, "xxxxx"); /* it has nothing more, and does not hold up the end */
	int peer = ask("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!kept)
		turn();
	memset(answer, 'y', sizeof answer);
	strcpy(answer + sizeof answer - 6, "last\n");
	http_answer_text(kept, 200, answer);
	http_flush(http, clock_after(20 * CLOCK_SECOND));
	http_close(http);
	http = NULL;
	for (ssize_t more; (more = recv(peer, got + length, sizeof got - 1 - length, 0)) > 0;)
		length += (size_t)more;
	ck_assert_ptr_nonnull(strstr(got, "yyyylast\n"));
	(void)close(peer);
	(void)close(waiting);
}
END_TEST

START_TEST(all_arguments_are_listed)
{
	int peer = ask("GET /list?b=%26&a&=x&b=2&a%00c=d HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "\r\n\r\nb=&;a=;=x;b=2;=d;");
	(void)close(peer);
	peer = ask("GET /list?a=1&last=2&b=3 HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "\r\n\r\na=1;last=2;");
	(void)close(peer);
}
END_TEST

START_TEST(there_are_only_so_many_streams)
{
	static int peers[HTTP_STREAMS_MAX];
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		peers[i] = ask("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
		await(peers[i], "xxxxx");
	}
	int peer = ask("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "HTTP/1.1 503 ");
	ck_assert_uint_eq(closed, 1);
	int other = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	await(other, "GET - - local");
	http_close(http);
	http = NULL;
	ck_assert_uint_eq(closed, HTTP_STREAMS_MAX + 1);
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		(void)close(peers[i]);
	(void)close(peer);
	(void)close(other);
}
END_TEST

START_TEST(it_closes_with_requests_that_wait)
{
	int peer = ask("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	int half = ask("GET /la");
	while (!kept)
		turn();
	http_close(http);
	http = NULL;
	char byte;
	ck_assert_int_le(recv(peer, &byte, 1, 0), 0);
	(void)close(peer);
	(void)close(half);
}
END_TEST

static void *no_memory(size_t count, size_t size)
{
	(void)count, (void)size;
	return NULL;
}

START_TEST(without_memory_a_connection_ends)
{
	memory_calloc = no_memory;
	int peer = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	char byte;
	ssize_t got;
	while ((got = recv(peer, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		turn();
	memory_calloc = calloc;
	ck_assert_int_le(got, 0);
	(void)close(peer);
	peer = ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	await(peer, "GET - - local");
	(void)close(peer);
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("http");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, what_is_asked_can_be_read);
	tcase_add_test(all, a_nul_is_no_value);
	tcase_add_test(all, each_answer_is_for_our_own_page_alone);
	tcase_add_test(all, an_answer_may_come_later);
	tcase_add_test(all, an_answer_that_comes_later_is_not_held_back);
	tcase_add_test(all, a_stream_is_asked_again_when_it_is_woken);
	tcase_add_test(all, a_stream_can_end);
	tcase_add_test(all, what_was_answered_leaves_before_the_end);
	tcase_add_test(all, all_arguments_are_listed);
	tcase_add_test(all, there_are_only_so_many_streams);
	tcase_add_test(all, it_closes_with_requests_that_wait);
	tcase_add_test(all, without_memory_a_connection_ends);
	return unit_main("http", all, NULL);
}
