/* SPDX-License-Identifier: MIT */
/* Why TLS has failed, in words for the person who reads the message: what is wrong, and where it
 * helps, the option that mends it. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/tls_openssl.h"

struct reason {
	long code;
	const char *text;
};

#define CERTIFICATE_IS "the certificate, or that of its CA, "
#define WRONG_CLOCK ", or the clock is wrong"

/* What this side has found in the peer's certificate. */
static const struct reason verified[] = {
	{X509_V_ERR_APPLICATION_VERIFICATION, "the certificate has no usable name"},
	{X509_V_ERR_CERT_HAS_EXPIRED, CERTIFICATE_IS "has expired" WRONG_CLOCK},
	{X509_V_ERR_CERT_NOT_YET_VALID, CERTIFICATE_IS "is not yet valid" WRONG_CLOCK},
	{X509_V_ERR_CERT_REVOKED, CERTIFICATE_IS "is revoked"},
	{X509_V_ERR_UNABLE_TO_GET_CRL,
	 "-tls-crl has no revocation list of a CA that has signed the certificate"},
	{X509_V_ERR_CRL_HAS_EXPIRED, "the revocation list in -tls-crl has expired" WRONG_CLOCK},
	{X509_V_ERR_CRL_NOT_YET_VALID,
	 "the revocation list in -tls-crl is not yet valid" WRONG_CLOCK},
	{X509_V_ERR_CRL_SIGNATURE_FAILURE,
	 "the revocation list in -tls-crl is not signed by the CA in -tls-ca"},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
	 "the CA in -tls-ca is signed by another one, whose certificate is missing there"},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE,
	 "the certificate is not signed by the CA in -tls-ca, which has the same name"},
	{X509_V_ERR_INVALID_PURPOSE,
	 "the certificate is not for this end of a connection (extended key usage)"},
	{X509_V_ERR_INVALID_CA, "the certificate is signed by one that is not a CA's"},
	{0},
};

/* What the peer has found in ours, told by an alert (RFC 8446, 6.2). */
#define ALERT(number) (SSL_AD_REASON_OFFSET + (number))
#define REFUSED "the peer refuses the certificate of this side"

/* A peer that has used TLS until then. */
#define GARBLED "the peer sent something that TLS does not allow"

static const struct reason failed_later[] = {
	{SSL_R_WRONG_VERSION_NUMBER, GARBLED},
	{SSL_R_HTTP_REQUEST, GARBLED},
	{SSL_R_PACKET_LENGTH_TOO_LONG, GARBLED},
	{SSL_R_UNEXPECTED_MESSAGE, GARBLED},
	{0},
};

static const struct reason failed[] = {
	{SSL_R_WRONG_VERSION_NUMBER, "the peer does not use TLS"},
	{SSL_R_HTTP_REQUEST, "the peer does not use TLS"},
	{SSL_R_PACKET_LENGTH_TOO_LONG, "the peer does not use TLS"},
	{SSL_R_UNEXPECTED_MESSAGE, "the peer does not use TLS"}, /* an echo of the ClientHello */
	{SSL_R_UNSUPPORTED_PROTOCOL, "the peer has neither TLS 1.2 nor 1.3"},
	{ALERT(SSL_AD_PROTOCOL_VERSION), "the peer has neither TLS 1.2 nor 1.3"},
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer has no certificate"},
	{ALERT(SSL_AD_CERTIFICATE_REQUIRED), "the server demands a certificate of the client"},
	{ALERT(SSL_AD_UNKNOWN_CA), REFUSED ": it does not trust its CA"},
	{ALERT(SSL_AD_CERTIFICATE_EXPIRED), REFUSED ": it has expired, or a revocation list"},
	{ALERT(SSL_AD_CERTIFICATE_REVOKED), REFUSED ": it is revoked"},
	{ALERT(SSL_AD_BAD_CERTIFICATE), REFUSED},
	{ALERT(SSL_AD_CERTIFICATE_UNKNOWN), REFUSED},
	{ALERT(SSL_AD_UNSUPPORTED_CERTIFICATE), REFUSED},
	{0},
};

static const char *text_of(const struct reason *reasons, long code)
{
	while (reasons->text && reasons->code != code)
		reasons++;
	return reasons->text;
}

/* Of no CA that is trusted. */
static const char *untrusted(const struct tls_stream *self, bool self_signed)
{
	const struct tls *tls = (const struct tls *)self->stream.type;
	if (self_signed)
		return tls->settings.ca ? "the certificate is self-signed, and not in -tls-ca"
					: "the certificate is self-signed; see -tls-ca";
	return tls->settings.ca ? "the certificate is not of a CA in -tls-ca, or intermediate ones "
				  "are missing"
				: "the certificate is not of a CA of the system; see -tls-ca";
}

static const char *why_not_verified(const struct tls_stream *self, long code)
{
	switch (code) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return untrusted(self, true);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return untrusted(self, false);
	default:
		break;
	}
	const char *text = text_of(verified, code);
	return text ? text : X509_verify_cert_error_string(code);
}

const char *tls_reason(const struct tls_stream *self)
{
	long code = SSL_get_verify_result(self->ssl);
	unsigned long last = ERR_peek_last_error();
	if (code != X509_V_OK)
		return why_not_verified(self, code);
	int reason = ERR_GET_LIB(last) == ERR_LIB_SSL ? ERR_GET_REASON(last) : 0;
	const char *text = self->is_open ? text_of(failed_later, reason) : NULL;
	if (!text)
		text = text_of(failed, reason);
	if (!text && last)
		text = ERR_reason_error_string(last);
	return text ? text : "the peer closed the connection";
}

int tls_tell_mismatch(const struct tls_stream *self, struct error *error)
{
	struct tls_name_list list;
	X509_VERIFY_PARAM *param = SSL_get0_param(self->ssl);
	char *address = NULL, shortened[INET6_ADDRSTRLEN];
	const char *wanted = NULL;
	struct in6_addr bytes;
	switch (SSL_get_verify_result(self->ssl)) {
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		address = X509_VERIFY_PARAM_get1_ip_asc(param);
		if (address && inet_pton(AF_INET6, address, &bytes) == 1)
			wanted = inet_ntop(AF_INET6, &bytes, shortened, sizeof shortened);
		else
			wanted = address;
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		wanted = X509_VERIFY_PARAM_get0_host(param, 0);
		break;
	default:
		return 0;
	}
	*list.names = '\0';
	if (self->refused)
		tls_hosts_of(self->refused, &list);
	error_set(error,
		  "no TLS handshake: the certificate is for %s, not for %.200s; see -tls-name",
		  *list.names ? list.names : "no host", wanted ? wanted : "this address");
	OPENSSL_free(address);
	return -1;
}
