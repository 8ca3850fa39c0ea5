/* SPDX-License-Identifier: MIT */
/* The logs of a run of ping, read into memory: what the server's has, in any format, and what a
 * client's has. */
#ifndef ACKLINE_VERIFY_PING_LOGS_H
#define ACKLINE_VERIFY_PING_LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/socket.h"
#include "base/buffer.h"

/* What the functions here return: FAULT is one of the log, UNREADABLE one of reading it; both set
 * the failure. */
enum ping_reading { PING_READ = 0, PING_FAULT, PING_UNREADABLE };

struct ping_served {
	uint64_t client, request, message;
};

struct ping_joined {
	char name[SOCKET_NAME_SIZE];
	uint64_t client;
	size_t keepalives; /* that had been sent before */
};

/* Each text is an array of what its comment says. */
struct ping_server {
	struct buffer served;	  /* struct ping_served, sorted by client and request */
	struct buffer ignored;	  /* uint64_t, requests, sorted */
	struct buffer keepalives; /* uint64_t, messages, in order */
	struct buffer joined;	  /* struct ping_joined, in order */
	uint64_t messages;	  /* their numbers are 1 to this, each once */
};

enum ping_outcome_kind { PING_MISSING, PING_IN_TIME, PING_TIMED_OUT, PING_WAS_LATE };

struct ping_outcome {
	enum ping_outcome_kind kind;
	uint64_t message; /* 0: none came */
};

struct ping_client {
	struct buffer outcomes; /* struct ping_outcome, by request */
	struct buffer heard;	/* uint64_t, messages of keepalives, in order */
	uint64_t client;	/* C, 0: it has never been told */
	uint64_t message;	/* the last one */
	char name[SOCKET_NAME_SIZE];
};

/* Entries of such a text. */
#define PING_COUNT(text, type) ((text).length / sizeof(type))
#define PING_ENTRIES(text, type) ((type *)(void *)(text).bytes)

/* They fill what is zeroed; to be freed in any case. */
enum ping_reading ping_server_read(struct ping_server *server, const char *log, int64_t offset,
				   struct error *error);
enum ping_reading ping_client_read(struct ping_client *client, const char *log,
				   struct error *error);

void ping_server_free(struct ping_server *server);
void ping_client_free(struct ping_client *client);

#endif
