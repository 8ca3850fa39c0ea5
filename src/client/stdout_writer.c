/* SPDX-License-Identifier: MIT */
#include "client/stdout_writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nonblocking_writer.h"
#include "record/escape.h"

enum { OUTPUT_CHUNK = 4096 }; /* bytes that are gathered */

void stdout_writer_open(struct stdout_writer *output, int stop)
{
	*output = (struct stdout_writer){.stop = stop, .each_line = isatty(STDOUT_FILENO) == 1};
}

void stdout_writer_free(struct stdout_writer *output)
{
	buffer_free(&output->gathered);
	buffer_free(&output->echo);
}

bool stdout_writer_line(struct stdout_writer *output, const char *line, size_t length,
			struct error *error)
{
	if (output->gathered.length + length > OUTPUT_CHUNK && !stdout_writer_flush(output, error))
		return false;
	if (!buffer_append(&output->gathered, line, length)) {
		error_set(error, "out of memory for stdout");
		return false;
	}
	return !output->each_line || stdout_writer_flush(output, error);
}

bool stdout_writer_flush(struct stdout_writer *output, struct error *error)
{
	struct buffer *text = &output->gathered;
	bool written = nonblocking_write_all(STDOUT_FILENO, text->bytes, text->length, output->stop,
					     CLOCK_NEVER) == 0;
	if (!written && errno == ETIMEDOUT)
		error_set(error, "stdout was not read");
	else if (!written)
		error_set(error, "cannot write to stdout: %s", strerror(errno));
	buffer_clear(text, OUTPUT_CHUNK * 2);
	return written;
}

bool stdout_writer_echo(struct stdout_writer *output, struct slice answer, struct error *error)
{
	struct buffer *line = &output->echo;
	stamp_update(&output->stamp);
	buffer_clear(line, OUTPUT_CHUNK);
	if (buffer_printf(line, "%s.%03d echo: ", output->stamp.local,
			  (int)output->stamp.microsecond / 1000) &&
	    record_escape(line, answer.bytes, answer.length) && buffer_append(line, "\n", 1))
		return stdout_writer_line(output, line->bytes, line->length, error);
	error_set(error, "out of memory for stdout");
	return false;
}
