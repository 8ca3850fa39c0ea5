/* SPDX-License-Identifier: MIT */
#include "service/server_tls.h"

#include "net/tls.h"

int server_tls_open(struct server_tls *tls, const struct server_options *options,
		    struct error *error)
{
	if ((options->tls.certificate && !(tls->own = tls_new(&options->tls, error))) ||
	    (options->uses_next_tls && !(tls->next = tls_new(&options->next_tls, error))))
		return -1;
	return 0;
}

void server_tls_close(struct server_tls *tls)
{
	tls_free(tls->own);
	tls_free(tls->next);
}

const struct stream_type *server_tls_type(const struct tls *tls)
{
	return tls ? tls_stream_type(tls) : &stream_tcp;
}

static void tell(const struct tls *tls, struct log *log, void (*warn)(const char *message))
{
	struct error warning;
	if (!tls || !tls_warning(tls))
		return;
	error_set(&warning, "WARNING: %s", tls_warning(tls));
	warn(warning.message);
	log_note(log, RECORD_WARNING, RECORD_SERVER, "%s", tls_warning(tls));
}

void server_tls_tell(const struct server_tls *tls, struct log *log,
		     void (*warn)(const char *message))
{
	tell(tls->own, log, warn);
	if (!tls->own) /* else they have the same files */
		tell(tls->next, log, warn);
}

static void reload(struct tls *tls, struct log *log, void (*warn)(const char *message))
{
	struct error error, warning;
	if (!tls)
		return;
	if (tls_reload(tls, &error) == 0) {
		log_note(log, RECORD_INFO, RECORD_SERVER, "certificates loaded again");
		return;
	}
	error_set(&warning, "WARNING: %s; the old ones are kept", error.message);
	warn(warning.message);
	log_note(log, RECORD_WARNING, RECORD_SERVER, "certificates not loaded again: %s",
		 error.message);
}

void server_tls_reload(struct server_tls *tls, struct log *log, void (*warn)(const char *message))
{
	reload(tls->own, log, warn);
	reload(tls->next, log, warn);
	server_tls_tell(tls, log, warn);
}
