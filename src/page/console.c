/* SPDX-License-Identifier: MIT */
/* Requests that a service answers. Each is submitted to the log, as a line of a session is, and the
 * answer is seen when the record is stored. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/memory.h"
#include "base/parse.h"
#include "net/answers.h"
#include "page/internal.h"

struct console_request {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	struct page *page;
	struct http_request *request;
	struct console_request *next;
	bool for_script; /* the answer is text; else the page comes again */
	unsigned status;
	char answer[VIEW_TEXT_SIZE];
	char name[SOCKET_NAME_SIZE + sizeof "http:"];
};

void console_open(struct console *console)
{
	pthread_mutex_init(&console->lock, NULL); /* cannot fail without attributes */
}

void console_close(struct console *console)
{
	for (struct console_request *next; console->done; console->done = next) {
		next = console->done->next;
		free(console->done);
	}
	pthread_mutex_destroy(&console->lock);
}

void console_update(struct page *page)
{
	struct view_console *view = &page->console.view;
	if (!console_of(page))
		return;
	view->shown = true;
	console_of(page)->settings(page->source.sessions->service, view->alphabet,
				   sizeof view->alphabet, &view->burst);
}

/* --- by the thread that has committed --- */

/* Hands it to the page's thread. */
static void finish(struct console_request *request, unsigned status, const char *answer,
		   size_t length)
{
	struct console *console = &request->page->console;
	int wake = request->page->wake;
	size_t max = sizeof request->answer - 1;
	request->status = status;
	memcpy(request->answer, answer, length < max ? length : max);
	pthread_mutex_lock(&console->lock);
	request->next = console->done;
	console->done = request;
	pthread_mutex_unlock(&console->lock);
	(void)eventfd_write(wake, 1); /* EAGAIN: it is readable already */
}

static bool deliver(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	(void)lines; /* one */
	finish((struct console_request *)target, 200, answers, length - 1);
	return true;
}

static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	struct error error;
	(void)lines;
	error_set(&error, "%s%s", reason_words(reason), reason);
	finish((struct console_request *)target, 503, error.message, strlen(error.message));
}

/* --- by the page's thread --- */

static void answer(const struct console_request *request)
{
	static const char *const again[] = {"Location", "/", NULL};
	struct http_answer reply = {.status = 303, .headers = again};
	if (request->for_script || request->status != 200)
		http_answer_text(request->request, request->status, request->answer);
	else
		http_answer(request->request, &reply);
}

/* A count is shown to all. */
static void keep(struct view_console *view, struct console_request *request)
{
	static const char stat[] = "stat ";
	if (strncmp(request->answer, stat, sizeof stat - 1) != 0)
		return;
	memmove(request->answer, request->answer + sizeof stat - 1,
		strlen(request->answer + sizeof stat - 1) + 1);
	(void)snprintf(view->count, sizeof view->count, "%s", request->answer);
	(void)snprintf(view->asked, sizeof view->asked, "%.32s, by %.200s", request->answer,
		       request->name);
}

static struct console_request *take_done(struct console *console)
{
	struct console_request *oldest = NULL, *next;
	pthread_mutex_lock(&console->lock);
	struct console_request *newest = console->done;
	console->done = NULL;
	pthread_mutex_unlock(&console->lock);
	for (; newest; newest = next) {
		next = newest->next;
		newest->next = oldest;
		oldest = newest;
	}
	return oldest;
}

void console_settle(struct page *page)
{
	struct console_request *request = take_done(&page->console), *next;
	if (!request)
		return;
	for (; request; request = next) {
		next = request->next;
		keep(&page->console.view, request);
		answer(request);
		free(request);
	}
	console_update(page);
	page_drop_events(page);
}

/* NULL: out of memory, and it is answered. */
static struct console_request *new_request(struct page *page, struct http_request *http)
{
	struct console_request *request = memory_calloc(1, sizeof *request);
	char peer[SOCKET_NAME_SIZE];
	const char *accepted = http_header(http, "Accept");
	if (!request) {
		http_answer_text(http, 500, "out of memory");
		return NULL;
	}
	http_peer(http, peer);
	(void)snprintf(request->name, sizeof request->name, "http:%s", peer);
	request->target =
		(struct reply_target){.name = request->name, .deliver = deliver, .refuse = refuse};
	request->page = page;
	request->request = http;
	request->for_script = !accepted || !strstr(accepted, "text/html");
	return request;
}

void console_ask(struct page *page, struct http_request *http)
{
	struct console_request *request = new_request(page, http);
	if (!request)
		return;
	if (console_of(page)->ask(page->source.sessions->service, &request->target))
		return;
	free(request);
	http_answer_text(http, 503, "the log takes nothing at the moment; try it again");
}

void console_set(struct page *page, struct http_request *http)
{
	char alphabet[VIEW_TEXT_SIZE], min[24], max[24], both[64];
	struct slice form = http_body(http);
	struct range burst = {0};
	struct error error;
	if (!http_form_value(form, "alphabet", alphabet, sizeof alphabet) ||
	    !http_form_value(form, "min", min, sizeof min) ||
	    !http_form_value(form, "max", max, sizeof max)) {
		http_answer_text(http, 400, "alphabet, min and max are needed");
		return;
	}
	(void)snprintf(both, sizeof both, "%s:%s", min, max);
	if (counts_parse(both, 1, console_of(page)->burst_max, &burst) < 0) {
		error_set(&error, "'%s' to '%s' is not a range within 1 to %lld", min, max,
			  (long long)console_of(page)->burst_max);
		http_answer_text(http, 400, error.message);
		return;
	}
	struct console_request *request = new_request(page, http);
	if (!request)
		return;
	int errnum = console_of(page)->set(page->source.sessions->service, &request->target,
					   alphabet, &burst, &error);
	if (!errnum)
		return;
	free(request);
	http_answer_text(http, errnum == EINVAL ? 400 : 503, error.message);
}
