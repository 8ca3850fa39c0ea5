/* SPDX-License-Identifier: MIT */
/* Which file comes next. A file that was renamed is finished before the one that has the path now,
 * and those that had it in between come between them. */
#include "client/follow/shipper.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/workload/workload.h"

/* --- made and freed --- */

enum { TAG_MAX = 4096 }; /* bytes, without the blank; a longer one is cut */

/* Replaces control bytes: who may name a file could write lines of an own with a line end in it. */
static void make_printable(struct buffer *text)
{
	for (size_t i = 0; i < text->length; i++)
		if (iscntrl((unsigned char)text->bytes[i]))
			text->bytes[i] = '_';
}

/* Writes the words of -tag, %h for the host's name and %f for the path, and a blank. */
static bool write_tag(struct buffer *tag, const char *words, const char *path)
{
	char host[HOST_NAME_MAX + 1] = "";
	(void)gethostname(host, sizeof host - 1); /* else there is none */
	for (; *words; words++) {
		const char *part = *words != '%'     ? NULL
				   : words[1] == 'h' ? host
				   : words[1] == 'f' ? path
				   : words[1] == '%' ? "%"
						     : NULL;
		if (!(part ? buffer_append_string(tag, part) : buffer_append(tag, words, 1)))
			return false;
		words += part != NULL;
	}
	make_printable(tag);
	if (tag->length > TAG_MAX)
		tag->length = TAG_MAX;
	return buffer_append(tag, " ", 1);
}

struct shipper *shipper_make(struct shipping *shipping, char *path, struct error *error)
{
	struct shipper *shipper = memory_calloc(1, sizeof *shipper);
	const char *tag = shipping->options->tag;
	if (!shipper) {
		free(path);
		return error_null(error, "out of memory");
	}
	shipper->shipping = shipping;
	shipper->path = path;
	shipper->limit = INPUT_LINE_MAX;
	shipper->turn.hosts = &shipping->options->hosts;
	shipper->tail.input.descriptor = shipper->wake.events = shipper->wake.notify = -1;
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&shipper->mutex, NULL);
	lag_open(&shipper->lag, path);
	shipper->latency = memory_calloc(1, sizeof *shipper->latency);
	if (!shipper->latency || (tag && !write_tag(&shipper->tag, tag, path)))
		error_set(error, "out of memory");
	else if (wake_open(&shipper->wake, shipping->ending, error) == 0)
		return shipper;
	shipper_free(shipper);
	return NULL;
}

void shipper_free(struct shipper *shipper)
{
	if (!shipper)
		return;
	tail_close(&shipper->tail);
	lag_close(&shipper->lag);
	wake_close(&shipper->wake);
	pthread_mutex_destroy(&shipper->mutex);
	buffer_free(&shipper->tag);
	buffer_free(&shipper->line);
	free(shipper->latency);
	free(shipper->path);
	free(shipper);
}

void shipper_stop(struct shipper *shipper)
{
	pthread_mutex_lock(&shipper->mutex);
	if (shipper->session)
		client_session_stop(shipper->session);
	pthread_mutex_unlock(&shipper->mutex);
}

bool shipper_is_connected(struct shipper *shipper, bool *has_session)
{
	pthread_mutex_lock(&shipper->mutex);
	*has_session = shipper->session;
	bool connected = *has_session && client_session_is_up(shipper->session);
	pthread_mutex_unlock(&shipper->mutex);
	return connected;
}

/* --- the next file --- */

/* Opens a file in place of the one before, whose inode no other file has until then. False: it is
 * not the listed one any more. */
static bool open_file(struct shipper *shipper, const struct sibling *sibling)
{
	struct tail tail;
	bool same = tail_open(&tail, sibling->path, &shipper->error) == 0 &&
		    file_id_is(tail.id, sibling->id);
	if (!same) {
		tail_close(&tail);
		return false;
	}
	lag_set_file(&shipper->lag, tail.input.descriptor, tail_age(&tail));
	tail_close(&shipper->tail);
	shipper->tail = tail;
	shipper->tail.input.name = shipper->path;
	shipper->tail.stopped = &shipper->shipping->is_stopped;
	shipper->tail.input.long_lines = (enum long_lines)shipper->shipping->options->long_lines;
	shipper->generation = 0;
	wake_watch(&shipper->wake, tail.input.descriptor, shipper->path);
	return true;
}

static void close_file(struct shipper *shipper)
{
	lag_set_file(&shipper->lag, -1, 0);
	tail_close(&shipper->tail);
	shipper->tail = (struct tail){.input.descriptor = -1};
}

/* Whether the last of the list is the file itself, and not a rotated one. */
static bool has_path(const struct shipper *shipper, const struct siblings *siblings)
{
	return siblings->count && !strcmp(siblings->list[siblings->count - 1].path, shipper->path);
}

