/* SPDX-License-Identifier: MIT */
#include "power/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "power/trace.h"

enum { PARTS_MAX = 64, PAGE = 4096 };

/* What a call does, and to what. */
enum effect {
	NOTHING,
	WRITES,	      /* at the offset of the descriptor: (descriptor, bytes, length) */
	WRITES_AT,    /* (descriptor, bytes, length, offset) */
	WRITES_PARTS, /* (descriptor, parts, count) */
	WRITES_PARTS_AT,
	CUTS,	   /* (descriptor, size) */
	ALLOCATES, /* (descriptor, mode, offset, length) */
	SYNCS,
	OPENS, /* (name, flags) */
	OPENS_AT,
	RENAMES,
	RENAMES_AT,
	LINKS,
	DELETES,
	DELETES_AT,
	ACCEPTS,
	SENDS, /* (descriptor, bytes, length) */
	RECEIVES,
};

static const struct {
	long number;
	enum effect effect;
} effects[] = {
	{SYS_write, WRITES},	    {SYS_pwrite64, WRITES_AT},
	{SYS_writev, WRITES_PARTS}, {SYS_pwritev, WRITES_PARTS_AT},
	{SYS_ftruncate, CUTS},	    {SYS_fallocate, ALLOCATES},
	{SYS_fsync, SYNCS},	    {SYS_fdatasync, SYNCS},
	{SYS_openat, OPENS_AT},	    {SYS_renameat2, RENAMES_AT},
	{SYS_linkat, LINKS},	    {SYS_unlinkat, DELETES_AT},
	{SYS_accept4, ACCEPTS},	    {SYS_sendto, SENDS},
	{SYS_recvfrom, RECEIVES},
#ifdef SYS_renameat
	{SYS_renameat, RENAMES_AT},
#endif
#ifdef SYS_open /* older architectures have the calls without a directory, too */
	{SYS_open, OPENS},	    {SYS_rename, RENAMES},
	{SYS_unlink, DELETES},
#endif
};

long calls_observed(size_t i)
{
	return i < sizeof effects / sizeof *effects ? effects[i].number : -1;
}

static enum effect effect_of(const struct call *call)
{
	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
		if (effects[i].number == call->number)
			return effects[i].effect;
	return NOTHING;
}

int calls_begin(struct calls *calls, const char *directory)
{
	struct stat status;
	*calls = (struct calls){.directory = directory};
	if (stat(directory, &status) < 0)
		return -1;
	calls->device = status.st_dev;
	calls->inode = status.st_ino;
	return 0;
}

/* --- what the thread has --- */

/* Reads from the thread's memory. */
static bool read_memory(pid_t thread, uint64_t address, void *bytes, size_t length)
{
	struct iovec local = {bytes, length}, remote = {(void *)(uintptr_t)address, length};
	return process_vm_readv(thread, &local, 1, &remote, 1, 0) == (ssize_t)length;
}

/* Reads a string, page by page, as what is behind it may not be there. */
static bool read_string(pid_t thread, uint64_t address, char string[PATH_MAX])
{
	for (size_t length = 0; length < PATH_MAX;) {
		size_t part = PAGE - (size_t)((address + length) % PAGE);
		if (part > PATH_MAX - length)
			part = PATH_MAX - length;
		if (!read_memory(thread, address + length, string + length, part))
			return false;
		if (memchr(string + length, '\0', part))
			return true;
		length += part;
	}
	return false;
}

static void descriptor_path(char path[64], pid_t thread, const char *kind, uint64_t descriptor)
{
	(void)snprintf(path, 64, "/proc/%d/%s/%d", (int)thread, kind, (int)descriptor);
}

/* The name in the observed directory that a path means. False: it is none there. */
static bool name_of(const struct calls *calls, pid_t thread, int directory, uint64_t address,
		    char name[PATH_MAX])
{
	char path[PATH_MAX], whole[2 * PATH_MAX], link[64];
	size_t length = strlen(calls->directory);
	if (!read_string(thread, address, path))
		return false;
	if (*path == '/') {
		(void)snprintf(whole, sizeof whole, "%s", path);
	} else {
		if (directory == AT_FDCWD)
			(void)snprintf(link, sizeof link, "/proc/%d/cwd", (int)thread);
		else
			descriptor_path(link, thread, "fd", (uint64_t)directory);
		ssize_t end = readlink(link, whole, PATH_MAX - 1);
		if (end < 0)
			return false;
		(void)snprintf(whole + end, sizeof whole - (size_t)end, "/%s", path);
	}
	const char *last = strrchr(whole, '/');
	if ((size_t)(last - whole) != length || memcmp(whole, calls->directory, length) != 0)
		return false;
	(void)snprintf(name, PATH_MAX, "%s", last + 1);
	return true;
}

