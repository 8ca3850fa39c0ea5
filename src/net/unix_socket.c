/* SPDX-License-Identifier: MIT */
#include "net/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"

/* Servers hold the lock for a moment; any program that can read the directory can hold it longer.
 */
#define LOCK_PATIENCE (5 * CLOCK_SECOND)
#define LOCK_PATIENCE_END (100 * CLOCK_MILLISECOND) /* the next start replaces the socket */
#define LOCK_STEP (10 * CLOCK_MILLISECOND)
#define CONNECT_STEP (5 * CLOCK_MILLISECOND) /* between two tries, while the backlog is full */

enum {
	BACKLOG = 4096, /* as that of TCP */
	CHOSEN = 5,	/* hexadecimal digits of an address that the kernel chose, behind a NUL */
};

bool unix_is_name(const char *host)
{
	return !strncmp(host, UNIX_PREFIX, sizeof UNIX_PREFIX - 1);
}

int unix_check(const char *host, struct error *error)
{
	const char *path = host + sizeof UNIX_PREFIX - 1;
	size_t max = sizeof((struct sockaddr_un *)NULL)->sun_path - 1, length = strlen(path);
	if (!length)
		return error_set(error, "'" UNIX_PREFIX "' needs the path of a socket");
	if (length > max)
		return error_set(error, "'%.150s': a socket's path has %zu bytes at most, not %zu",
				 host, max, length);
	for (const char *at = path; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == ',')
			return error_set(error,
					 "'%.150s': a socket's path may have no blank, no comma "
					 "and no control character",
					 host);
	return 0;
}

static int set_address(struct sockaddr_un *address, const char *host, struct error *error)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (unix_check(host, error) < 0)
		return -1;
	strcpy(address->sun_path, host + sizeof UNIX_PREFIX - 1);
	return 0;
}

static const struct sockaddr *generic(const struct sockaddr_un *address)
{
	return (const struct sockaddr *)address;
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* --- listening --- */

/* Pauses before the next try. False, with errno: late, or the descriptor is readable. */
static bool pause_until(int64_t deadline, int64_t step, int wake)
{
	struct pollfd waiting = {.fd = wake, .events = POLLIN};
	bool late = clock_now() >= deadline;
	int ready = clock_poll(&waiting, 1, clock_earlier(deadline, clock_after(step)));
	if (ready > 0)
		errno = ECANCELED;
	else if (ready == 0 && late)
		errno = ETIMEDOUT;
	return ready == 0 && !late;
}

/* Locks the directory of the socket. Returns a descriptor; closing it releases the lock. */
static int lock_directory(const struct sockaddr_un *address, int64_t patience, int wake)
{
	char directory[sizeof address->sun_path];
	strcpy(directory, address->sun_path);
	char *slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = '\0';
	int64_t deadline = clock_after(patience);
	int descriptor = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) < 0)
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    !pause_until(deadline, LOCK_STEP, wake)) {
			descriptor_close(&descriptor);
			return -1;
		}
	return descriptor;
}

/* Removes a socket on which no process listens. Returns NULL, or why the path cannot be used. */
static const char *remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(status.st_mode))
		return "it exists and is not a socket";
	int probe = make_socket();
	int result = probe < 0 ? -1 : connect(probe, generic(address), sizeof *address);
	descriptor_close(&probe);
	if (result == 0 || errno == EAGAIN) /* EAGAIN: so many wait to be accepted */
		return strerror(EADDRINUSE);
	if (errno != ECONNREFUSED)
		return strerror(errno);
	return unlink(address->sun_path) == 0 || errno == ENOENT ? NULL : strerror(errno);
}

/* Returns the descriptor, or -1 and the reason. */
static int bind_and_listen(struct unix_file *file, const char **reason)
{
	struct stat status;
	int descriptor = make_socket();
	if (descriptor < 0 || bind(descriptor, generic(&file->address), sizeof file->address) < 0) {
		*reason = strerror(errno);
		descriptor_close(&descriptor);
		return -1;
	}
	if (listen(descriptor, BACKLOG) == 0 && lstat(file->address.sun_path, &status) == 0) {
		file->device = status.st_dev;
		file->inode = status.st_ino;
		return descriptor;
	}
	*reason = strerror(errno);
	(void)unlink(file->address.sun_path); /* it was ours; one left behind is replaced later */
	descriptor_close(&descriptor);
	return -1;
}

