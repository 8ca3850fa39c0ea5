/* SPDX-License-Identifier: MIT */
/* What a struct tls is made of: the settings of OpenSSL. */
#include "net/tls_openssl.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const bool tls_is_built = true;

/* Keeps the certificate that is refused, and with -tls-names refuses one without a name. */
static int verify(int verified, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_stream *self = BIO_get_data(SSL_get_rbio(ssl));
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	char name[STREAM_CERTIFICATE_SIZE];
	if (verified && ((struct tls *)self->stream.type)->settings.named &&
	    X509_STORE_CTX_get_error_depth(store) == 0 && !tls_name_of(certificate, name)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (!verified && certificate && !self->refused && X509_up_ref(certificate) == 1)
		self->refused = certificate;
	return verified;
}

static SSL_CTX *new_context(const struct tls_settings *settings, struct error *warning,
			    struct error *error)
{
	bool client = settings->side == STREAM_CLIENT;
	SSL_CTX *context = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
		error_set(error, "cannot set up TLS: %s", strerror(ENOMEM));
		SSL_CTX_free(context);
		return NULL;
	}
	/* each connection is verified: no session is resumed */
	SSL_CTX_set_options(context,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* an idle connection holds no buffers; without memory the same bytes may come again */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	if (client || settings->ca)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   verify);
	if (tls_load(context, settings, warning, error) == 0)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

struct tls *tls_new(const struct tls_settings *settings, struct error *error)
{
	struct tls *tls = memory_calloc(1, sizeof *tls);
	if (!tls || !(tls->bio = tls_new_bio())) {
		error_set(error, "cannot set up TLS: %s", strerror(ENOMEM));
		free(tls);
		return NULL;
	}
	tls->type = tls_type;
	tls->settings = *settings;
	tls->context = new_context(settings, &tls->warning, error);
	if (!tls->context) {
		BIO_meth_free(tls->bio);
		free(tls);
		return NULL;
	}
	pthread_mutex_init(&tls->lock, NULL); /* cannot fail without attributes */
	return tls;
}

const struct stream_type *tls_stream_type(const struct tls *tls)
{
	return &tls->type;
}

const char *tls_warning(const struct tls *tls)
{
	return *tls->warning.message ? tls->warning.message : NULL;
}

int tls_reload(struct tls *tls, struct error *error)
{
	struct error warning;
	SSL_CTX *context = new_context(&tls->settings, &warning, error);
	if (!context)
		return -1;
	tls->warning = warning;
	pthread_mutex_lock(&tls->lock);
	SSL_CTX *old = tls->context;
	tls->context = context;
	pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(old);
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	BIO_meth_free(tls->bio);
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}