enum target { ELSE, FILE_IN_DIRECTORY, DIRECTORY, SOCKET };

/* What a descriptor of the thread is. */
static enum target target_of(const struct calls *calls, pid_t thread, uint64_t descriptor,
			     uint64_t *id)
{
	char path[64], name[PATH_MAX];
	struct stat status;
	size_t length = strlen(calls->directory);
	descriptor_path(path, thread, "fd", descriptor);
	if (stat(path, &status) < 0)
		return ELSE;
	*id = status.st_ino;
	if (S_ISSOCK(status.st_mode))
		return SOCKET;
	if (status.st_dev != calls->device)
		return ELSE;
	if (S_ISDIR(status.st_mode))
		return status.st_ino == calls->inode ? DIRECTORY : ELSE;
	ssize_t end = S_ISREG(status.st_mode) ? readlink(path, name, sizeof name) : -1;
	return end > (ssize_t)length && !memcmp(name, calls->directory, length) &&
			       name[length] == '/'
		       ? FILE_IN_DIRECTORY
		       : ELSE;
}

/* The offset of a descriptor. -1: it cannot be read. */
static int64_t offset_of(pid_t thread, uint64_t descriptor)
{
	char path[64], text[64] = "";
	descriptor_path(path, thread, "fdinfo", descriptor);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
	(void)close(file); /* it was only read */
	long long offset;
	return length > 0 && sscanf(text, "pos: %lld", &offset) == 1 ? offset : -1;
}

/* --- the events --- */

bool calls_use_socket(const struct call *call)
{
	enum effect effect = effect_of(call);
	return effect == ACCEPTS || effect == SENDS || effect == RECEIVES;
}

bool calls_matter(const struct calls *calls, pid_t thread, const struct call *call)
{
	uint64_t id;
	enum target target;
	if (calls->files_only && calls_use_socket(call))
		return false;
	switch (effect_of(call)) {
	case NOTHING:
		return false;
	case WRITES:
	case WRITES_AT:
	case WRITES_PARTS:
	case WRITES_PARTS_AT:
	case CUTS:
	case ALLOCATES:
	case SENDS:
	case RECEIVES:
	case SYNCS:
		target = target_of(calls, thread, call->arguments[0], &id);
		return target != ELSE;
	case OPENS:
		return call->arguments[1] & (O_CREAT | O_TRUNC);
	case OPENS_AT:
		return call->arguments[2] & (O_CREAT | O_TRUNC);
	default:
		return true;
	}
}

bool calls_sync(const struct call *call)
{
	return effect_of(call) == SYNCS;
}

static bool append(struct calls *calls, const struct call *call, struct trace_event event)
{
	event.begun = call->begun;
	event.time = event.kind == TRACE_SENT ? call->begun : clock_now();
	return trace_append(&calls->storage, &event);
}

/* Reads bytes that were written or received, and appends the event. */
static bool take_bytes(struct calls *calls, pid_t thread, const struct call *call,
		       struct trace_event event, uint64_t address, size_t length)
{
	char *bytes = malloc(length + 1);
	event.bytes = bytes;
	event.length = length;
	bool done =
		bytes && read_memory(thread, address, bytes, length) && append(calls, call, event);
	free(bytes);
	return done;
}

static bool take_write(struct calls *calls, pid_t thread, const struct call *call,
		       enum effect effect, uint64_t id, int64_t result)
{
	struct trace_event event = {.kind = TRACE_WRITTEN, .id = id};
	struct iovec parts[PARTS_MAX] = {
		{(void *)(uintptr_t)call->arguments[1], (size_t)call->arguments[2]}};
	size_t count = 1, left = (size_t)result;
	bool listed = effect == WRITES_PARTS || effect == WRITES_PARTS_AT;
	event.offset = effect == WRITES_AT || effect == WRITES_PARTS_AT
			       ? (int64_t)call->arguments[3]
			       : offset_of(thread, call->arguments[0]) - result;
	if (listed)
		count = (size_t)call->arguments[2];
	if (event.offset < 0 || count > PARTS_MAX ||
	    (listed && !read_memory(thread, call->arguments[1], parts, count * sizeof *parts)))
		return false;
	struct buffer bytes = {0};
	bool done = buffer_reserve(&bytes, left);
	for (size_t i = 0; i < count && left && done; i++) {
		size_t length = parts[i].iov_len < left ? parts[i].iov_len : left;
		done = read_memory(thread, (uintptr_t)parts[i].iov_base, bytes.bytes + bytes.length,
				   length);
		bytes.length += length;
		left -= length;
	}
	event.bytes = bytes.bytes;
	event.length = bytes.length;
	done = done && append(calls, call, event);
	buffer_free(&bytes);
	return done;
}

