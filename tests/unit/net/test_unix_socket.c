/* SPDX-License-Identifier: MIT */
#include "net/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net/stream.h"
#include "support.h"
#include "unit.h"

static struct error error;
static struct unix_file file;

static int listen_here(void)
{
	int listener = unix_listen("unix:socket", -1, &file, &error);
	ck_assert_msg(listener >= 0, "%s", error.message);
	return listener;
}

static int connect_here(void)
{
	int connected = unix_connect("unix:socket", clock_after(20 * CLOCK_SECOND), -1, &error);
	ck_assert_msg(connected >= 0, "%s", error.message);
	return connected;
}

/* Accepts, and gives the name of the peer. */
static int accept_name(int listener, char name[SOCKET_NAME_SIZE])
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int accepted = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
	ck_assert_int_ge(accepted, 0);
	socket_accepted_name(accepted, (struct sockaddr *)&address, length, name);
	return accepted;
}

static bool exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

static void assert_refused(const char *reason)
{
	char expected[200];
	size_t before = descriptors();
	ck_assert_int_eq(unix_listen("unix:socket", -1, &file, &error), -1);
	(void)snprintf(expected, sizeof expected, "cannot listen on unix:socket: %s", reason);
	ck_assert_str_eq(error.message, expected);
	ck_assert_uint_eq(descriptors(), before);
	ck_assert(exists("socket"));
}

/* --- names --- */

