/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/tls.h"
#include "runall/context.h"

static const char *const files[] = {TLS_CA_FILE,	 TLS_CA_KEY_FILE, TLS_SERVER_FILE,
				    TLS_SERVER_KEY_FILE, TLS_CLIENT_FILE, TLS_CLIENT_KEY_FILE};

int make_certificates(struct runall *runall, struct error *error)
{
	const char *parent = getenv("TMPDIR");
	char *directory = runall->certificates;
	if (!runall->options.tls)
		return 0;
	int length = snprintf(directory, sizeof runall->certificates, "%s/ackline-XXXXXX",
			      parent && *parent ? parent : "/tmp");
	if ((size_t)length >= sizeof runall->certificates)
		errno = ENAMETOOLONG;
	else if (mkdtemp(directory))
		return tls_make_certificates(directory, error);
	error_set(error, "cannot make a directory '%.200s': %s", directory, strerror(errno));
	*directory = '\0';
	return -1;
}

void remove_certificates(struct runall *runall)
{
	char path[sizeof runall->certificates + 16];
	if (!*runall->certificates)
		return;
	/* what is not there was not made; what cannot be removed is of no use after two days */
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", runall->certificates, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(runall->certificates);
}

static void add_file(const struct runall *runall, const char *option, const char *file,
		     struct argument_list *list)
{
	if (*runall->certificates)
		argument_format(list, option, "%s/%s", runall->certificates, file);
}

void add_server_certificates(const struct runall *runall, bool connects, struct argument_list *list)
{
	add_file(runall, "-tls-cert", TLS_SERVER_FILE, list);
	add_file(runall, "-tls-key", TLS_SERVER_KEY_FILE, list);
	add_file(runall, "-tls-ca", TLS_CA_FILE, list);
	if (!*runall->certificates || !connects)
		return;
	argument_add(list, "-tls", NULL);
	argument_add(list, "-tls-name", TLS_SERVER_NAME);
}

void add_client_certificates(const struct runall *runall, struct argument_list *list)
{
	add_file(runall, "-tls-cert", TLS_CLIENT_FILE, list);
	add_file(runall, "-tls-key", TLS_CLIENT_KEY_FILE, list);
	add_file(runall, "-tls-ca", TLS_CA_FILE, list);
	if (*runall->certificates)
		argument_add(list, "-tls-name", TLS_SERVER_NAME);
}
