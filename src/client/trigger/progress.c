/* SPDX-License-Identifier: MIT */
#include "client/trigger/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

struct progress {
	struct http_stream stream; /* first member: the pointer is cast between the two types */
	struct progress **owner;   /* NULL: it is over */
	struct buffer text;	   /* events to be sent */
	size_t sent;		   /* bytes of it */
	uint64_t number;	   /* of the last event */
};

static size_t next(struct http_stream *stream, char *space, size_t size)
{
	struct progress *progress = (struct progress *)stream;
	size_t left = progress->text.length - progress->sent;
	size_t length = left < size ? left : size;
	if (!length)
		return progress->owner ? 0 : HTTP_STREAM_END;
	memcpy(space, progress->text.bytes + progress->sent, length);
	progress->sent += length;
	return length;
}

static void close_stream(struct http_stream *stream)
{
	struct progress *progress = (struct progress *)stream;
	if (progress->owner)
		*progress->owner = NULL;
	buffer_free(&progress->text);
	free(progress);
}

bool progress_open(struct progress **owner, struct http_request *request)
{
	struct progress *progress = *owner = memory_calloc(1, sizeof *progress);
	if (!progress) {
		http_answer_text(request, 500, "out of memory");
		return false;
	}
	progress->stream = (struct http_stream){next, close_stream};
	progress->owner = owner;
	http_stream(request, &progress->stream);
	return *owner;
}

void progress_tell(struct progress *progress, const struct progress_state *state)
{
	if (progress->sent < progress->text.length)
		return;
	buffer_clear(&progress->text, SIZE_MAX);
	progress->sent = 0;
	/* out of memory: the next one tells as much */
	(void)buffer_printf(&progress->text,
			    "id: %" PRIu64 "\nevent: progress\ndata: {\"acknowledged\":%" PRIu64
			    ",\"planned\":%" PRIu64 ",\"seconds\":%.1f}\n\n",
			    ++progress->number, state->acknowledged, state->planned,
			    (double)state->elapsed / (double)CLOCK_SECOND);
}

void progress_end(struct progress *progress, struct slice report)
{
	size_t before = progress->text.length;
	progress->owner = NULL;
	if (!report.length ||
	    !buffer_printf(&progress->text,
			   "id: %" PRIu64 "\nevent: report\ndata: ", ++progress->number) ||
	    !buffer_append(&progress->text, report.bytes, report.length) ||
	    !buffer_append(&progress->text, "\n", 1))
		progress->text.length = before;
}
