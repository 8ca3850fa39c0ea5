/* SPDX-License-Identifier: MIT */
#include "net/hosts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The address ::1 has several colons, and so no port behind it. */
static bool has_port(const char *name)
{
	const char *colon = strchr(name, ':');
	return *name == '[' || (colon && !strchr(colon + 1, ':'));
}

/* Sets a host from its text, which was copied to its name. */
static int parse_one(struct host *host, int port, bool *shares, struct error *error)
{
	char name[SOCKET_NAME_SIZE];
	if (unix_is_name(host->name))
		return unix_check(host->name, error);
	bool has_blank = strpbrk(host->name, " \t");
	if (port && !has_port(host->name) && !has_blank) {
		host->port = port;
		*shares = true;
		return 0;
	}
	if (has_blank || socket_name_split(host->name, name, &host->port) < 0 || host->port < 1)
		return error_set(error, "'%.100s' is not %sHOST:PORT, [IPv6]:PORT or unix:PATH",
				 host->name, port ? "HOST, " : "");
	strcpy(host->name, name); /* it is shorter */
	return 0;
}

static bool is_same(const struct host *one, const struct host *other)
{
	return one->port == other->port &&
	       (one->port ? !strcasecmp(one->name, other->name) : !strcmp(one->name, other->name));
}

static int add(struct hosts *hosts, const char *text, size_t length, int port, struct error *error)
{
	char name[HOST_NAME_SIZE];
	if (hosts->count == HOSTS_MAX)
		return error_set(error, "more than %d hosts", HOSTS_MAX);
	if (length >= HOST_SIZE)
		return error_set(error, "'%.100s...' is too long for a host", text);
	struct host *host = &hosts->list[hosts->count];
	*host = (struct host){.port = 0};
	memcpy(host->name, text, length);
	if (parse_one(host, port, &hosts->shares, error) < 0)
		return -1;
	for (size_t i = 0; i < hosts->count; i++)
		if (is_same(&hosts->list[i], host)) {
			host_write(host, name);
			return error_set(error, "%.200s stands there twice", name);
		}
	hosts->count++;
	return 0;
}

int hosts_parse(struct hosts *hosts, const char *list, int port, struct error *error)
{
	*hosts = (struct hosts){.count = 0};
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");
		if (!length)
			return error_set(error, "a host is missing in '%.200s'", list);
		if (add(hosts, at, length, port, error) < 0)
			return -1;
		at += length;
		if (!*at)
			return 0;
	}
}

int hosts_check_options(struct hosts *hosts, const char *list, int64_t *port, struct error *error)
{
	struct error why;
	bool given = *port >= 0;
	if (!given)
		*port = SOCKET_PORT;
	if (hosts_parse(hosts, list, (int)*port, &why) < 0)
		return error_set(error, "-host: %.400s", why.message);
	if (!given || hosts->shares)
		return 0;
	return hosts->count == 1 && !hosts->list[0].port
		       ? error_set(error, "-port: not with -host unix:PATH, which has no port")
		       : error_set(error, "-port: no host in -host needs it");
}

void host_write(const struct host *host, char name[HOST_NAME_SIZE])
{
	if (host->port) /* fits, and so below */
		(void)snprintf(name, HOST_NAME_SIZE, strchr(host->name, ':') ? "[%s]:%d" : "%s:%d",
			       host->name, host->port);
	else
		(void)snprintf(name, HOST_NAME_SIZE, "%s", host->name);
}

const struct host *host_turn_host(const struct host_turn *turn)
{
	return &turn->hosts->list[turn->at];
}

const char *host_turn_name(const struct host_turn *turn, char name[HOST_NAME_SIZE])
{
	if (turn->hosts->count == 1)
		return NULL;
	host_write(host_turn_host(turn), name);
	return name;
}

bool host_turn_fails(struct host_turn *turn)
{
	turn->at = (turn->at + 1) % turn->hosts->count;
	turn->failed = (turn->failed + 1) % turn->hosts->count;
	return !turn->failed;
}

void host_turn_works(struct host_turn *turn)
{
	turn->failed = 0;
}
