/* SPDX-License-Identifier: MIT */
/* Keys, certificates and revocation lists in PEM files. Each is read once, so that it may be a
 * pipe; and what is wrong with one is told so that it can be mended. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_openssl.h"

enum { FILE_MAX = 16 << 20, FILE_STEP = 16384, DER_SEQUENCE = 0x30 };

/* What a file should contain. */
struct kind {
	const char *what;  /* as in the message */
	const char *thing; /* one of them */
	const char *label; /* in its PEM header */
	const char *tool;  /* of openssl, that converts it */
};

static const struct kind certificate_kind = {"certificate", "a certificate", "CERTIFICATE-----",
					     "x509"};
static const struct kind key_kind = {"key", "a private key", "PRIVATE KEY-----", "pkey"};
static const struct kind ca_kind = {"CA certificates", "a certificate", "CERTIFICATE-----", "x509"};
static const struct kind crl_kind = {"revocation lists", "a revocation list", "X509 CRL-----",
				     "crl"};

/* What it may contain instead; the first that is found. */
static const struct {
	const char *label, *thing;
} others[] = {{"OPENSSH PRIVATE KEY-----", "a key of OpenSSH"},
	      {"CERTIFICATE REQUEST-----", "a certificate request"},
	      {"PRIVATE KEY-----", "a private key"},
	      {"CERTIFICATE-----", "a certificate"},
	      {"X509 CRL-----", "a revocation list"},
	      {"PUBLIC KEY-----", "a public key"}};

/* A file that is being loaded. */
struct pem {
	const struct kind *kind;
	const char *name;
	struct buffer text;
	BIO *bio;	/* the text, as far as it is not yet read */
	bool is_public; /* other users can read or write it */
	bool is_locked; /* a passphrase was asked for */
};

static int refuse(const struct pem *pem, struct error *error, const char *reason)
{
	return error_set(error, "cannot load the %s '%.200s': %s", pem->kind->what, pem->name,
			 reason);
}

/* The same, by what OpenSSL says. */
static int refuse_by_openssl(const struct pem *pem, struct error *error)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);
	if (ERR_GET_REASON(code) == SSL_R_EE_KEY_TOO_SMALL)
		reason = "its key is too short";
	return refuse(pem, error, reason ? reason : "OpenSSL does not say why");
}

static bool contains(const struct buffer *text, const char *words)
{
	return memmem(text->bytes, text->length, words, strlen(words)) != NULL;
}

static bool is_pkcs12(const struct buffer *text)
{
	const unsigned char *bytes = (const unsigned char *)text->bytes;
	PKCS12 *store = d2i_PKCS12(NULL, &bytes, (long)text->length);
	PKCS12_free(store);
	return store != NULL;
}

/* There is nothing of the kind in it, or it cannot be read. */
static int refuse_content(const struct pem *pem, struct error *error)
{
	struct error reason;
	const struct kind *kind = pem->kind;
	if (!pem->text.length)
		return refuse(pem, error, "it is empty");
	if (pem->is_locked)
		return refuse(pem, error, "it has a passphrase; remove it with openssl pkey");
	if (pem->text.bytes[0] == DER_SEQUENCE && is_pkcs12(&pem->text))
		return refuse(
			pem, error,
			"it is in PKCS#12 format, not in PEM; convert it with openssl pkcs12");
	if (pem->text.bytes[0] == DER_SEQUENCE) {
		error_set(&reason, "it is in DER format, not in PEM; convert it with openssl %s",
			  kind->tool);
		return refuse(pem, error, reason.message);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (!contains(&pem->text, others[i].label))
			continue;
		if (!strcmp(others[i].label, kind->label))
			break;
		if (i && contains(&pem->text, kind->label))
			continue;
		error_set(&reason, "it contains %s, not %s", others[i].thing, kind->thing);
		return refuse(pem, error, reason.message);
	}
	return refuse(pem, error,
		      contains(&pem->text, kind->label) ? "it is damaged"
							: "it is not in PEM format");
}

