/* SPDX-License-Identifier: MIT */
/* The service relay: ok as soon as a line is in the log; then it is worked on, and forwarded to the
 * next server in the order of arrival. */
#include "relay/relay.h"

#include "service/table.h"

extern const struct service service_relay;

static struct answer answer_relay(const char *line, size_t length)
{
	(void)line; /* whatever it says: what is in the log will be forwarded */
	(void)length;
	return (struct answer){"ok", 2};
}

static int check_relay(const struct service_options *options, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	int port;
	if (!options->next)
		return error_set(error, "-next: needed with -service relay, where lines go to");
	if (relay_next_parse(options->next, host, &port) < 0)
		return error_set(error, "-next: '%.100s' is not HOST:PORT or [IPv6]:PORT",
				 options->next);
	if (options->work && options->delay.min >= 0)
		return error_set(error, "-delay: not with -work, whose command takes its own time");
	return 0;
}

/* Each worker has a pipe to its command and a terminal from it, and more while it is started. */
static int64_t descriptors_relay(const struct service_options *options)
{
	enum { EACH = 2, STARTED = 4 };
	int64_t workers = options->workers > 0 ? options->workers : 1;
	return options->work ? workers * (EACH + STARTED) : 0;
}

static void *start_relay(const struct service_settings *settings, struct error *error)
{
	return relay_start(settings, error);
}

static void wait_room_relay(void *state)
{
	relay_wait_room(state);
}

static void drain_relay(void *state)
{
	relay_drain(state);
}

static int finish_relay(void *state, int64_t deadline, struct error *error)
{
	return relay_finish(state, deadline, error);
}

static void stop_relay(void *state)
{
	relay_stop(state);
}

const struct service service_relay = {
	.name = "relay",
	.log = "server.log",
	.format = &record_microseconds,
	.maxline = 65536 - RELAY_OVERHEAD,
	.keeps_log = true,
	.random = true,
	.answer = answer_relay,
	.check = check_relay,
	.descriptors = descriptors_relay,
	.start = start_relay,
	.wait_room = wait_room_relay,
	.drain = drain_relay,
	.finish = finish_relay,
	.stop = stop_relay,
};