START_TEST(hosts_are_told_apart)
{
	char longest[120] = "unix:";
	memset(longest + 5, 'p', 107);
	static const struct {
		const char *host, *error;
	} cases[] = {{"unix:/run/ackline.sock", NULL},
		     {"unix:relative", NULL},
		     {"unix:\xc3\xa9", NULL},
		     {"unix:", "'unix:' needs the path of a socket"},
		     {"unix:a b", "'unix:a b': a socket's path may have no blank, no comma and no "
				  "control character"},
		     {"unix:a,b", "'unix:a,b': a socket's path may have no blank, no comma and no "
				  "control character"},
		     {"unix:a\n", "'unix:a\n': a socket's path may have no blank, no comma and no "
				  "control character"}};
	ck_assert(!unix_is_name("unix"));
	ck_assert(!unix_is_name("localhost"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert(unix_is_name(cases[i].host));
		ck_assert_int_eq(unix_check(cases[i].host, &error), cases[i].error ? -1 : 0);
		if (cases[i].error)
			ck_assert_str_eq(error.message, cases[i].error);
	}
	ck_assert_int_eq(unix_check(longest, &error), 0);
	longest[5 + 107] = 'p';
	ck_assert_int_eq(unix_check(longest, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "has 107 bytes at most, not 108"));
}
END_TEST

START_TEST(both_ends_give_a_connection_one_name)
{
	char name[SOCKET_NAME_SIZE], peer[SOCKET_NAME_SIZE], prefix[40];
	int listener = listen_here(), connected = connect_here();
	int accepted = accept_name(listener, peer);
	socket_local_name(connected, name);
	ck_assert_str_eq(name, peer);
	(void)snprintf(prefix, sizeof prefix, "unix:%d@", (int)getpid());
	ck_assert_msg(!strncmp(name, prefix, strlen(prefix)), "%s", name);
	socket_peer_name(connected, peer);
	ck_assert_str_eq(peer, "unix:socket");
	socket_local_name(listener, peer);
	ck_assert_str_eq(peer, "unix:socket");
	ck_assert_int_eq(fcntl(connected, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(connected, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(listener, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(listener, F_GETFL) & O_NONBLOCK);
	ck_assert_int_eq(socket_listen(listener, &error), 0); /* no option of TCP's */
	(void)close(connected);
	(void)close(accepted);
	(void)close(listener);
}
END_TEST

/* Peers with no address, or one that they chose, which may look like another's. */
START_TEST(no_peer_has_the_name_of_another)
{
	enum { PEERS = 4 };
	static const char *const chosen[PEERS] = {NULL, NULL, "0000g", "own"};
	char names[PEERS][SOCKET_NAME_SIZE], prefix[40];
	int listener = listen_here();
	(void)snprintf(prefix, sizeof prefix, "unix:%d#", (int)getpid());
	for (int i = 0; i < PEERS; i++) {
		struct sockaddr_un own = {.sun_family = AF_UNIX};
		int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (chosen[i]) {
			strcpy(own.sun_path + (i == 2), chosen[i]);
			ck_assert_int_eq(bind(peer, (struct sockaddr *)&own,
					      i == 2 ? sizeof(sa_family_t) + 6 : sizeof own),
					 0);
		}
		ck_assert_int_eq(
			connect(peer, (struct sockaddr *)&file.address, sizeof file.address), 0);
		(void)accept_name(listener, names[i]); /* all stay open */
		ck_assert_msg(!strncmp(names[i], prefix, strlen(prefix)), "%s", names[i]);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(names[i], names[j]);
	}
	(void)close(listener);
}
END_TEST

START_TEST(a_listening_socket_is_announced)
{
	char host[SOCKET_NAME_SIZE];
	int port = 7, reader, writer;
	pipe_make(&reader, &writer);
	ck_assert_int_eq(socket_ready_write(writer, "unix:/a:5", &error), 0);
	char line[64];
	ssize_t length = read(reader, line, sizeof line);
	ck_assert_int_eq(length, 10);
	ck_assert_int_eq(memcmp(line, "unix:/a:5\n", 10), 0);
	ck_assert_int_eq(socket_ready_read((struct slice){line, 10}, host, &port), 0);
	ck_assert_str_eq(host, "unix:/a:5");
	ck_assert_int_eq(port, 0);
	ck_assert_int_eq(socket_ready_read((struct slice){line, 9}, host, &port), -1);
	ck_assert_int_eq(socket_name_split("unix:/a:5", host, &port), -1);
	(void)close(reader);
}
END_TEST

/* --- the file --- */

START_TEST(its_mode_is_that_of_the_umask)
{
	struct stat status;
	(void)umask(027);
	int listener = listen_here();
	ck_assert_int_eq(lstat("socket", &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	ck_assert_uint_eq(status.st_mode & 0777, 0750);
	unix_remove(&file);
	ck_assert(!exists("socket"));
	unix_remove(&file); /* nothing is left to do */
	(void)close(listener);
}
END_TEST

START_TEST(one_that_was_left_behind_is_replaced)
{
	(void)close(listen_here());
	ck_assert(exists("socket"));
	int listener = listen_here(), connected = connect_here();
	(void)close(connected);
	(void)close(listener);
}
END_TEST

START_TEST(a_running_server_keeps_its_socket)
{
	int listener = listen_here();
	struct unix_file own = file;
	assert_refused("Address already in use");
	/* also one that has as many connections waiting as it takes */
	ck_assert_int_eq(listen(listener, 0), 0);
	while (accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0)
		;
	int filler = connect_here();
	assert_refused("Address already in use");
	int64_t deadline = clock_after(20 * CLOCK_MILLISECOND);
	ck_assert_int_eq(unix_connect("unix:socket", deadline, -1, &error), -1);
	ck_assert_str_eq(error.message, "cannot connect to unix:socket: Connection timed out");
	ck_assert(clock_now() >= deadline);
	int wake = eventfd(1, EFD_CLOEXEC);
	ck_assert_int_eq(unix_connect("unix:socket", CLOCK_NEVER, wake, &error), -1);
	ck_assert_str_eq(error.message, "cannot connect to unix:socket: Operation canceled");
	(void)close(filler);
	unix_remove(&own);
	(void)close(listener);
}
END_TEST

START_TEST(no_other_file_is_replaced)
{
	file_write("socket", "precious");
	assert_refused("it exists and is not a socket");
	ck_assert_int_eq(unlink("socket"), 0);
	ck_assert_int_eq(symlink("nowhere", "socket"), 0);
	assert_refused("it exists and is not a socket");
	ck_assert_int_eq(unlink("socket"), 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(datagrams, (struct sockaddr *)&address, sizeof address), 0);
	assert_refused("Protocol wrong type for socket");
	(void)close(datagrams);
}
END_TEST

START_TEST(what_cannot_be_had_is_told)
{
	ck_assert_int_eq(unix_listen("unix:no/folder", -1, &file, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot listen on unix:no/folder: No such file or directory");
	ck_assert_int_eq(unix_connect("unix:nothing", CLOCK_NEVER, -1, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot connect to unix:nothing: No such file or directory");
	(void)close(listen_here());
	ck_assert_int_eq(unix_connect("unix:socket", CLOCK_NEVER, -1, &error), -1);
	ck_assert_str_eq(error.message, "cannot connect to unix:socket: Connection refused");
}
END_TEST

START_TEST(the_file_of_another_is_left_alone)
{
	int listener = listen_here();
	struct unix_file own = file;
	ck_assert_int_eq(unlink("socket"), 0);
	int other = listen_here();
	unix_remove(&own);
	ck_assert(exists("socket"));
	(void)close(listener);
	(void)close(other);
}
END_TEST

/* Somebody else holds the lock. */
START_TEST(a_locked_folder_is_waited_for)
{
	int wake = eventfd(1, EFD_CLOEXEC), folder = open(".", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(folder, LOCK_EX), 0);
	ck_assert_int_eq(unix_listen("unix:socket", wake, &file, &error), -1);
	ck_assert_str_eq(error.message, "cannot listen on unix:socket: interrupted");
	ck_assert_int_eq(flock(folder, LOCK_UN), 0);
	(void)close(listen_here());
	(void)close(folder);
	(void)close(wake);
}
END_TEST

/* Of servers that find a socket left behind, one gets it, and keeps it. */
START_TEST(one_of_many_gets_it)
{
	enum { SERVERS = 8, ROUNDS = 20 };
	(void)close(listen_here());
	for (int round = 0; round < ROUNDS; round++) {
		int reader, writer, held, hold, status, listening = 0;
		pid_t servers[SERVERS];
		pipe_make(&reader, &writer);
		pipe_make(&held, &hold);
		for (int i = 0; i < SERVERS; i++)
			if ((servers[i] = fork()) == 0) {
				char byte;
				(void)close(hold);
				bool won = unix_listen("unix:socket", -1, &file, &error) >= 0;
				if (write(writer, "x", 1) != 1 || read(held, &byte, 1) != 0)
					_exit(2);
				_exit(won);
			}
		char bytes[SERVERS];
		for (int i = 0; i < SERVERS; i++)
			ck_assert_int_eq(read(reader, &bytes[i], 1), 1);
		(void)close(connect_here());
		(void)close(hold);
		for (int i = 0; i < SERVERS; i++) {
			ck_assert_int_eq(waitpid(servers[i], &status, 0), servers[i]);
			ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
			listening += WEXITSTATUS(status);
		}
		ck_assert_int_eq(listening, 1);
		(void)close(reader);
		(void)close(writer);
		(void)close(held);
	}
}
END_TEST

/* What was sent is with the peer already, whether it reads it or not. */
START_TEST(a_close_waits_for_no_reader)
{
	char name[SOCKET_NAME_SIZE], byte;
	const struct connect_target target = {
		.host = "unix:socket", .deadline = clock_after(20 * CLOCK_SECOND), .wake = -1};
	int listener = listen_here();
	struct stream *client = stream_connect(&stream_tcp, &target, &error);
	ck_assert_msg(client != NULL, "%s", error.message);
	struct stream *server =
		stream_open(&stream_tcp, accept_name(listener, name), STREAM_SERVER);
	ck_assert_int_eq(stream_send(server, "x", 1), 1);
	stream_close(server, CLOCK_NEVER);
	ck_assert_int_eq(stream_receive(client, &byte, 1), 1);
	ck_assert_int_eq(stream_receive(client, &byte, 1), 0);
	stream_close(client, 0);
	(void)close(listener);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *names = tcase_create("names");
	tcase_add_checked_fixture(names, scratch_enter, NULL);
	tcase_add_test(names, hosts_are_told_apart);
	tcase_add_test(names, both_ends_give_a_connection_one_name);
	tcase_add_test(names, no_peer_has_the_name_of_another);
	tcase_add_test(names, a_listening_socket_is_announced);
	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, scratch_enter, NULL);
	tcase_add_test(files, its_mode_is_that_of_the_umask);
	tcase_add_test(files, one_that_was_left_behind_is_replaced);
	tcase_add_test(files, a_running_server_keeps_its_socket);
	tcase_add_test(files, no_other_file_is_replaced);
	tcase_add_test(files, what_cannot_be_had_is_told);
	tcase_add_test(files, the_file_of_another_is_left_alone);
	tcase_add_test(files, a_locked_folder_is_waited_for);
	tcase_add_test(files, one_of_many_gets_it);
	tcase_add_test(files, a_close_waits_for_no_reader);
	int status = unit_main("unix_socket", names, files, NULL);
	scratch_remove();
	return status;
}
