/* SPDX-License-Identifier: MIT */
/* For a build without OpenSSL. */
#include <stddef.h>

#include "net/tls.h"

const bool tls_is_built = false;

struct tls *tls_new(const struct tls_settings *settings, struct error *error)
{
	(void)settings;
	error_set(error, TLS_MISSING);
	return NULL;
}

/* No struct tls is ever made, so that these are not called. */

const struct stream_type *tls_stream_type(const struct tls *tls)
{
	(void)tls;
	return &stream_tcp;
}

int tls_reload(struct tls *tls, struct error *error)
{
	(void)tls;
	return error_set(error, TLS_MISSING);
}

const char *tls_warning(const struct tls *tls)
{
	(void)tls;
	return NULL;
}

void tls_free(struct tls *tls)
{
	(void)tls;
}

int tls_make_certificates(const char *directory, struct error *error)
{
	(void)directory;
	return error_set(error, TLS_MISSING);
}
