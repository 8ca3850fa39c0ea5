/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/descriptor.h"

enum { MESSAGE_SIZE = 512 };

/* A path, or behind an '@' an abstract address. Returns 0 or an errno value. */
static int set_address(struct notify *notify, const char *name)
{
	struct sockaddr_un *address = &notify->address;
	size_t length = strlen(name);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((*name != '/' && *name != '@') || length < 2)
		return EAFNOSUPPORT;
	if (length >= sizeof address->sun_path)
		return ENAMETOOLONG;
	memcpy(address->sun_path, name, length);
	if (*name == '@')
		address->sun_path[0] = '\0';
	notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

int notify_open(struct notify *notify, struct error *error)
{
	static const struct timeval patience = {.tv_sec = 1};
	const char *name = getenv("NOTIFY_SOCKET");
	notify->descriptor = -1;
	if (!name)
		return 0;
	int errnum = set_address(notify, name);
	if (!errnum) {
		notify->descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		errnum = notify->descriptor < 0 ? errno : 0;
	}
	if (errnum)
		error_set(error, "cannot notify NOTIFY_SOCKET=%.200s: %s", name, strerror(errnum));
	else /* cannot fail for a socket */
		(void)setsockopt(notify->descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience,
				 sizeof patience);
	(void)unsetenv("NOTIFY_SOCKET"); /* fails for no such name */
	return errnum ? -1 : 0;
}

void notify_close(struct notify *notify)
{
	descriptor_close(&notify->descriptor); /* datagrams were sent whole */
}

int notify_send(const struct notify *notify, struct error *error, const char *state,
		const char *format, ...)
{
	char status[MESSAGE_SIZE / 2], message[MESSAGE_SIZE], time[40] = "";
	va_list values;
	if (notify->descriptor < 0)
		return 0;
	va_start(values, format);
	(void)vsnprintf(status, sizeof status, format, values); /* cut if it is too long */
	va_end(values);
	if (!strcmp(state, NOTIFY_RELOADING))
		(void)snprintf(time, sizeof time, "\nMONOTONIC_USEC=%lld",
			       (long long)(clock_now() / CLOCK_MICROSECOND));
	int length = snprintf(message, sizeof message, "%s%s\nSTATUS=%s", state, time, status);
	if (sendto(notify->descriptor, message, (size_t)length, MSG_NOSIGNAL,
		   (const struct sockaddr *)&notify->address, notify->length) >= 0)
		return 0;
	return error_set(error, "cannot notify the service manager: %s", strerror(errno));
}
