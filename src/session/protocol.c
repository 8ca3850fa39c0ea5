/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "net/answers.h"
#include "session/handler.h"

static enum frame_result next_line(struct line_splitter *received, bool flush, void *state,
				   struct frame *frame)
{
	(void)flush; /* a line has an end */
	(void)state;
	frame->end = 0; /* is left out */
	return (enum frame_result)line_next(received, &frame->bytes, &frame->length);
}

static enum frame_result next_chunk(struct line_splitter *received, bool flush, void *state,
				    struct frame *frame)
{
	(void)state;
	frame->bytes = line_chunk(received, flush, &frame->length);
	if (!frame->bytes)
		return FRAME_NONE;
	frame->end = frame->bytes[frame->length - 1] == '\n';
	frame->length -= frame->end;
	return FRAME_FOUND;
}

static size_t refuse_in_a_line(enum refusal refusal, const char *reason,
			       char message[PROTOCOL_REFUSAL_MAX])
{
	return (size_t)snprintf(message, PROTOCOL_REFUSAL_MAX, ANSWER_ERROR "%s%.120s\n",
				refusal == REFUSAL_RECORD ? reason_words(reason) : "", reason);
}

const struct protocol protocol_lines = {
	.frame_name = "line", .next = next_line, .refuse = refuse_in_a_line};

const struct protocol protocol_chunks = {.frame_name = "line",
					 .raw_answers = true,
					 .chunked = true,
					 .next = next_chunk,
					 .refuse = refuse_in_a_line};
