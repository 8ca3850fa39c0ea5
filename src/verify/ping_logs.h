/* SPDX-License-Identifier: MIT */
/* The logs of a run of ping, read into memory: the server's in any format, the clients' in that of
 * record/exchange.h. */
#ifndef ACKLINE_VERIFY_PING_LOGS_H
#define ACKLINE_VERIFY_PING_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/socket.h"

/* Why a proof ends before its time. Functions that take it return false when they have set it. */
struct ping_end {
	struct error *error;
	bool fault; /* of a log; else the log cannot be read, or memory is out */
};

/* Each sets it, and returns false. */
bool ping_fault(struct ping_end *end, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool ping_out_of_memory(struct ping_end *end);

/* A growing array. Zeroed, it is empty. */
struct numbers {
	uint64_t *at; /* owned */
	size_t count, capacity;
};

bool numbers_add(struct numbers *numbers, uint64_t number, struct ping_end *end);
void numbers_sort(struct numbers *numbers);

struct ping_served {
	uint64_t client, request, message;
};

struct ping_joined {
	char name[SOCKET_NAME_SIZE];
	uint64_t client;
	size_t keepalives; /* sent before */
};

struct ping_server {
	struct ping_served *served; /* owned; sorted by client and request */
	size_t served_count, served_capacity;
	struct ping_joined *joined; /* owned; in order of time */
	size_t joined_count, joined_capacity;
	struct numbers ignored;	   /* requests, sorted */
	struct numbers keepalives; /* messages, in order of time */
	uint64_t messages;	   /* their numbers are 1 to this, each once */
};

enum ping_outcome_kind { PING_MISSING, PING_IN_TIME, PING_TIMED_OUT, PING_WAS_LATE };

struct ping_outcome {
	enum ping_outcome_kind kind;
	uint64_t message; /* 0: none came */
};

struct ping_client {
	struct ping_outcome *outcomes; /* owned; by request */
	size_t outcome_count, outcome_capacity;
	struct numbers keepalives; /* messages, in order of time */
	uint64_t client;	   /* its number at the server; 0: not known */
	uint64_t message;	   /* the last one */
	char name[SOCKET_NAME_SIZE];
};

/* Both fill a zeroed struct, which is to be freed in any case. */
bool ping_server_read(struct ping_server *server, const char *log, int64_t offset,
		      struct ping_end *end);
bool ping_client_read(struct ping_client *client, const char *log, struct ping_end *end);

/* The message that answered a request; NULL: none did. */
const struct ping_served *ping_server_find(const struct ping_server *server, uint64_t client,
					   uint64_t request);

void ping_server_free(struct ping_server *server);
void ping_client_free(struct ping_client *client);

#endif
