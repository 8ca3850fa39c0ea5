/* SPDX-License-Identifier: MIT */
#include "client/chars/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/nonblocking_writer.h"
#include "record/escape.h"

enum { FLOW_NAME = 32 };

/* A terminal may take less than it is given, and block for the rest. Others use it as well, so it
 * cannot be made non-blocking; opened once more it can. */
void terminal_output_open(struct terminal_output *flow, int descriptor, bool flowing)
{
	bool terminal = isatty(descriptor) == 1;
	*flow = (struct terminal_output){.descriptor = descriptor, .flowing = flowing && terminal};
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

void terminal_output_close(struct terminal_output *flow)
{
	if (flow->opened)
		(void)close(flow->descriptor); /* all was written, or given up */
	flow->opened = false;
	buffer_free(&flow->waiting);
}

bool terminal_output_end(struct terminal_output *flow)
{
	if (!flow->midline)
		return true;
	flow->midline = false;
	return buffer_append(&flow->waiting, "\n", 1);
}

bool terminal_output_characters(struct terminal_output *flow, const char *bytes, size_t length)
{
	if (flow->flowing) {
		flow->midline = true;
		return record_escape(&flow->waiting, bytes, length);
	}
	return buffer_append_string(&flow->waiting, "chars ") &&
	       buffer_append(&flow->waiting, bytes, length) &&
	       buffer_append(&flow->waiting, "\n", 1);
}

bool terminal_output_line(struct terminal_output *flow, const char *bytes, size_t length)
{
	return terminal_output_end(flow) && record_escape(&flow->waiting, bytes, length) &&
	       buffer_append(&flow->waiting, "\n", 1);
}

int terminal_output_write(struct terminal_output *flow, struct error *error)
{
	ssize_t written =
		nonblocking_write(flow->descriptor, flow->waiting.bytes, flow->waiting.length);
	if (written >= 0) {
		buffer_drop(&flow->waiting, (size_t)written);
		return 0;
	}
	buffer_clear(&flow->waiting, 0);
	return error_set(error, "cannot write to stdout: %s", strerror(errno));
}
