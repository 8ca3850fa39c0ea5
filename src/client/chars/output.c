/* SPDX-License-Identifier: MIT */
#include "client/chars/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/format.h"

/* A pipe that poll() calls writable takes this much (PIPE_BUF) without blocking. */
enum { FLOW_CHUNK = 4096, FLOW_NAME = 32 };

/* A terminal may take less than it is given, and block for the rest. Others use it as well, so it
 * cannot be made non-blocking; opened once more it can. */
void flow_open(struct flow *flow, int descriptor, bool flowing)
{
	bool terminal = isatty(descriptor) == 1;
	*flow = (struct flow){.descriptor = descriptor, .flowing = flowing && terminal};
	if (!terminal)
		return;
	char name[FLOW_NAME];
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
	int own = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return; /* not ours to open: then as it is */
	flow->descriptor = own;
	flow->opened = true;
}

void flow_close(struct flow *flow)
{
	if (flow->opened)
		(void)close(flow->descriptor); /* all was written, or given up */
	flow->opened = false;
	text_free(&flow->waiting);
}

bool flow_end(struct flow *flow)
{
	if (!flow->midline)
		return true;
	flow->midline = false;
	return text_append(&flow->waiting, "\n", 1);
}

bool flow_characters(struct flow *flow, const char *bytes, size_t length)
{
	if (flow->flowing) {
		flow->midline = true;
		return record_escape(&flow->waiting, bytes, length);
	}
	return text_append_string(&flow->waiting, "chars ") &&
	       text_append(&flow->waiting, bytes, length) && text_append(&flow->waiting, "\n", 1);
}

bool flow_line(struct flow *flow, const char *bytes, size_t length)
{
	return flow_end(flow) && record_escape(&flow->waiting, bytes, length) &&
	       text_append(&flow->waiting, "\n", 1);
}

int flow_write(struct flow *flow, struct failure *failure)
{
	size_t length = flow->waiting.length < FLOW_CHUNK ? flow->waiting.length : FLOW_CHUNK;
	ssize_t written = write(flow->descriptor, flow->waiting.bytes, length);
	if (written >= 0) {
		text_drop(&flow->waiting, (size_t)written);
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	text_clear(&flow->waiting, 0);
	return failure_set(failure, "cannot write to stdout: %s", strerror(errno));
}
