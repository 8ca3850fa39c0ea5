/* SPDX-License-Identifier: MIT */
#include "relay/mark.h"

#include <inttypes.h>
#include <string.h>

#include "record/escape.h"

#define FILES "; files behind "
#define NAME "; " RELAY_FORWARDS_AS

bool relay_mark_write(const struct relay_mark *mark, struct buffer *notes)
{
	if (!buffer_printf(notes,
			   RELAY_MARK "%" PRIu64 "; " RELAY_ACKNOWLEDGED "%" PRIu64 FILES
				      "%" PRIu64,
			   mark->lines, mark->acknowledged, mark->behind_file))
		return false;
	if (*mark->name && !buffer_printf(notes, NAME "%s", mark->name))
		return false;
	if (*mark->name && mark->max != UINT64_MAX &&
	    !buffer_printf(notes, RELAY_BEHIND "%" PRIu64, mark->max))
		return false;
	return buffer_append(notes, "\n", 1);
}

static bool read_name(struct slice note, struct relay_mark *mark)
{
	struct slice name = {note.bytes, note.length};
	const char *blank = memchr(note.bytes, ' ', note.length);
	if (blank)
		name.length = (size_t)(blank - note.bytes);
	slice_drop(&note, name.length);
	return relay_name_take(name, mark->name) &&
	       (!note.length || (slice_skip(&note, RELAY_BEHIND) &&
				 slice_number(&note, &mark->max) && !note.length));
}

bool relay_mark_read(struct slice note, struct relay_mark *mark)
{
	char copy[512]; /* above the longest one */
	if (note.length > sizeof copy)
		return false;
	memcpy(copy, note.bytes, note.length);
	note = (struct slice){copy, record_unescape(copy, note.length)};
	*mark = (struct relay_mark){.max = UINT64_MAX};
	if (!slice_skip(&note, RELAY_MARK) || !slice_number(&note, &mark->lines) ||
	    !slice_skip(&note, "; " RELAY_ACKNOWLEDGED) ||
	    !slice_number(&note, &mark->acknowledged) || !slice_skip(&note, FILES) ||
	    !slice_number(&note, &mark->behind_file))
		return false;
	return !note.length || (slice_skip(&note, NAME) && read_name(note, mark));
}
