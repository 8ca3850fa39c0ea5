/* SPDX-License-Identifier: MIT */
#include "client/follow/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "once/fnv.h"
#include "once/sender.h"
#include "once/words.h"

_Static_assert(TAIL_NAME_SIZE == SENDER_NAME_MAX + 1, "a name fits");

enum { TAIL_FIRST_LINE = 4096 }; /* bytes of it that count */

int tail_open(struct tail *tail, const char *name, struct error *error)
{
	struct stat status;
	*tail = (struct tail){.input.descriptor = -1};
	/* a pipe would keep it waiting for a writer */
	int descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (descriptor < 0)
		return error_set(error, "cannot open %.200s: %s", name, strerror(errno));
	line_source_take(&tail->input, name, descriptor);
	if (!tail->input.regular || fstat(tail->input.descriptor, &status) < 0) {
		errno = EINVAL;
		return error_set(error, "%.200s is no file that can be followed", name);
	}
	tail->input.grows = true;
	tail->id = file_id_of(&status);
	return 0;
}

void tail_close(struct tail *tail)
{
	line_source_close(&tail->input);
}

/* --- who it is --- */

/* Hashes the first line, as far as it counts. False: it is not complete. */
static bool hash_first(const struct tail *tail, bool whole, uint64_t *hash)
{
	char bytes[TAIL_FIRST_LINE];
	ssize_t length = pread(tail->input.descriptor, bytes, sizeof bytes, 0);
	if (length <= 0)
		return false;
	const char *end = memchr(bytes, '\n', (size_t)length);
	if (!end && length < TAIL_FIRST_LINE && !whole)
		return false;
	*hash = fnv1a_64(bytes, end ? (size_t)(end - bytes) : (size_t)length);
	return true;
}

/* The number of a device may be another one after a start of the system; what the file system says
 * of itself mostly stays. */
bool tail_identify(struct tail *tail, bool whole)
{
	uint64_t first;
	struct statfs system;
	if (!hash_first(tail, whole, &first))
		return false;
	uint64_t hash = fnv1a_64((const char *)&first, sizeof first);
	uint64_t inode = tail->id.inode;
	hash = fnv1a_64_more(hash, (const char *)&inode, sizeof inode);
	if (fstatfs(tail->input.descriptor, &system) == 0)
		hash = fnv1a_64_more(hash, (const char *)&system.f_fsid, sizeof system.f_fsid);
	tail->identity = hash ? hash : 1;
	return true;
}