static bool take_name(struct calls *calls, pid_t thread, const struct call *call,
		      struct trace_event event, int directory, uint64_t address)
{
	char name[PATH_MAX];
	if (!name_of(calls, thread, directory, address, name))
		return true;
	event.bytes = name;
	event.length = strlen(name) + 1;
	return append(calls, call, event);
}

/* A file that was opened, and emptied perhaps. */
static bool take_open(struct calls *calls, pid_t thread, const struct call *call, int directory,
		      uint64_t name, uint64_t flags, int64_t descriptor)
{
	struct trace_event opened = {.kind = TRACE_OPENED}, cut = {.kind = TRACE_CUT};
	if (target_of(calls, thread, (uint64_t)descriptor, &opened.id) != FILE_IN_DIRECTORY)
		return true;
	cut.id = opened.id;
	return take_name(calls, thread, call, opened, directory, name) &&
	       (!(flags & O_TRUNC) || append(calls, call, cut));
}

/* Of a rename or link. What comes from or goes to another directory is not observed. */
static bool take_names(struct calls *calls, pid_t thread, const struct call *call,
		       enum trace_kind kind, int from_directory, uint64_t from, int to_directory,
		       uint64_t to)
{
	char names[2 * PATH_MAX];
	if (!name_of(calls, thread, from_directory, from, names))
		return true;
	size_t first = strlen(names) + 1;
	char second[PATH_MAX];
	if (!name_of(calls, thread, to_directory, to, second))
		return true;
	memcpy(names + first, second, strlen(second) + 1);
	return append(calls, call,
		      (struct trace_event){
			      .kind = kind, .bytes = names, .length = first + strlen(second) + 1});
}

/* fallocate() with mode 0 can make the file longer. */
static bool take_allocation(struct calls *calls, pid_t thread, const struct call *call, uint64_t id)
{
	char path[64];
	struct stat status;
	descriptor_path(path, thread, "fd", call->arguments[0]);
	if (call->arguments[1])
		return false;
	return stat(path, &status) == 0 &&
	       append(calls, call,
		      (struct trace_event){.kind = TRACE_CUT, .id = id, .offset = status.st_size});
}

/* Of a call whose first argument is a descriptor. */
static bool take_target(struct calls *calls, pid_t thread, const struct call *call,
			enum effect effect, int64_t result)
{
	struct trace_event event = {0};
	enum target target = target_of(calls, thread, call->arguments[0], &event.id);
	if (effect == SYNCS && target == DIRECTORY)
		event.kind = TRACE_NAMES_SYNCED;
	else if (effect == SYNCS)
		event.kind = TRACE_SYNCED;
	else
		event.kind = effect == SENDS ? TRACE_SENT : TRACE_RECEIVED;
	if (target == SOCKET && (effect == SENDS || effect == RECEIVES))
		return take_bytes(calls, thread, call, event, call->arguments[1], (size_t)result);
	if (effect == SYNCS && target != SOCKET && target != ELSE)
		return append(calls, call, event);
	if (target != FILE_IN_DIRECTORY)
		return true;
	if (effect == ALLOCATES)
		return take_allocation(calls, thread, call, event.id);
	if (effect == CUTS)
		return append(calls, call,
			      (struct trace_event){.kind = TRACE_CUT,
						   .id = event.id,
						   .offset = (int64_t)call->arguments[1]});
	return take_write(calls, thread, call, effect, event.id, result);
}

bool calls_take(struct calls *calls, pid_t thread, const struct call *call, int64_t result)
{
	const uint64_t *at = call->arguments;
	const struct trace_event deleted = {.kind = TRACE_DELETED};
	struct trace_event accepted = {.kind = TRACE_ACCEPTED};
	enum effect effect = effect_of(call);
	switch (effect) {
	case OPENS:
		return take_open(calls, thread, call, AT_FDCWD, at[0], at[1], result);
	case OPENS_AT:
		return take_open(calls, thread, call, (int)at[0], at[1], at[2], result);
	case RENAMES:
		return take_names(calls, thread, call, TRACE_RENAMED, AT_FDCWD, at[0], AT_FDCWD,
				  at[1]);
	case RENAMES_AT:
		return take_names(calls, thread, call, TRACE_RENAMED, (int)at[0], at[1], (int)at[2],
				  at[3]);
	case LINKS:
		return take_names(calls, thread, call, TRACE_LINKED, (int)at[0], at[1], (int)at[2],
				  at[3]);
	case DELETES:
		return take_name(calls, thread, call, deleted, AT_FDCWD, at[0]);
	case DELETES_AT:
		return take_name(calls, thread, call, deleted, (int)at[0], at[1]);
	case ACCEPTS:
		(void)target_of(calls, thread, (uint64_t)result, &accepted.id);
		return append(calls, call, accepted);
	default:
		return take_target(calls, thread, call, effect, result);
	}
}