/* Finds the first file to send: the log says how far it has the rotated ones. Files are finished
 * one after the other, so those behind one that it has are to be sent, and those before one that it
 * has wholly are not looked at. A file that it does not have at all was never followed. Where the
 * server was away that takes long: SIZE_MAX if the files were renamed in that time. */
static size_t choose_first(struct shipper *shipper, const struct siblings *siblings)
{
	size_t own = siblings->count - has_path(shipper, siblings), first = own;
	enum ship_known known = KNOWN_NOT;
	for (size_t i = own; i-- > 0 && known != KNOWN_ALL && known != KNOWN_ENDING;) {
		if (!open_file(shipper, &siblings->list[i])) {
			if (sibling_is_there(&siblings->list[i]))
				continue; /* it may not be read */
			first = SIZE_MAX;
			break;
		}
		known = ship_ask(shipper);
		if (known == KNOWN_PART || (known == KNOWN_ALL && first == own))
			first = known == KNOWN_ALL ? i + 1 : i;
		else if (known == KNOWN_NOT && first < own)
			break;
	}
	close_file(shipper);
	return first;
}

/* Finds the file behind the one that was sent. */
static size_t choose_next(const struct shipper *shipper, const struct siblings *siblings)
{
	struct stat last;
	for (size_t i = 0; i < siblings->count; i++)
		if (file_id_is(siblings->list[i].id, shipper->tail.id))
			return i + 1;
	if (fstat(shipper->tail.input.descriptor, &last) < 0)
		return siblings->count - has_path(shipper, siblings);
	size_t next = 0; /* it is gone: the first one that was written since */
	while (next + 1 < siblings->count &&
	       (siblings->list[next].written.tv_sec < last.st_mtim.tv_sec ||
		(siblings->list[next].written.tv_sec == last.st_mtim.tv_sec &&
		 siblings->list[next].written.tv_nsec <= last.st_mtim.tv_nsec)))
		next++;
	return next;
}

/* Opens the next file. False: there is none yet, or the error is set. */
static bool open_next(struct shipper *shipper)
{
	struct siblings siblings;
	bool first = shipper->tail.input.descriptor < 0, done = false;
	int found = siblings_find(&siblings, shipper->path, &shipper->error);
	if (found == 0)
		*shipper->error.message = '\0';
	if (found == 0 && siblings.count) {
		size_t next = first ? siblings.count - has_path(shipper, &siblings)
				    : choose_next(shipper, &siblings);
		if (first && workloads[shipper->shipping->options->service].numbers)
			next = choose_first(shipper, &siblings);
		*shipper->error.message = '\0';
		done = next < siblings.count && open_file(shipper, &siblings.list[next]);
	}
	siblings_free(&siblings);
	return done;
}

/* Prints why there is no file. False: it has just come. */
static bool explain(struct shipper *shipper)
{
	struct tail tail = {.input.descriptor = -1};
	struct error error = shipper->error; /* of the file that comes next, if there is one */
	if (!*error.message && tail_open(&tail, shipper->path, &error) < 0 && errno == ENOENT)
		error_set(&error, "no such file");
	tail_close(&tail);
	if (!*error.message)
		return false;
	error_set(&shipper->error, "%.400s; waiting for it", error.message);
	ship_complain(shipper, shipper->error.message);
	return true;
}

/* Waits for the next file. False: told to end, or the path is not waited for. */
static bool await_file(struct shipper *shipper)
{
	bool told = false;
	/* behind another one it is missing for a moment, or not yet readable */
	bool waited = shipper->tail.input.descriptor < 0;
	if (waited)
		wake_watch(&shipper->wake, -1, shipper->path);
	while (!ship_is_ending(shipper)) {
		if (open_next(shipper))
			return true;
		bool exists = access(shipper->path, F_OK) == 0;
		if (!shipper->fixed && !exists)
			return false;
		if (waited && !told && (exists || shipper->tail.input.descriptor < 0))
			told = explain(shipper);
		waited = true;
		shipper->from_end = false;
		ship_wait(shipper, WAKE_INTERVAL);
	}
	return false;
}

/* Goes to the end of the file. */
static void skip_all(struct shipper *shipper)
{
	struct line_source *input = &shipper->tail.input;
	input->begin = tail_unread(&shipper->tail);
	(void)line_source_rewind(input, &shipper->error); /* a file that was just opened */
	lag_set_position(&shipper->lag, input->begin);
}

void *shipper_run(void *argument)
{
	struct shipper *shipper = argument;
	enum shipped outcome = SHIPPED_ALL;
	while (outcome == SHIPPED_ALL && await_file(shipper)) {
		if (shipper->from_end)
			skip_all(shipper);
		shipper->from_end = false;
		outcome = ship_file(shipper);
	}
	if (outcome == SHIPPED_NEVER) {
		ship_complain(shipper, shipper->error.message);
		atomic_store(&shipper->has_failed, true);
	}
	atomic_store(&shipper->has_ended, true);
	(void)eventfd_write(shipper->shipping->over, 1); /* a counter this low takes it at once */
	return NULL;
}
