/* SPDX-License-Identifier: MIT */
#include "client/chars/raw_mode.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

void raw_mode_open(struct raw_mode *terminal, int descriptor)
{
	*terminal = (struct raw_mode){.descriptor = descriptor};
	terminal->known = tcgetattr(descriptor, &terminal->before) == 0;
}

void raw_mode_enter(struct raw_mode *terminal)
{
	/* after SIGSTOP the shell has restored the mode */
	terminal->raw = false;
	if (!terminal->known || tcgetpgrp(terminal->descriptor) != getpgrp())
		return;
	struct termios raw = terminal->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	/* if the terminal was closed, reading fails */
	terminal->raw = tcsetattr(terminal->descriptor, TCSANOW, &raw) == 0;
}

void raw_mode_leave(struct raw_mode *terminal)
{
	if (terminal->raw)
		(void)tcsetattr(terminal->descriptor, TCSANOW,
				&terminal->before); /* or it was closed */
	terminal->raw = false;
}

void raw_mode_stop(struct raw_mode *terminal)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raw_mode_leave(terminal);
	(void)raise(SIGTSTP);				 /* waits, as it is blocked */
	(void)pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* it stops in here */
	(void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
}
