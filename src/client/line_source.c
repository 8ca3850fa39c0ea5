/* SPDX-License-Identifier: MIT */
#include "client/line_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int line_source_open(struct line_source *input, const char *name, struct error *error)
{
	bool standard = !strcmp(name, "-");
	*input =
		(struct line_source){.name = standard ? "stdin" : name, .descriptor = STDIN_FILENO};
	if (!standard)
		input->descriptor = open(name, O_RDONLY | O_CLOEXEC);
	if (input->descriptor < 0)
		return error_set(error, "cannot open %.200s: %s", name, strerror(errno));
	struct stat status;
	input->regular = fstat(input->descriptor, &status) == 0 && S_ISREG(status.st_mode);
	line_init(&input->lines, INPUT_LINE_MAX);
	return 0;
}

void line_source_close(struct line_source *input)
{
	line_free(&input->lines);
	if (input->descriptor > STDIN_FILENO)
		(void)close(input->descriptor); /* nothing was written through it */
	input->descriptor = -1;
}

enum line_source_result line_source_next(struct line_source *input, struct slice *line,
					 struct error *error)
{
	enum line_result result = line_next(&input->lines, &line->bytes, &line->length);
	if (result == LINE_NONE && !input->ended)
		return INPUT_MORE;
	if (result == LINE_NONE) { /* the last one, without an end */
		line->bytes = line_chunk(&input->lines, true, &line->length);
		if (!line->bytes)
			return INPUT_END;
	} else if (result == LINE_FOUND && line->bytes[line->length] == '\r')
		line->length++; /* sent as it is: what of it is a line end is the server's to say */
	input->number++;
	if (result == LINE_FOUND || (result == LINE_NONE && line->length <= INPUT_LINE_MAX))
		return INPUT_LINE;
	error_set(error, "line %" PRIu64 " of %.200s is longer than %d bytes", input->number,
		  input->name, INPUT_LINE_MAX);
	return INPUT_FAILED;
}

int line_source_rewind(struct line_source *input, struct error *error)
{
	if (lseek(input->descriptor, 0, SEEK_SET) < 0)
		return error_set(error, "cannot read %.200s again: %s", input->name,
				 strerror(errno));
	line_free(&input->lines);
	line_init(&input->lines, INPUT_LINE_MAX);
	input->number = 0;
	input->ended = false;
	return 0;
}

int line_source_read(struct line_source *input, struct error *error)
{
	size_t room;
	char *space = line_space(&input->lines, &room);
	if (!space)
		return error_set(error, "out of memory while reading %.200s", input->name);
	ssize_t length = read(input->descriptor, space, room);
	if (length > 0)
		line_filled(&input->lines, (size_t)length);
	else if (length == 0)
		input->ended = true;
	else if (errno != EINTR && errno != EAGAIN)
		return error_set(error, "cannot read %.200s: %s", input->name, strerror(errno));
	return 0;
}
