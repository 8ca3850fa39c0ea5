/* SPDX-License-Identifier: MIT */
/* A chain whose load is requested over HTTP (-http): the client runs each request and reports its
 * result; when all lines are saved it is given the verdict, a line of JSON for the answer. */
#include <string.h>

#include "base/clock.h"
#include "runall/context.h"

#define END_LINE "\nend\n" /* of a client result */

/* Between two proofs; a proof may take a tenth of the time. */
#define PROOF_PAUSE (100 * CLOCK_MILLISECOND)

static bool is_in_vain(const struct supervisor *watch, size_t unused)
{
	(void)unused;
	for (size_t i = 0; i < watch->servers; i++)
		if (supervisor_over(watch, i))
			return true;
	return watch->interrupts;
}

/* The length of the result that the client has reported; 0: it has not. */
static size_t result_length(const struct supervisor *watch)
{
	const struct buffer *output = &watch->outputs[watch->servers];
	const char *end =
		output->length ? memmem(output->bytes, output->length, END_LINE, strlen(END_LINE))
			       : NULL;
	return end ? (size_t)(end - output->bytes) + strlen(END_LINE) : 0;
}

static bool has_result(const struct supervisor *watch, size_t unused)
{
	return result_length(watch) || supervisor_clients_over(watch, unused) ||
	       is_in_vain(watch, unused);
}

/* Returns the lines of the run. */
static int64_t take_result(struct runall *runall)
{
	struct buffer *output = &runall->watch.outputs[runall->watch.servers];
	struct client_result result = {0};
	size_t length = result_length(&runall->watch);
	runall_add_result(runall, 1, (struct slice){output->bytes, length}, &result);
	buffer_drop(output, length);
	int64_t lines = result.total.sent;
	client_result_free(&result);
	return lines;
}

/* Is it final? What is read while it is written can look wrong: then two proofs have to agree. */
static bool is_final(int result, const struct verdict *verdict, const struct verdict *last)
{
	return result == 0 &&
	       (verdict->good || (!verdict->pending && !strcmp(verdict->message, last->message)));
}

/* Proves until all lines are saved, and for as long as that may take. As relay_chain_prove(). */
static int await_verdict(struct runall *runall, int64_t lines, struct verdict *verdict,
			 struct error *error)
{
	const struct runall_options *options = &runall->options;
	int64_t planned = (int64_t)runall->sum.total.acknowledged;
	int64_t deadline = clock_after(relay_chain_work(options, lines));
	struct verdict last = {0};
	for (;;) {
		int64_t before = clock_now();
		int result = relay_chain_prove(options, planned, verdict, error);
		int64_t now = clock_now(), pause = 10 * (now - before);
		if (is_final(result, verdict, &last) || now >= deadline)
			return result;
		if (result == 0)
			last = *verdict;
		pause = pause > PROOF_PAUSE ? pause : PROOF_PAUSE;
		if (supervisor_until(&runall->watch, is_in_vain, 0, now + pause))
			return result;
	}
}

static bool compose(struct buffer *line, int result, const struct verdict *verdict,
		    const struct error *error)
{
	bool good = result == 0 && verdict->good;
	return buffer_printf(line,
			     "{\"good\":%s,\"complete\":%s,\"message\":", good ? "true" : "false",
			     good && verdict->complete ? "true" : "false") &&
	       report_json_string(line, result == 0 ? verdict->message : error->message) &&
	       buffer_append_string(line, "}\n");
}

void serve_requests(struct runall *runall)
{
	struct supervisor *watch = &runall->watch;
	struct verdict verdict;
	struct error error;
	while (supervisor_until(watch, has_result, 0, CLOCK_NEVER) && result_length(watch) &&
	       !is_in_vain(watch, 0)) {
		struct buffer line = {0};
		int result = await_verdict(runall, take_result(runall), &verdict, &error);
		if (is_in_vain(watch, 0)) /* the verdict over all is soon there */
			return;
		runall_show_verdict(runall, result, &verdict, &error);
		if (!compose(&line, result, &verdict, &error) ||
		    !supervisor_tell(watch, watch->servers,
				     (struct slice){line.bytes, line.length}))
			runall_complain(runall, "cannot give the client the verdict");
		buffer_free(&line);
	}
}
