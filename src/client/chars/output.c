/* SPDX-License-Identifier: MIT */
#include "client/chars/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/nonblocking_writer.h"
#include "record/escape.h"

/* A terminal may block in the middle of a write. Other programs use it as well, so it cannot be
 * made non-blocking; a description of our own can. */
void terminal_output_open(struct terminal_output *output, bool terminal)
{
	*output = (struct terminal_output){.descriptor = STDOUT_FILENO};
	if (isatty(STDOUT_FILENO) != 1)
		return;
	output->terminal = terminal;
	int own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0) /* it may be forbidden */
		output->descriptor = own;
}

void terminal_output_close(struct terminal_output *output)
{
	if (output->descriptor > STDOUT_FILENO)
		(void)close(output->descriptor); /* each write was checked */
	buffer_free(&output->waiting);
}

void terminal_output_end(struct terminal_output *output)
{
	output->incomplete |= output->midline && !buffer_append(&output->waiting, "\n", 1);
	output->midline = false;
}

void terminal_output_characters(struct terminal_output *output, struct slice characters)
{
	struct buffer *waiting = &output->waiting;
	bool line = !output->terminal;
	output->midline = !line;
	output->incomplete |= (line && !buffer_append_string(waiting, "chars ")) ||
			      !record_escape(waiting, characters.bytes, characters.length) ||
			      (line && !buffer_append(waiting, "\n", 1));
}

void terminal_output_line(struct terminal_output *output, struct slice line)
{
	terminal_output_end(output);
	output->incomplete |= !record_escape(&output->waiting, line.bytes, line.length) ||
			      !buffer_append(&output->waiting, "\n", 1);
}

int terminal_output_write(struct terminal_output *output, struct error *error)
{
	struct buffer *waiting = &output->waiting;
	ssize_t written = nonblocking_write(output->descriptor, waiting->bytes, waiting->length);
	if (written >= 0) {
		buffer_drop(waiting, (size_t)written);
		return 0;
	}
	buffer_clear(waiting, 0);
	return error_set(error, "cannot write to stdout: %s", strerror(errno));
}
