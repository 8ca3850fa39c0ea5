/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "xor_stream.h"

#define PATIENCE (20 * CLOCK_SECOND)

static char scratch[4096];

/* Before any test runs there is nothing to fail but the program. */
static void give_up(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

void scratch_make(void)
{
	const char *folder = getenv("TMPDIR");
	(void)snprintf(scratch, sizeof scratch, "%s/ackline-unit-XXXXXX",
		       folder && *folder ? folder : "/tmp");
	if (!mkdtemp(scratch) || chdir(scratch) < 0)
		give_up(scratch);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void scratch_remove(void)
{
	if (chdir("/") < 0 || nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		give_up(scratch);
}

void scratch_enter(void)
{
	char folder[] = "test-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

bool eventually(bool (*holds)(void *context), void *context)
{
	int64_t deadline = clock_now() + PATIENCE;
	while (!holds(context)) {
		if (clock_now() > deadline)
			return holds(context);
		(void)usleep(1000);
	}
	return true;
}

char *file_read(const char *path, size_t *length)
{
	struct buffer text = {0};
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(descriptor >= 0, "cannot open %s: %s", path, strerror(errno));
	ssize_t got;
	do {
		ck_assert(buffer_reserve(&text, 65536));
		got = read(descriptor, text.bytes + text.length, 65535);
		ck_assert_int_ge(got, 0);
		text.length += (size_t)got;
	} while (got);
	ck_assert_int_eq(close(descriptor), 0);
	text.bytes[text.length] = '\0';
	if (length)
		*length = text.length;
	return text.bytes;
}

void file_write(const char *path, const char *string)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(string, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

size_t file_size(const char *path)
{
	struct stat status;
	ck_assert_int_eq(stat(path, &status), 0);
	return (size_t)status.st_size;
}

int redirect(int descriptor, const char *path)
{
	ck_assert_int_eq(fflush(NULL), 0);
	int kept = dup(descriptor);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(kept, 0);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, descriptor), descriptor);
	ck_assert_int_eq(close(file), 0);
	return kept;
}

void restore(int descriptor, int kept)
{
	(void)fflush(stdout); /* what cannot be written was to fail */
	ck_assert_int_eq(dup2(kept, descriptor), descriptor);
	ck_assert_int_eq(close(kept), 0);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;
	(void)signal(SIGXFSZ, SIG_IGN); /* a write says EFBIG instead */
	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		abort();
	limit.rlim_cur = bytes;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		abort(); /* nothing can be asserted now */
}

void file_limit(size_t bytes)
{
	set_file_limit(bytes);
}

void file_unlimit(void)
{
	set_file_limit(RLIM_INFINITY);
}

static void set_descriptor_limit(rlim_t most)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		abort();
	limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		abort();
}

void descriptor_limit(size_t most)
{
	set_descriptor_limit(most);
}

void descriptor_unlimit(void)
{
	set_descriptor_limit(RLIM_INFINITY);
}

/* Not with strstr(), for which a sanitizer looks at all of the text each time. */
size_t count_of(const char *text, const char *word)
{
	size_t count = 0, length = strlen(word);
	const char *end = text + strlen(text);
	while ((text = memchr(text, *word, (size_t)(end - text)))) {
		bool found = (size_t)(end - text) >= length && !memcmp(text, word, length);
		count += found;
		text += found ? length : 1;
	}
	return count;
}

bool has_ipv6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = descriptor >= 0 &&
		   bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
	if (descriptor >= 0)
		(void)close(descriptor);
	return has;
}

bool has_name(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	bool has = getaddrinfo(name, NULL, &hints, &found) == 0;
	if (has)
		freeaddrinfo(found);
	return has;
}

void pipe_make(int *reader, int *writer)
{
	int ends[2];
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	*reader = ends[0];
	*writer = ends[1];
}

/* Else a second piece waits for a delayed acknowledgement. */
static void send_at_once(int descriptor)
{
	ck_assert_int_eq(setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)),
			 0);
}

int tcp_listen(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	send_at_once(listener); /* what is accepted takes it over */
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 128), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return listener;
}

