/* SPDX-License-Identifier: MIT */
#include "client/chars/user_input.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "base/slice.h"
#include "record/escape.h"

enum {
	COMMAND_MAX = 65536, /* bytes */
	KEY_INTERRUPT = 3,   /* Ctrl-C, on a terminal that makes no signal of it */
	KEY_END = 4,	     /* Ctrl-D */
};

void user_input_open(struct user_input *input, const char *program)
{
	*input = (struct user_input){.program = program};
	line_init(&input->received, COMMAND_MAX);
	input->keys = tcgetattr(STDIN_FILENO, &input->before) == 0;
}

/* Does not wait for output. It fails only if the terminal was closed, as reading does then. */
static void set_mode(const struct termios *mode)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, mode);
}

static void leave_raw_mode(struct user_input *input)
{
	if (input->raw)
		set_mode(&input->before);
	input->raw = false;
}

void user_input_close(struct user_input *input)
{
	leave_raw_mode(input);
	line_free(&input->received);
}

void user_input_enter(struct user_input *input)
{
	if (!input->keys || input->raw || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	struct termios raw = input->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	set_mode(&raw);
	input->raw = true;
}

void user_input_continue(struct user_input *input)
{
	input->raw = false;
	user_input_enter(input);
}

void user_input_stop(struct user_input *input)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	leave_raw_mode(input);
	(void)raise(SIGTSTP);				 /* waits, as it is blocked */
	(void)pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* it stops in here */
	(void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
}

int user_input_read(struct user_input *input, struct error *error)
{
	size_t size;
	char *space = line_space(&input->received, &size);
	if (!space)
		return error_set(error, "out of memory");
	ssize_t length = read(STDIN_FILENO, space, size);
	if (length > 0)
		line_filled(&input->received, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		input->ended = true;
	if (length < 0 && input->ended && !input->keys) /* a terminal may be closed */
		return error_set(error, "cannot read commands: %s", strerror(errno));
	return 0;
}

/* Other keys do nothing, so that "stat" asks as well as "s". */
static enum user_command next_key(struct user_input *input)
{
	const char *key;
	while (line_remainder(&input->received, &key)) {
		line_skip(&input->received, 1);
		if (*key == 's')
			return USER_STAT;
		if (*key == 'q' || *key == KEY_END || *key == KEY_INTERRUPT)
			return USER_LEAVE;
	}
	return USER_NOTHING;
}

static enum user_command command_of(const struct user_input *input, struct slice line)
{
	struct error error;
	char excerpt[EXCERPT_SIZE];
	if (slice_equals(line, "s") || slice_equals(line, "stat"))
		return USER_STAT;
	if (slice_equals(line, "q"))
		return USER_END;
	if (line.length) {
		error_set(&error, "unknown command '%s'; the commands are s, stat and q",
			  record_excerpt(excerpt, line.bytes, line.length));
		program_complain(input->program, error.message);
	}
	return USER_NOTHING;
}

static enum user_command next_line(struct user_input *input)
{
	struct slice line;
	enum line_result result;
	enum user_command command = USER_NOTHING;
	while (command == USER_NOTHING &&
	       (result = line_next(&input->received, &line.bytes, &line.length)) != LINE_NONE) {
		if (result == LINE_FOUND)
			command = command_of(input, line);
		else
			program_complain(input->program, "a command is too long");
	}
	return command;
}

enum user_command user_input_next(struct user_input *input)
{
	enum user_command command = input->keys ? next_key(input) : next_line(input);
	if (command != USER_NOTHING || !input->ended)
		return command;
	/* what stands behind the last line end is a command, too */
	struct slice line;
	line.length = line_remainder(&input->received, &line.bytes);
	line_skip(&input->received, line.length);
	command = command_of(input, line);
	return command == USER_NOTHING ? USER_END : command;
}
