/* SPDX-License-Identifier: MIT */
#include "client/stdout_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A pipe that poll() calls writable takes this much (PIPE_BUF) without blocking. */
enum {
	OUTPUT_CHUNK = 4096,
	OUTPUT_ECHO_MOST = 256, /* bytes of a line for an echo: what roles say is shorter */
};

void stdout_writer_open(struct stdout_writer *output, int descriptor, int stop)
{
	*output = (struct stdout_writer){
		.descriptor = descriptor, .stop = stop, .each_line = isatty(descriptor) == 1};
}

void stdout_writer_free(struct stdout_writer *output)
{
	buffer_free(&output->text);
}

bool stdout_writer_line(struct stdout_writer *output, const char *line, size_t length,
			struct error *error)
{
	if (output->text.length + length > OUTPUT_CHUNK && !stdout_writer_flush(output, error))
		return false;
	if (!buffer_append(&output->text, line, length)) {
		error_set(error, "out of memory for stdout");
		return false;
	}
	return !output->each_line || stdout_writer_flush(output, error);
}

/* Waits until stdout takes something. False: waiting is over. */
static bool await_writable(const struct stdout_writer *output)
{
	struct pollfd waiting[] = {{.fd = output->descriptor, .events = POLLOUT},
				   {.fd = output->stop, .events = POLLIN}};
	while (poll(waiting, 2, -1) < 0)
		if (errno != EINTR)
			return true; /* write() then says why */
	return waiting[0].revents != 0;
}

static bool write_chunk(struct stdout_writer *output, size_t *done)
{
	size_t left = output->text.length - *done;
	ssize_t length = write(output->descriptor, output->text.bytes + *done,
			       left < OUTPUT_CHUNK ? left : OUTPUT_CHUNK);
	if (length > 0)
		*done += (size_t)length;
	return length >= 0 || errno == EINTR || errno == EAGAIN;
}

bool stdout_writer_flush(struct stdout_writer *output, struct error *error)
{
	size_t done = 0;
	bool written = true;
	while (written && done < output->text.length) {
		if (!await_writable(output)) {
			error_set(error, "stdout was not read");
			written = false;
		} else if (!write_chunk(output, &done)) {
			error_set(error, "cannot write to stdout: %s", strerror(errno));
			written = false;
		}
	}
	buffer_clear(&output->text, OUTPUT_CHUNK * 2);
	return written;
}

bool stdout_writer_echo(struct stdout_writer *output, const char *answer, size_t length,
			struct error *error)
{
	char line[OUTPUT_ECHO_MOST];
	stamp_update(&output->stamp);
	int all = snprintf(line, sizeof line, "%s.%03d echo: %.*s\n", output->stamp.local,
			   (int)output->stamp.microsecond / 1000, (int)length, answer);
	size_t shown = (size_t)all < sizeof line ? (size_t)all : sizeof line - 1;
	return stdout_writer_line(output, line, shown, error);
}
