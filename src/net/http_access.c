/* SPDX-License-Identifier: MIT */
#include "net/http_access.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/descriptor.h"
#include "net/listener.h"

/* The length of a first line without blanks or control bytes; 0: it is none. */
static size_t token_length(const char *line)
{
	size_t length = strcspn(line, "\r\n");
	for (size_t i = 0; i < length; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return 0;
	return length;
}

/* 0, or -1: the error is set. */
static int read_token(struct access *access, const char *name, struct error *error)
{
	char line[ACCESS_TOKEN_SIZE + 1] = "";
	FILE *file = fopen(name, "re");
	if (!file || (!fgets(line, sizeof line, file) && ferror(file))) {
		error_set(error, "cannot read the token '%.200s': %s", name, strerror(errno));
		if (file)
			(void)fclose(file); /* only read */
		return -1;
	}
	(void)fclose(file);
	size_t length = token_length(line);
	if (length < ACCESS_TOKEN_MIN || length >= ACCESS_TOKEN_SIZE)
		return error_set(error,
				 "-http-token: the first line of '%.200s' is not a token, %d to %d "
				 "printable characters",
				 name, ACCESS_TOKEN_MIN, ACCESS_TOKEN_SIZE - 1);
	memcpy(access->token, line, length);
	access->token[length] = '\0';
	return 0;
}

int access_open(struct access *access, const char *address, const char *token_file, int wake,
		struct error *error)
{
	int port;
	struct error reason;
	*access = (struct access){0};
	(void)socket_name_split(address, access->host, &port); /* the options were checked */
	if (token_file && read_token(access, token_file, error) < 0)
		return -1;
	int listener = socket_bind(access->host, port, wake, &reason);
	if (listener < 0 || socket_listen(listener, &reason) < 0) {
		error_set(error, "-http: %.400s", reason.message);
		descriptor_close(&listener);
		return -1;
	}
	access->exposed = !socket_is_local(listener);
	if (!access->exposed || *access->token)
		return listener;
	descriptor_close(&listener);
	return error_set(error,
			 "-http-token: required with -http %.100s, which other machines reach",
			 address);
}

/* Takes the port, if there is one, off a Host; brackets as well. False: it is too long. */
static bool split_host(const char *host, char name[SOCKET_NAME_SIZE])
{
	bool bracket = *host == '[';
	size_t length = bracket ? strcspn(++host, "]") : strcspn(host, ":");
	if (length >= SOCKET_NAME_SIZE)
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	return true;
}

bool access_host(const struct access *access, const char *host)
{
	char name[SOCKET_NAME_SIZE];
	struct in6_addr address;
	if (!host || !split_host(host, name))
		return false;
	return access->exposed || inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1 || !strcasecmp(name, "localhost") ||
	       !strcasecmp(name, access->host);
}

bool access_origin(const char *origin, const char *host)
{
	static const char separator[] = "://";
	const char *authority = origin ? strstr(origin, separator) : NULL;
	return host && authority && !strcasecmp(authority + sizeof separator - 1, host);
}

/* As an Origin, with a path behind it. */
static bool is_referer(const char *referer, const char *host)
{
	static const char separator[] = "://";
	const char *authority = strstr(referer, separator);
	size_t length = host ? strlen(host) : 0;
	if (!host || !authority)
		return false;
	authority += sizeof separator - 1;
	return !strncasecmp(authority, host, length) &&
	       (authority[length] == '/' || authority[length] == '\0');
}

bool access_is_foreign(const char *origin, const char *site, const char *referer, const char *host)
{
	return (origin && !access_origin(origin, host)) ||
	       (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) ||
	       (referer && !is_referer(referer, host));
}

/* Decodes base64 (RFC 4648). False: it is not, or does not fit. */
static bool decode(const char *encoded, char *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, count = 0;
	size_t length = 0;
	for (; *encoded && *encoded != '='; encoded++) {
		const char *digit = strchr(digits, *encoded);
		if (!digit)
			return false;
		bits = bits << 6 | (unsigned)(digit - digits);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (length + 1 >= size)
			return false;
		bytes[length++] = (char)(bits >> count & 0xff);
	}
	bytes[length] = '\0';
	return true;
}

/* Takes as long whatever is wrong. */
static bool is_same(const char *token, const char *given)
{
	size_t length = strlen(token);
	unsigned different = strlen(given) != length;
	for (size_t i = 0; i < length && given[i]; i++)
		different |= (unsigned)(token[i] ^ given[i]);
	return !different;
}

bool access_token(const struct access *access, const char *authorization)
{
	static const char bearer[] = "Bearer ", basic[] = "Basic ";
	char decoded[2 * ACCESS_TOKEN_SIZE];
	if (!*access->token)
		return true;
	if (!authorization)
		return false;
	if (!strncasecmp(authorization, bearer, sizeof bearer - 1))
		return is_same(access->token, authorization + sizeof bearer - 1);
	if (strncasecmp(authorization, basic, sizeof basic - 1) != 0 ||
	    !decode(authorization + sizeof basic - 1, decoded, sizeof decoded))
		return false;
	const char *password = strchr(decoded, ':');
	return password && is_same(access->token, password + 1);
}

void access_ask_for_token(struct http_request *request)
{
	static const char text[] = "the token of -http-token is needed\n";
	static const char *const headers[] = {"WWW-Authenticate",
					      "Basic realm=\"ackline\", charset=\"UTF-8\"", NULL};
	const struct http_answer answer = {
		.status = 401, .bytes = text, .length = sizeof text - 1, .headers = headers};
	http_answer(request, &answer);
}
