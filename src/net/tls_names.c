/* SPDX-License-Identifier: MIT */
/* The names in a certificate: the one for a record, and those that a message lists. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "net/tls_openssl.h"

/* Takes a name that can stand in a record as it is. The bytes of two types of strings are parts of
 * other characters. */
static bool take_name(const ASN1_STRING *string, char name[STREAM_CERTIFICATE_SIZE])
{
	const unsigned char *bytes = ASN1_STRING_get0_data(string);
	int length = ASN1_STRING_length(string), type = ASN1_STRING_type(string);
	if (type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING)
		return false;
	if (length < 1 || length >= STREAM_CERTIFICATE_SIZE)
		return false;
	for (int i = 0; i < length; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~' || strchr("()\"'\\,;", bytes[i]))
			return false;
	memcpy(name, bytes, (size_t)length);
	name[length] = '\0';
	return true;
}

static bool take_common(const X509 *certificate, char name[STREAM_CERTIFICATE_SIZE])
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	return at >= 0 &&
	       take_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

/* Appends it to a list; what has no space is left out. */
static void list_name(struct tls_name_list *list, const char *name)
{
	size_t length = strlen(list->names), space = sizeof list->names - length;
	const char *comma = length ? ", " : "";
	if (strlen(comma) + strlen(name) < space)
		(void)snprintf(list->names + length, space, "%s%s", comma, name);
}

static void list_address(struct tls_name_list *list, const ASN1_OCTET_STRING *address)
{
	char name[INET6_ADDRSTRLEN];
	int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
	if (family == AF_INET6 && ASN1_STRING_length(address) != 16)
		return;
	if (inet_ntop(family, ASN1_STRING_get0_data(address), name, sizeof name))
		list_name(list, name);
}

void tls_hosts_of(const X509 *certificate, struct tls_name_list *list)
{
	char name[STREAM_CERTIFICATE_SIZE];
	bool is_named = false;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	*list->names = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *entry = sk_GENERAL_NAME_value(names, i);
		is_named |= entry->type == GEN_DNS;
		if (entry->type == GEN_DNS && take_name(entry->d.dNSName, name))
			list_name(list, name);
		else if (entry->type == GEN_IPADD)
			list_address(list, entry->d.iPAddress);
	}
	GENERAL_NAMES_free(names);
	/* as OpenSSL does: it counts where there is no alternative name of a host */
	if (!is_named && take_common(certificate, name))
		list_name(list, name);
}

bool tls_name_of(const X509 *certificate, char name[STREAM_CERTIFICATE_SIZE])
{
	if (take_common(certificate, name))
		return true;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool taken = false;
	for (int i = 0; !taken && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *entry = sk_GENERAL_NAME_value(names, i);
		int kind;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(entry, &kind);
		taken = (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI) &&
			take_name(value, name);
	}
	GENERAL_NAMES_free(names);
	return taken;
}
