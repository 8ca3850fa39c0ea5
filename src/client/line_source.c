/* SPDX-License-Identifier: MIT */
#include "client/line_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void line_source_take(struct line_source *input, const char *name, int descriptor)
{
	struct stat status;
	*input = (struct line_source){.name = name, .descriptor = descriptor};
	input->regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
	line_init(&input->lines, INPUT_LINE_MAX);
}

int line_source_open(struct line_source *input, const char *name, struct error *error)
{
	bool standard = !strcmp(name, "-");
	int descriptor = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	*input = (struct line_source){.descriptor = descriptor};
	if (descriptor < 0)
		return error_set(error, "cannot open %.200s: %s", name, strerror(errno));
	line_source_take(input, standard ? "stdin" : name, descriptor);
	return 0;
}

void line_source_close(struct line_source *input)
{
	line_free(&input->lines);
	buffer_free(&input->cut);
	if (input->descriptor > STDIN_FILENO)
		(void)close(input->descriptor); /* nothing was written through it */
	input->descriptor = -1;
}

void line_source_limit(struct line_source *input, size_t limit)
{
	input->lines.limit = limit < INPUT_LINE_MAX ? limit : INPUT_LINE_MAX;
}

int64_t line_source_position(const struct line_source *input)
{
	const char *remainder;
	return lseek(input->descriptor, 0, SEEK_CUR) -
	       (int64_t)line_remainder(&input->lines, &remainder);
}

bool line_source_shorten(struct line_source *input, struct slice *line)
{
	bool skip = input->long_lines == LONG_SKIP;
	struct slice mark = slice_of(skip ? LINE_SKIPPED : LINE_CUT);
	size_t limit = input->lines.limit, kept = 0;
	if (!skip && limit > mark.length)
		kept = limit - mark.length;
	while (kept && ((unsigned char)line->bytes[kept] & 0xc0) == 0x80)
		kept--; /* within a character in UTF-8 */
	if (mark.length > limit)
		mark.length = limit;
	buffer_clear(&input->cut, SIZE_MAX);
	if (!buffer_append(&input->cut, line->bytes, kept) ||
	    !buffer_append(&input->cut, mark.bytes, mark.length))
		return false;
	*line = (struct slice){input->cut.bytes, input->cut.length};
	return true;
}

/* A line is longer than the limit. */
static enum line_source_result treat_long(struct line_source *input, struct slice *line,
					  struct error *error)
{
	if (input->long_lines == LONG_FAIL)
		error_set(error, "line %" PRIu64 " of %.200s is longer than %zu bytes",
			  input->number, input->name, input->lines.limit);
	else if (line_source_shorten(input, line))
		return INPUT_LINE;
	else
		error_set(error, "out of memory while reading %.200s", input->name);
	return INPUT_FAILED;
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
	bool whole = result == LINE_NONE && line->length <= input->lines.limit;
	return result == LINE_FOUND || whole ? INPUT_LINE : treat_long(input, line, error);
}

int line_source_rewind(struct line_source *input, struct error *error)
{
	size_t limit = input->lines.limit;
	if (lseek(input->descriptor, input->begin, SEEK_SET) < 0)
		return error_set(error, "cannot read %.200s again: %s", input->name,
				 strerror(errno));
	line_free(&input->lines);
	line_init(&input->lines, limit);
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
		input->ended = !input->grows;
	else if (errno != EINTR && errno != EAGAIN)
		return error_set(error, "cannot read %.200s: %s", input->name, strerror(errno));
	return 0;
}