int tcp_connect(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = PATIENCE / CLOCK_SECOND};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(descriptor, 0);
	ck_assert_int_eq(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(
		setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	send_at_once(descriptor);
	xor_greet(descriptor);
	return descriptor;
}

void tcp_pair(int *accepted, int *connected)
{
	int port;
	int listener = tcp_listen(&port);
	*connected = tcp_connect(port);
	*accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(*accepted, 0);
	ck_assert_int_eq(close(listener), 0);
}

void peer_send(int descriptor, const char *bytes, size_t length)
{
	char *raw = malloc(length), *at = raw;
	ck_assert_ptr_nonnull(memcpy(raw, bytes, length));
	xor_bytes(raw, length);
	while (length) {
		ssize_t sent = send(descriptor, at, length, MSG_NOSIGNAL);
		ck_assert_int_gt(sent, 0);
		at += sent;
		length -= (size_t)sent;
	}
	free(raw);
}

void peer_send_until_stuck(int descriptor, size_t *total)
{
	static char lines[65536];
	ssize_t sent;
	for (size_t i = 0; i < sizeof lines; i += 2)
		memcpy(lines + i, "x\n", 2);
	xor_bytes(lines, sizeof lines);
	while ((sent = send(descriptor, lines + *total % 2, sizeof lines - *total % 2,
			    MSG_DONTWAIT)) > 0)
		*total += (size_t)sent;
}

char *peer_lines(int descriptor, size_t lines)
{
	struct buffer text = {0};
	ssize_t got = 1;
	while (lines && got) {
		ck_assert(buffer_reserve(&text, 65536));
		char *at = text.bytes + text.length;
		/* not a byte more than the lines have at the least */
		got = recv(descriptor, at, lines < 65536 ? lines : 65536, 0);
		ck_assert_msg(got >= 0, "nothing comes: %s", strerror(errno));
		xor_bytes(at, (size_t)got);
		for (ssize_t i = 0; i < got; i++)
			lines -= at[i] == '\n';
		text.length += (size_t)got;
	}
	ck_assert(buffer_append(&text, "", 1));
	return text.bytes;
}

char *peer_all(int descriptor)
{
	return peer_lines(descriptor, SIZE_MAX);
}

size_t descriptors(void)
{
	size_t count = 0;
	DIR *folder = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(folder);
	while (readdir(folder))
		count++;
	ck_assert_int_eq(closedir(folder), 0);
	return count - 3; /* ., .. and that of the folder */
}

static bool fake_release(struct reply_target *recipient, const char *answers, size_t length,
			 size_t lines)
{
	struct fake *fake = (struct fake *)recipient;
	pthread_mutex_lock(&fake->lock);
	if (!buffer_append(&fake->answers, answers, length))
		abort();
	fake->lines += lines;
	fake->calls++;
	pthread_mutex_unlock(&fake->lock);
	return !fake->gone;
}

static bool fake_is_gone(struct reply_target *recipient)
{
	return ((struct fake *)recipient)->gone;
}

/* As a connection does. */
static void fake_refuse(struct reply_target *recipient, const char *reason, size_t lines)
{
	struct buffer errors = {0};
	for (size_t i = 0; i < lines; i++)
		if (!buffer_append_string(&errors, "error: not logged: ") ||
		    !buffer_append_string(&errors, reason) || !buffer_append_string(&errors, "\n"))
			abort();
	(void)fake_release(recipient, errors.bytes, errors.length, lines);
	buffer_free(&errors);
}

void fake_init(struct fake *fake, const char *name)
{
	*fake = (struct fake){.recipient = {.name = name,
					    .deliver = fake_release,
					    .refuse = fake_refuse,
					    .is_gone = fake_is_gone}};
	pthread_mutex_init(&fake->lock, NULL); /* cannot fail without attributes */
}

void fake_free(struct fake *fake)
{
	pthread_mutex_destroy(&fake->lock);
	buffer_free(&fake->answers);
}

size_t fake_lines(struct fake *fake)
{
	pthread_mutex_lock(&fake->lock);
	size_t lines = fake->lines;
	pthread_mutex_unlock(&fake->lock);
	return lines;
}

bool fake_has(struct fake *fake, const char *answers)
{
	pthread_mutex_lock(&fake->lock);
	bool has = fake->answers.length == strlen(answers) &&
		   (!fake->answers.length ||
		    !memcmp(fake->answers.bytes, answers, fake->answers.length));
	pthread_mutex_unlock(&fake->lock);
	return has;
}

struct log_item item_line(const char *line)
{
	return (struct log_item){.event = RECORD_RECEIVED,
				 .bytes = line,
				 .length = strlen(line),
				 .answer = "ok",
				 .answer_length = 2};
}
