/* SPDX-License-Identifier: MIT */
#include "base/signalfd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signalfd_open(const int *list, struct error *error)
{
	sigset_t set;
	sigemptyset(&set);
	for (; *list; list++)
		sigaddset(&set, *list);
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	/* none of these can fail for valid signals */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return descriptor >= 0 ? descriptor
			       : error_set(error, "cannot wait for signals: %s", strerror(errno));
}

int signalfd_take(int descriptor)
{
	struct signalfd_siginfo information;
	ssize_t length = read(descriptor, &information, sizeof information);
	return length == (ssize_t)sizeof information ? (int)information.ssi_signo : 0;
}

void signalfd_restore(const int *pending)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t set;
	sigemptyset(&set);
	for (; pending && *pending; pending++)
		sigaddset(&set, *pending);
	(void)sigaction(SIGPIPE, &standard, NULL);
	(void)sigaction(SIGXFSZ, &standard, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &set, NULL);
}
