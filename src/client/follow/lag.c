/* SPDX-License-Identifier: MIT */
#include "client/follow/lag.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "client/follow/siblings.h"

void lag_open(struct lag *lag, const char *path)
{
	*lag = (struct lag){.path = path, .descriptor = -1, .since = clock_now()};
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&lag->mutex, NULL);
}

void lag_close(struct lag *lag)
{
	pthread_mutex_destroy(&lag->mutex);
}

/* Sets the status of the open file. False: there is none. */
static bool look(const struct lag *lag, struct stat *own)
{
	*own = (struct stat){0};
	return lag->descriptor >= 0 && fstat(lag->descriptor, own) == 0;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return file_id_is(file_id_of(one), file_id_of(other));
}

/* What is at the path. False: no file. */
static bool look_at_path(const struct lag *lag, struct stat *named)
{
	return stat(lag->path, named) == 0 && S_ISREG(named->st_mode);
}

/* Notes how long the file is now. What was written until the note before is acknowledged, unless
 * there is another file behind this one. */
static void note(struct lag *lag, const struct stat *own)
{
	struct stat named;
	if (!look_at_path(lag, &named) || is_same(own, &named))
		lag->since = lag->then;
	lag->then = clock_now();
	lag->size_then = own->st_size;
}

void lag_set_file(struct lag *lag, int descriptor, int64_t age)
{
	struct stat own;
	int64_t now = clock_now(), written = now - age;
	pthread_mutex_lock(&lag->mutex);
	lag->descriptor = descriptor;
	lag->position = 0;
	lag->then = now;
	if (look(lag, &own) && written < lag->since)
		lag->since = written;
	lag->size_then = own.st_size;
	pthread_mutex_unlock(&lag->mutex);
}

void lag_set_position(struct lag *lag, int64_t position)
{
	struct stat own;
	pthread_mutex_lock(&lag->mutex);
	lag->position = position;
	if (position >= lag->size_then && look(lag, &own)) {
		note(lag, &own);
		if (position >= lag->size_then)
			note(lag, &own);
	}
	pthread_mutex_unlock(&lag->mutex);
}

/* The bytes of the files that came at the path behind one; of the last of them, where that one has
 * no path any more. */
static int64_t size_behind(const struct lag *lag, const struct stat *own, int64_t last)
{
	struct siblings siblings;
	struct error error;
	int64_t size = last;
	bool found = false;
	if (siblings_find(&siblings, lag->path, &error) < 0)
		return last;
	for (size_t i = 0; i < siblings.count; i++) {
		const struct sibling *sibling = &siblings.list[i];
		size += found ? sibling->size : 0;
		if (file_id_is(sibling->id, file_id_of(own))) {
			found = true;
			size = 0;
		}
	}
	siblings_free(&siblings);
	return size;
}

int64_t lag_read(struct lag *lag, int64_t *time)
{
	struct stat own, named;
	pthread_mutex_lock(&lag->mutex);
	bool is_open = look(lag, &own);
	int64_t bytes = own.st_size > lag->position ? own.st_size - lag->position : 0;
	if (is_open && !bytes) {
		note(lag, &own);
		note(lag, &own);
	}
	int64_t since = lag->since;
	pthread_mutex_unlock(&lag->mutex);
	bool is_there = look_at_path(lag, &named);
	if (is_there && !is_open)
		bytes = named.st_size;
	else if (is_there && !is_same(&own, &named))
		bytes += size_behind(lag, &own, named.st_size);
	*time = bytes ? clock_now() - since : 0;
	return bytes;
}