void tail_name(const struct tail *tail, const char *source, const char *path, uint64_t generation,
	       char name[TAIL_NAME_SIZE])
{
	char id[64];
	size_t length = (size_t)snprintf(id, sizeof id, ":%016" PRIx64, tail->identity);
	if (generation > 1)
		length +=
			(size_t)snprintf(id + length, sizeof id - length, "-%" PRIu64, generation);
	if (tail->input.begin)
		length += (size_t)snprintf(id + length, sizeof id - length, "+%" PRId64,
					   tail->input.begin);
	size_t room = SENDER_NAME_MAX - length - 1, source_length = strlen(source);
	source_length = source_length < room ? source_length : room; /* a long one is cut, too */
	size_t path_length = strlen(path), left = room - source_length;
	if (path_length > left)
		path += path_length - left;
	(void)snprintf(name, TAIL_NAME_SIZE, "%.*s:", (int)source_length, source);
	(void)snprintf(name + source_length + 1, left + 1, "%s", path);
	memcpy(name + strlen(name), id, length + 1);
	for (char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
}

/* --- what becomes of it --- */

/* Whether the file begins with another line than it did: it was emptied and written again. */
static bool is_rewritten(struct tail *tail, int64_t size)
{
	struct tail now = *tail;
	if (!tail->identity || size == tail->looked)
		return false;
	tail->looked = size;
	return tail_identify(&now, false) && now.identity != tail->identity;
}

enum tail_state tail_look(struct tail *tail, const char *path)
{
	struct stat own, other;
	if (fstat(tail->input.descriptor, &own) < 0)
		return TAIL_REMOVED; /* a file of a server that has forgotten it */
	if (own.st_size < lseek(tail->input.descriptor, 0, SEEK_CUR) ||
	    is_rewritten(tail, own.st_size))
		return TAIL_CUT;
	if (stat(path, &other) < 0)
		return own.st_nlink ? TAIL_MISSING : TAIL_REMOVED;
	return file_id_is(file_id_of(&other), tail->id) ? TAIL_STAYS : TAIL_RENAMED;
}

int64_t tail_age(const struct tail *tail)
{
	struct stat status;
	struct timespec now;
	if (fstat(tail->input.descriptor, &status) < 0)
		return CLOCK_NEVER;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	int64_t age = (now.tv_sec - status.st_mtim.tv_sec) * CLOCK_SECOND + now.tv_nsec -
		      status.st_mtim.tv_nsec;
	return age > 0 ? age : 0;
}

/* The bytes behind a position. */
static int64_t bytes_behind(const struct tail *tail, int64_t position)
{
	struct stat status;
	if (fstat(tail->input.descriptor, &status) < 0 || status.st_size < position)
		return 0;
	return status.st_size - position;
}

int64_t tail_behind(const struct tail *tail)
{
	return bytes_behind(tail, line_source_position(&tail->input));
}

int64_t tail_unread(const struct tail *tail)
{
	return bytes_behind(tail, lseek(tail->input.descriptor, 0, SEEK_CUR));
}

/* --- what is sent of it --- */

bool tail_compose(struct buffer *composed, struct slice tag, struct slice line)
{
	struct slice whole;
	buffer_clear(composed, SIZE_MAX);
	if (!buffer_append(composed, tag.bytes, tag.length) ||
	    !buffer_append(composed, line.bytes, line.length))
		return false;
	whole = (struct slice){composed->bytes, composed->length};
	whole.length -= whole.length && whole.bytes[whole.length - 1] == '\r';
	if (!slice_begins(whole, ONCE_FROM) || !from_begins(whole))
		return true;
	buffer_clear(composed, SIZE_MAX);
	return buffer_append(composed, " ", 1) && buffer_append(composed, tag.bytes, tag.length) &&
	       buffer_append(composed, line.bytes, line.length);
}

static uint64_t hash_more(uint64_t hash, const char *string)
{
	return fnv1a_64_more(hash, string, strlen(string));
}

/* Compares what the log has with a line that the file has; *part is set to how much of it the log
 * has. */
static enum tail_place compare(struct slice line, uint64_t wanted, struct slice tag, size_t *part)
{
	struct buffer composed = {0};
	if (!tail_compose(&composed, tag, line)) {
		buffer_free(&composed);
		return TAIL_BROKEN;
	}
	size_t length = composed.length, before = length - line.length;
	uint64_t hash = fnv1a_64(composed.bytes, before);
	enum tail_place place = TAIL_NOWHERE;
	bool only_cr = line.length == 1 && line.bytes[0] == '\r'; /* a part of the line end */
	if (hash_more(hash, LINE_SKIPPED) == wanted || (only_cr && hash == wanted))
		place = TAIL_BEHIND;
	for (size_t i = before; i < length && place == TAIL_NOWHERE; i++) {
		if (hash_more(hash, LINE_CUT) == wanted)
			place = TAIL_BEHIND;
		*part = i - before;
		if (hash == wanted && *part)
			place = TAIL_WITHIN;
		hash = fnv1a_64_more(hash, composed.bytes + i, 1);
		if (i + 1 == length - 1 && composed.bytes[i + 1] == '\r' && hash == wanted)
			place = TAIL_BEHIND;
	}
	if (place == TAIL_NOWHERE && (hash == wanted || hash_more(hash, LINE_CUT) == wanted))
		place = TAIL_BEHIND;
	buffer_free(&composed);
	return place;
}

/* Reads the next line, or without one what there is of it, which *half says. */
static enum line_source_result read_line(struct tail *tail, struct slice *line, bool *half,
					 struct error *error)
{
	struct line_source *input = &tail->input;
	enum line_source_result result;
	*half = false;
	while ((result = line_source_next(input, line, error)) == INPUT_MORE) {
		int64_t before = lseek(input->descriptor, 0, SEEK_CUR);
		if (tail->stopped && atomic_load(tail->stopped)) {
			error_set(error, "told to end");
			return INPUT_FAILED;
		}
		if (line_source_read(input, error) < 0)
			return INPUT_FAILED;
		if (lseek(input->descriptor, 0, SEEK_CUR) > before)
			continue;
		line->length = line_remainder(&input->lines, &line->bytes);
		*half = line->length > 0;
		return *half ? INPUT_LINE : INPUT_END;
	}
	return result;
}

/* Puts the file before a byte, as if `number` lines of it had been read. */
static enum tail_place go_to(struct tail *tail, int64_t byte, uint64_t number, struct error *error)
{
	int64_t begin = tail->input.begin;
	tail->input.begin = byte;
	int result = line_source_rewind(&tail->input, error);
	tail->input.begin = begin;
	tail->input.number = number;
	return result < 0 ? TAIL_BROKEN : TAIL_WITHIN;
}

enum tail_place tail_find(struct tail *tail, uint64_t number, uint64_t hash, struct slice tag,
			  struct error *error)
{
	struct slice line;
	bool half = false;
	int64_t begins = tail->input.begin;
	size_t part = 0;
	line_source_limit(&tail->input, INPUT_LINE_MAX - tag.length);
	if (line_source_rewind(&tail->input, error) < 0)
		return TAIL_BROKEN;
	if (!number)
		return TAIL_BEHIND;
	while (tail->input.number < number) {
		if (tail->input.number + 1 == number)
			begins = line_source_position(&tail->input);
		enum line_source_result result = read_line(tail, &line, &half, error);
		if (result != INPUT_LINE)
			return result == INPUT_FAILED ? TAIL_BROKEN : TAIL_NOWHERE;
		if (half && tail->input.number + 1 < number)
			return TAIL_NOWHERE;
		tail->input.number += half;
	}
	enum tail_place place = compare(line, hash, tag, &part);
	if (half && place == TAIL_BEHIND) {
		part = line.length;
		place = TAIL_WITHIN;
	}
	if (place == TAIL_BROKEN)
		error_set(error, "out of memory for a line");
	return place == TAIL_WITHIN ? go_to(tail, begins + (int64_t)part, number, error) : place;
}

void tail_begin_section(struct tail *tail)
{
	tail->input.begin = line_source_position(&tail->input);
	tail->input.number = 0;
}
