/* SPDX-License-Identifier: MIT */
/* What a server has promised its clients, as its connections show it: the lines that it has
 * acknowledged; and the lines that it was sent, as its log can have no others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "power/trace.h"

enum promise_kind {
	PROMISE_OK,	 /* a line is answered with ok if it is in the log */
	PROMISE_ECHO,	 /* with itself */
	PROMISE_NUMBERS, /* as the service once does */
};

/* The hashes of lines, each as often as the line was there. */
struct line_set {
	uint64_t *hashes;
	size_t count, capacity;
	bool sorted;
};

/* A sender of numbered lines. */
struct promised_sender {
	char *name;
	uint64_t last;	      /* the log has its lines up to this one, as was acknowledged */
	struct buffer hashes; /* uint64_t each, of line 1 first; 0: it was not sent */
};

struct promise {
	enum promise_kind kind; /* to be set; the rest is zeroed */
	struct promise_connection *connections;
	size_t connection_count, connection_capacity;
	struct line_set sent, acknowledged;
	struct promised_sender *senders;
	size_t sender_count, sender_capacity;
	uint64_t promised; /* how many lines were acknowledged */
	bool no_memory;	   /* something is missing */
};

/* Takes the next event of a trace. */
void promise_take(struct promise *promise, const struct trace_event *event);

/* Copies all but connections. False: out of memory; promise_free() is due in any case. */
bool promise_copy(struct promise *promise, const struct promise *from);
void promise_free(struct promise *promise);

/* The hash of a sender's line; 0: it was not sent. */
uint64_t promised_hash(const struct promised_sender *sender, uint64_t number);

void line_set_add(struct line_set *set, uint64_t hash, bool *no_memory);

/* What was sent after a cut, by the checker itself. */
enum { PROBES = 3 }; /* lines, of each sender */
struct promise_probe {
	const uint64_t *last; /* of each sender: the number of its last line, as the server says */
};

/* A line that the checker sends: of a sender the one of that number, else the only one, 0. */
enum { PROBE_SIZE = 64 };
struct slice promise_probe_line(uint64_t number, char line[PROBE_SIZE]);

/* Sets the error to what is wrong. It is 1. */
#define promise_broken(...) ((void)error_set(__VA_ARGS__), 1)

/* Does the log have what was promised and what was probed, and nothing that was not sent? Each
 * line of it has to be a record, and numbers have to follow each other. 0; 1: no, and the error
 * says what is wrong; -1: it cannot be read, or memory is out: the error is set. */
int promise_check(struct promise *promise, const struct promise_probe *probe, const char *log,
		  bool plain, struct error *error);
