/* SPDX-License-Identifier: MIT */
/* The logs of a run of ping, read into memory: the server's in any format, the clients' in that of
 * record/exchange.h. An array is a buffer, whose memory is aligned for any type. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "net/socket.h"
#include "verify/verdict.h"

/* What a buffer of uint64_t holds, until it grows. */
struct numbers {
	uint64_t *at;
	size_t count;
};

struct numbers numbers_of(const struct buffer *buffer);
bool numbers_add(struct buffer *buffer, uint64_t number); /* false: out of memory */
void numbers_sort(const struct buffer *buffer);

/* A message that answered a request. */
struct ping_served {
	uint64_t client, request, message;
};

struct ping_joined {
	char name[SOCKET_NAME_SIZE];
	uint64_t client;
	size_t keepalives; /* sent before */
	size_t number;	   /* for the proof: of the client that it is, from 1; 0: not known */
};

struct ping_server {
	struct buffer served;	     /* struct ping_served, sorted by client and request */
	struct buffer joined;	     /* struct ping_joined, in order of time */
	struct buffer ignored;	     /* numbers of requests, sorted */
	struct buffer keepalives;    /* numbers of messages, in order of time */
	uint64_t messages;	     /* their numbers are 1 to this, each once */
	char remark[LOG_TITLE_SIZE]; /* on what is not in the log */
};

enum ping_outcome_kind { PING_MISSING, PING_IN_TIME, PING_TIMED_OUT, PING_WAS_LATE };

struct ping_outcome {
	enum ping_outcome_kind kind;
	uint64_t message; /* 0: none came */
};

struct ping_client {
	struct buffer outcomes;	  /* struct ping_outcome, by request */
	struct buffer keepalives; /* numbers of messages, in order of time */
	uint64_t client;	  /* its number at the server; 0: not known */
	uint64_t message;	  /* the last one */
	char name[SOCKET_NAME_SIZE];
};

/* Both fill a zeroed struct, which is to be freed in any case. False: the verdict has the fault of
 * the log; or it has none, and the error is set if the log cannot be read, else memory is out. */
bool ping_server_read(struct ping_server *server, const char *log, const struct log_place *from,
		      struct verdict *verdict, struct error *error);
bool ping_client_read(struct ping_client *client, const char *log, struct verdict *verdict,
		      struct error *error);

/* The message that answered a request; NULL: none did. */
const struct ping_served *ping_server_find(const struct ping_server *server, uint64_t client,
					   uint64_t request);

void ping_server_free(struct ping_server *server);
void ping_client_free(struct ping_client *client);
