/* SPDX-License-Identifier: MIT */
/* One file that is followed: its identity, its lines, and what has become of it. Reading is
 * line_source's, which goes on behind the end. No locks, and nothing blocks but the file itself.
 *
 * A file is told from others by its file system, its inode and its first line: by those it has a
 * name of its own with the server, and its line N has number N. Two things make another count
 * necessary, which begins with 1 under another name: the file was emptied or written anew, so that
 * the log's last line is not in it (a new generation); or half a line was sent (a new section,
 * from the byte behind it on). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "client/line_source.h"

enum { TAIL_NAME_SIZE = 128 + 1 }; /* of a sender, SENDER_NAME_MAX */

struct tail {
	struct line_source input;
	struct file_id id;
	uint64_t identity; /* 0: not known yet */
	/* While it is true no line is looked for any more, which can take long; borrowed, NULL:
	 * none. */
	const atomic_bool *stopped;
	int64_t looked; /* bytes that it had when its first line was compared last */
};

/* Opens a file at its first line. `name` is for errors, and borrowed. Returns 0, or -1: the error
 * is set, and errno is that of open(), or EINVAL: it is no regular file. tail_close() is due in any
 * case; a zeroed tail with descriptor -1 may be closed, too. */
int tail_open(struct tail *tail, const char *name, struct error *error);
void tail_close(struct tail *tail);

/* Sets the identity, once the first line is there; `whole`: what is there is all of it. False:
 * there is no such line. */
bool tail_identify(struct tail *tail, bool whole);

/* Writes SOURCE:PATH:ID, and behind it -GENERATION above 1 and +BYTE of a section: a name of a
 * sender, in which a path that is too long lacks its beginning. */
void tail_name(const struct tail *tail, const char *source, const char *path, uint64_t generation,
	       char name[TAIL_NAME_SIZE]);

/* What has become of the file with a path. */
enum tail_state {
	TAIL_STAYS,
	TAIL_CUT,     /* it has less than was read, or another first line */
	TAIL_RENAMED, /* the path is another file's */
	TAIL_MISSING, /* the path is no file's, but this one has another */
	TAIL_REMOVED, /* it has no path */
};
enum tail_state tail_look(struct tail *tail, const char *path);

/* How long ago it was written, in ns: 0 if the clock says that it will be. And its bytes behind the
 * last line that was returned, and those that were not read. */
int64_t tail_age(const struct tail *tail);
int64_t tail_behind(const struct tail *tail);
int64_t tail_unread(const struct tail *tail);

/* What is sent of a line: behind a tag; and behind a blank, if it would be taken as one that names
 * a sender. Returns false: out of memory. */
bool tail_compose(struct buffer *composed, struct slice tag, struct slice line);

/* Where the log's last line is in a file. */
enum tail_place {
	TAIL_BEHIND,  /* the next line is the one behind it */
	TAIL_WITHIN,  /* the log has a part of the line; the next byte is the one behind it */
	TAIL_NOWHERE, /* the file is not what was sent */
	TAIL_BROKEN,  /* the error is set */
};

/* Goes behind line `number`, of which the log has that hash; 0: before the first one. */
enum tail_place tail_find(struct tail *tail, uint64_t number, uint64_t hash, struct slice tag,
			  struct error *error);

/* The next byte begins a section: its lines are counted from 1 on. */
void tail_begin_section(struct tail *tail);