static const char *explain_lock(int errnum)
{
	switch (errnum) {
	case ETIMEDOUT:
		return "another program holds a lock on its directory";
	case ECANCELED:
		return "interrupted";
	default:
		return strerror(errnum);
	}
}

int unix_listen(const char *host, int wake, struct unix_file *file, struct error *error)
{
	*file = (struct unix_file){0};
	if (set_address(&file->address, host, error) < 0)
		return -1;
	int descriptor = -1, lock = lock_directory(&file->address, LOCK_PATIENCE, wake);
	const char *reason = lock < 0 ? explain_lock(errno) : remove_stale(&file->address);
	if (!reason)
		descriptor = bind_and_listen(file, &reason);
	if (descriptor < 0)
		error_set(error, "cannot listen on %s: %s", host, reason);
	descriptor_close(&lock);
	return descriptor;
}

void unix_remove(struct unix_file *file)
{
	struct stat status;
	/* while the socket is open, no other file has its inode */
	int lock = file->inode ? lock_directory(&file->address, LOCK_PATIENCE_END, -1) : -1;
	if (lock >= 0 && lstat(file->address.sun_path, &status) == 0 &&
	    status.st_dev == file->device && status.st_ino == file->inode)
		(void)unlink(file->address.sun_path); /* else the next server replaces it */
	descriptor_close(&lock);
	file->inode = 0;
}

/* --- connecting --- */

int unix_connect(const char *host, int64_t deadline, int wake, struct error *error)
{
	static const struct sockaddr any = {.sa_family = AF_UNIX}; /* the kernel chooses one */
	struct sockaddr_un address;
	if (set_address(&address, host, error) < 0)
		return -1;
	int descriptor = make_socket(), result = -1;
	if (descriptor >= 0 && bind(descriptor, &any, sizeof any.sa_family) == 0)
		do
			result = connect(descriptor, generic(&address), sizeof address);
		while (result < 0 &&
		       (errno == EINTR ||
			(errno == EAGAIN && pause_until(deadline, CONNECT_STEP, wake))));
	if (result == 0 && fcntl(descriptor, F_SETFL, 0) == 0)
		return descriptor;
	error_set(error, "cannot connect to %s: %s", host, strerror(errno));
	descriptor_close(&descriptor);
	return -1;
}

/* --- names --- */

static bool is_chosen(const struct sockaddr_un *address, socklen_t length)
{
	const char *at = address->sun_path;
	return length == offsetof(struct sockaddr_un, sun_path) + 1 + CHOSEN && !at[0] &&
	       strspn(at + 1, "0123456789abcdef") >= CHOSEN;
}

bool unix_name(const struct sockaddr_un *address, socklen_t length, pid_t pid,
	       char name[UNIX_NAME_SIZE])
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	if (is_chosen(address, length))
		(void)snprintf(name, UNIX_NAME_SIZE, UNIX_PREFIX "%d@%.*s", (int)pid, CHOSEN,
			       address->sun_path + 1);
	else if (length > start && address->sun_path[0])
		(void)snprintf(name, UNIX_NAME_SIZE, UNIX_PREFIX "%.*s", (int)(length - start),
			       address->sun_path);
	else
		return false;
	return true;
}

void unix_accepted_name(int descriptor, const struct sockaddr_un *address, socklen_t length,
			char name[UNIX_NAME_SIZE])
{
	struct ucred peer = {0};
	struct stat status = {0};
	socklen_t size = sizeof peer;
	/* neither fails for such a socket; of a process that cannot be seen from here the id is 0
	 */
	(void)getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	(void)fstat(descriptor, &status);
	/* an address is unique among those that a process can see, but not beyond */
	if (peer.pid > 0 && is_chosen(address, length))
		(void)unix_name(address, length, peer.pid, name);
	else
		(void)snprintf(name, UNIX_NAME_SIZE, UNIX_PREFIX "%d#%llu", (int)peer.pid,
			       (unsigned long long)status.st_ino);
}
