/* SPDX-License-Identifier: MIT */
/* What a program is seen to do. */
#include "power/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "power/disk.h"
#include "power/trace.h"
#include "support.h"
#include "unit.h"

static char directory[4096];
static struct trace trace;
static struct disk disk;
static struct error error;
static int (*run_by)(void *context, const char *path, char *const *argv) = recorder_run;

static void begin(void)
{
	scratch_enter();
	ck_assert_ptr_nonnull(getcwd(directory, sizeof directory));
}

static void end(void)
{
	trace_free(&trace);
	disk_free(&disk);
}

/* Starts a shell command, recorded. */
static void start(struct process *child, const char *command, struct recorder *recorder)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)command, NULL};
	*recorder = (struct recorder){.directory = directory,
				      .trace = memfd_create("trace", MFD_CLOEXEC)};
	const struct process_setup setup = {.path = "/bin/sh",
					    .argv = argv,
					    .input = -1,
					    .keep = -1,
					    .death_signal = SIGKILL,
					    .run = run_by,
					    .context = recorder};
	ck_assert_int_eq(process_start(child, &setup, &error), 0);
}

static void finish(struct process *child, const struct recorder *recorder)
{
	ck_assert_int_eq(waitpid(child->pid, &child->status, 0), child->pid);
	ck_assert_msg(trace_read(&trace, recorder->trace, &error) == 0, "%s", error.message);
	(void)close(recorder->trace);
	for (size_t i = 0; i < trace.count; i++)
		disk_take(&disk, &trace.events[i]);
}

static int run(const char *command)
{
	struct process child;
	struct recorder recorder;
	ck_assert_int_eq(disk_begin(&disk, directory, "", &error), 0);
	start(&child, command, &recorder);
	finish(&child, &recorder);
	return WEXITSTATUS(child.status);
}

/* Without a cut the model has what is there. */
static void assert_whole(size_t files)
{
	struct disk_image image;
	ck_assert(disk_whole(&disk, &image));
	ck_assert_uint_eq(image.count, files);
	for (size_t i = 0; i < image.count; i++) {
		size_t length;
		char *bytes = file_read(image.files[i].name, &length);
		ck_assert_uint_eq(length, image.files[i].bytes.length);
		ck_assert(!length || !memcmp(bytes, image.files[i].bytes.bytes, length));
		free(bytes);
	}
	disk_image_free(&image);
}

static size_t count(enum trace_kind kind)
{
	size_t found = 0;
	for (size_t i = 0; i < trace.count; i++)
		found += trace.events[i].kind == kind;
	return found;
}

START_TEST(files_change)
{
	file_write("old", "before\n");
	ck_assert_int_eq(run("printf one >a; printf two >>a; echo more >>old; mv a b; printf x >c;"
			     " rm c; ln b d; printf y >/dev/null; (printf sub >e); exit 3"),
			 3);
	assert_whole(4);
	ck_assert_uint_eq(count(TRACE_WRITTEN), 5);
	ck_assert_uint_eq(count(TRACE_RENAMED), 1);
	ck_assert_uint_eq(count(TRACE_LINKED), 1);
	ck_assert_uint_eq(count(TRACE_DELETED), 1);
	ck_assert_uint_eq(count(TRACE_SYNCED), 0);
}
END_TEST

START_TEST(syncs)
{
	ck_assert_int_eq(run("echo one | dd of=a conv=fsync status=none; echo two >>a"), 0);
	assert_whole(1);
	ck_assert_uint_eq(count(TRACE_SYNCED), 1);
	ck_assert(slice_equals((struct slice){disk.files[0].safe.bytes, disk.files[0].safe.length},
			       "one\n"));
}
END_TEST

static bool exists(void *name)
{
	return access(name, F_OK) == 0;
}

/* All that it did is in the trace. */
START_TEST(it_is_killed)
{
	struct process child;
	struct recorder recorder;
	ck_assert_int_eq(disk_begin(&disk, directory, "", &error), 0);
	start(&child, "while :; do echo line >>a; echo other >>b; done", &recorder);
	ck_assert(eventually(exists, (void *)(uintptr_t) "b"));
	process_signal(&child, RECORDER_KILL);
	finish(&child, &recorder);
	ck_assert_int_eq(WEXITSTATUS(child.status), 128 + SIGKILL);
	assert_whole(2);
}
END_TEST

START_TEST(signals_are_handed_on)
{
	struct process child;
	struct recorder recorder;
	start(&child, "trap 'exit 7' TERM; : >ready; while :; do :; done", &recorder);
	ck_assert(eventually(exists, (void *)(uintptr_t) "ready"));
	process_signal(&child, SIGTERM);
	finish(&child, &recorder);
	ck_assert_int_eq(WEXITSTATUS(child.status), 7);
}
END_TEST

/* A tracer may be refused, as in some containers. */
static bool can_record(void)
{
	int null = open("/dev/null", O_WRONLY);
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = {(char *)"true", NULL};
		struct recorder recorder = {.directory = "/", .trace = null};
		(void)dup2(null, STDERR_FILENO);
		_exit(recorder_run(&recorder, "/bin/true", argv));
	}
	int status = -1;
	(void)waitpid(pid, &status, 0);
	(void)close(null);
	return status == 0;
}

/* As some containers do: threads can be traced, but their memory cannot be read. */
static int run_without_memory(void *context, const char *path, char *const *argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 1;
	return recorder_run(context, path, argv);
}

START_TEST(without_its_memory_it_does_not_begin)
{
	struct process child;
	struct recorder recorder;
	run_by = run_without_memory;
	start(&child, "echo one >log", &recorder);
	run_by = recorder_run;
	finish(&child, &recorder);
	ck_assert_int_eq(WEXITSTATUS(child.status), 127);
	ck_assert_uint_eq(trace.count, 0);
	ck_assert_int_ne(access("log", F_OK), 0);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("recorder");
	tcase_add_checked_fixture(cases, begin, end);
	if (can_record()) {
		tcase_add_test(cases, files_change);
		tcase_add_test(cases, syncs);
		tcase_add_test(cases, it_is_killed);
		tcase_add_test(cases, signals_are_handed_on);
		tcase_add_test(cases, without_its_memory_it_does_not_begin);
	}
	int status = unit_main("recorder", cases, NULL);
	scratch_remove();
	return status;
}
