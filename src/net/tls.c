/* SPDX-License-Identifier: MIT */
/* What is the same with and without OpenSSL. */
#include "net/tls.h"

#include <stddef.h>

int tls_settings_check(const struct tls_settings *settings, struct error *error)
{
	if (!tls_is_built)
		return error_set(error, TLS_MISSING);
	if (settings->certificate && !settings->key)
		return error_set(error, "-tls-key: required with -tls-cert");
	if (settings->key && !settings->certificate)
		return error_set(error, "-tls-cert: required with -tls-key");
	if (settings->crl && !settings->ca)
		return error_set(error, "-tls-ca: required with -tls-crl");
	if (settings->side == STREAM_CLIENT)
		return 0;
	if (settings->ca && !settings->certificate)
		return error_set(error, "-tls-cert: required with -tls-ca");
	if (settings->named && !settings->ca)
		return error_set(error, "-tls-ca: required with -tls-names");
	return 0;
}