/* Reads it to its end. 0, or an errno value. */
static int read_text(int descriptor, struct buffer *text)
{
	ssize_t length = 1;
	while (length > 0) {
		if (text->length > FILE_MAX)
			return EFBIG;
		if (!buffer_reserve(text, FILE_STEP))
			return ENOMEM;
		length = read(descriptor, text->bytes + text->length, FILE_STEP);
		text->length += length > 0 ? (size_t)length : 0;
	}
	return length < 0 ? errno : 0;
}

static bool is_public(int descriptor)
{
	struct stat status;
	return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_mode & (S_IROTH | S_IWOTH);
}

/* To be closed in both cases. */
static int pem_open(struct pem *pem, const struct kind *kind, const char *name, struct error *error)
{
	*pem = (struct pem){.kind = kind, .name = name};
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return refuse(pem, error, strerror(errno));
	pem->is_public = is_public(descriptor);
	int errnum = read_text(descriptor, &pem->text);
	(void)close(descriptor);
	if (!errnum && !(pem->bio = BIO_new_mem_buf(pem->text.bytes, (int)pem->text.length)))
		errnum = ENOMEM;
	ERR_clear_error();
	return errnum ? refuse(pem, error, strerror(errnum)) : 0;
}

static void pem_close(struct pem *pem)
{
	BIO_free(pem->bio);
	if (pem->text.bytes)
		OPENSSL_cleanse(pem->text.bytes, pem->text.capacity);
	buffer_free(&pem->text);
}

/* A passphrase is not asked for. */
static int no_passphrase(char *bytes, int space, int for_writing, void *pem)
{
	(void)bytes, (void)space, (void)for_writing;
	((struct pem *)pem)->is_locked = true;
	return -1;
}

/* NULL: there is no other, or it cannot be read. */
static X509 *next_certificate(struct pem *pem)
{
	return PEM_read_bio_X509_AUX(pem->bio, NULL, no_passphrase, pem);
}

/* Whether the last one that was looked for is just not there. */
static bool is_at_end(void)
{
	unsigned long code = ERR_peek_last_error();
	bool at_end =
		ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return at_end;
}

/* --- the certificate and its key --- */

static void warn_of_times(const X509 *certificate, const char *name, struct error *warning)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		error_set(warning, "the certificate '%.200s' has expired", name);
	else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		error_set(warning,
			  "the certificate '%.200s' is not yet valid, or the clock is wrong", name);
}

static int take_chain(SSL_CTX *context, struct pem *pem, struct error *warning, struct error *error)
{
	X509 *certificate = next_certificate(pem);
	if (!certificate)
		return refuse_content(pem, error);
	bool taken = SSL_CTX_use_certificate(context, certificate) == 1;
	warn_of_times(certificate, pem->name, warning);
	X509_free(certificate);
	if (!taken)
		return refuse_by_openssl(pem, error);
	while ((certificate = next_certificate(pem)))
		if (SSL_CTX_add0_chain_cert(context, certificate) != 1) {
			X509_free(certificate);
			return refuse_by_openssl(pem, error);
		}
	return is_at_end() ? 0 : refuse(pem, error, "it is damaged");
}

/* The key must be the first certificate's; those of its CAs follow. */
static int check_key(SSL_CTX *context, const struct pem *pem, const char *certificate,
		     EVP_PKEY *key, struct error *error)
{
	STACK_OF(X509) *chain = NULL;
	if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) == 1)
		return 0;
	(void)SSL_CTX_get0_chain_certs(context, &chain);
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_check_private_key(sk_X509_value(chain, i), key) == 1)
			return error_set(
				error,
				"cannot load the certificate '%.200s': the certificate of the "
				"key must stand first, before those of CAs",
				certificate);
	return refuse(pem, error, "it is not the certificate's");
}

