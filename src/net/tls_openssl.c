/* SPDX-License-Identifier: MIT */
/* What a struct tls is made of: the settings of OpenSSL, keys and certificates. */
#include "net/tls_openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const bool tls_is_built = true;

static bool is_error(unsigned long code, int library, int reason)
{
	return ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason;
}

static const char *reason_of(unsigned long code)
{
	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	if (!code || is_error(code, ERR_LIB_PEM, PEM_R_NO_START_LINE) ||
	    is_error(code, ERR_LIB_OSSL_DECODER, ERR_R_UNSUPPORTED))
		return "it is not in PEM format";
	if (is_error(code, ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH) ||
	    is_error(code, ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED)) /* of another kind */
		return "it is not the certificate's";
	if (is_error(code, ERR_LIB_CRYPTO, ERR_R_INTERRUPTED_OR_CANCELLED))
		return "it has a passphrase"; /* no_passphrase() has refused */
	return ERR_reason_error_string(code);
}

static int cannot_load(struct error *error, const char *what, const char *file)
{
	unsigned long code = ERR_peek_error(); /* the first is the cause of those behind it */
	const char *text = reason_of(code);
	return error_set(error, "cannot load the %s '%.200s': %s", what, file,
			 text ? text : "OpenSSL does not say why");
}

/* A key with a passphrase is refused, not asked for. */
static int no_passphrase(char *bytes, int space, int for_writing, void *context)
{
	(void)bytes, (void)space, (void)for_writing, (void)context;
	return -1;
}

static int load(SSL_CTX *context, const struct tls_settings *settings, struct error *error)
{
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (settings->certificate &&
	    SSL_CTX_use_certificate_chain_file(context, settings->certificate) != 1)
		return cannot_load(error, "certificate", settings->certificate);
	if (settings->key &&
	    (SSL_CTX_use_PrivateKey_file(context, settings->key, SSL_FILETYPE_PEM) != 1 ||
	     SSL_CTX_check_private_key(context) != 1))
		return cannot_load(error, "key", settings->key);
	if (settings->ca && SSL_CTX_load_verify_file(context, settings->ca) != 1)
		return cannot_load(error, "CA certificates", settings->ca);
	if (!settings->ca && settings->side == STREAM_CLIENT &&
	    SSL_CTX_set_default_verify_paths(context) != 1)
		return error_set(error, "cannot load the CA certificates of the system");
	if (settings->side == STREAM_SERVER && settings->ca)
		SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(settings->ca));
	return 0;
}

/* Also asks for a name that can be logged. */
static int verify_named(int verified, X509_STORE_CTX *store)
{
	char name[STREAM_CERTIFICATE_SIZE];
	if (!verified || X509_STORE_CTX_get_error_depth(store) > 0 ||
	    tls_name_of(X509_STORE_CTX_get_current_cert(store), name))
		return verified;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static SSL_CTX *new_context(const struct tls_settings *settings, struct error *error)
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
				   settings->named ? verify_named : NULL);
	if (load(context, settings, error) == 0)
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
	tls->context = new_context(settings, error);
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

int tls_reload(struct tls *tls, struct error *error)
{
	SSL_CTX *context = new_context(&tls->settings, error);
	if (!context)
		return -1;
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
