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
	/* a stop by SIGSTOP left it to the shell, which has put it back */
	terminal->keys = false;
	if (!terminal->known || tcgetpgrp(terminal->descriptor) != getpgrp())
		return;
	struct termios keys = terminal->before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	/* of a terminal that has gone meanwhile, reading tells */
	terminal->keys = tcsetattr(terminal->descriptor, TCSANOW, &keys) == 0;
}

void raw_mode_leave(struct raw_mode *terminal)
{
	if (terminal->keys)
		(void)tcsetattr(terminal->descriptor, TCSANOW, &terminal->before); /* or gone */
	terminal->keys = false;
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