static int take_key(SSL_CTX *context, struct pem *pem, const char *certificate, struct error *error)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem->bio, NULL, no_passphrase, pem);
	if (!key)
		return refuse_content(pem, error);
	int result = check_key(context, pem, certificate, key, error);
	if (result == 0 && pem->is_public)
		result = refuse(pem, error, "all users can read or change it; chmod 600 it");
	if (result == 0 && SSL_CTX_use_PrivateKey(context, key) != 1)
		result = refuse_by_openssl(pem, error);
	EVP_PKEY_free(key);
	return result;
}

/* --- whom to trust --- */

/* One that can be trusted: a CA's, or one that is its own. */
static int take_ca(SSL_CTX *context, const struct pem *pem, X509 *certificate, struct error *error)
{
	bool is_trusted =
		X509_check_ca(certificate) || X509_get_extension_flags(certificate) & EXFLAG_SS;
	if (!is_trusted)
		return refuse(pem, error, "it contains a certificate that is not a CA's");
	/* at a server also for the list from which a client chooses its certificate */
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 &&
	    SSL_CTX_add_client_CA(context, certificate) == 1)
		return 0;
	return refuse(pem, error, strerror(ENOMEM));
}

static int take_cas(SSL_CTX *context, struct pem *pem, struct error *error)
{
	X509 *certificate;
	int result = 0, count = 0;
	while (result == 0 && (certificate = next_certificate(pem))) {
		result = take_ca(context, pem, certificate, error);
		X509_free(certificate);
		count++;
	}
	if (result < 0)
		return -1;
	return count && is_at_end() ? 0 : refuse_content(pem, error);
}

/* A certificate is then accepted only with a list of each CA above it. */
static int take_crls(SSL_CTX *context, struct pem *pem, struct error *warning, struct error *error)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509_CRL *list;
	int count = 0;
	bool taken = true;
	while (taken && (list = PEM_read_bio_X509_CRL(pem->bio, NULL, no_passphrase, pem))) {
		const ASN1_TIME *until = X509_CRL_get0_nextUpdate(list);
		if (until && X509_cmp_current_time(until) < 0)
			error_set(warning, "a revocation list in '%.200s' has expired", pem->name);
		taken = X509_STORE_add_crl(store, list) == 1;
		X509_CRL_free(list);
		count++;
	}
	if (!taken ||
	    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
		return refuse(pem, error, strerror(ENOMEM));
	return count && is_at_end() ? 0 : refuse_content(pem, error);
}

/* --- all of them --- */

static int load_own(SSL_CTX *context, const struct tls_settings *settings, struct error *warning,
		    struct error *error)
{
	struct pem pem;
	int result = pem_open(&pem, &certificate_kind, settings->certificate, error);
	if (result == 0)
		result = take_chain(context, &pem, warning, error);
	pem_close(&pem);
	if (result < 0)
		return -1;
	result = pem_open(&pem, &key_kind, settings->key, error);
	if (result == 0)
		result = take_key(context, &pem, settings->certificate, error);
	pem_close(&pem);
	return result;
}

static int load_trusted(SSL_CTX *context, const struct tls_settings *settings,
			struct error *warning, struct error *error)
{
	struct pem pem;
	int result = pem_open(&pem, &ca_kind, settings->ca, error);
	if (result == 0)
		result = take_cas(context, &pem, error);
	pem_close(&pem);
	if (result < 0 || !settings->crl)
		return result;
	result = pem_open(&pem, &crl_kind, settings->crl, error);
	if (result == 0)
		result = take_crls(context, &pem, warning, error);
	pem_close(&pem);
	return result;
}

int tls_load(SSL_CTX *context, const struct tls_settings *settings, struct error *warning,
	     struct error *error)
{
	*warning->message = '\0';
	if (settings->certificate && load_own(context, settings, warning, error) < 0)
		return -1;
	if (settings->ca)
		return load_trusted(context, settings, warning, error);
	if (settings->side == STREAM_CLIENT && SSL_CTX_set_default_verify_paths(context) != 1)
		return error_set(error, "cannot load the CA certificates of the system");
	return 0;
}
