/* SPDX-License-Identifier: MIT */
/* The format of a request with its answer in one record, five fields separated by ';':
 *   DATE;TIME;REQUEST;TIME;ANSWER    the second time is the answer's
 *   DATE;TIME;REQUEST;(ignored);(ignored)
 *   DATE;;;TIME;MESSAGE              sent or received without a request
 *   DATE;TIME;MESSAGE;;              a note
 * with dates as YYYY-MM-DD and times as HH:MM:SS.mmm. The date is that of the first time. */
#pragma once

#include "record/format.h"

/* A received record without a request is left out: the line is logged with its answer. */
extern const struct record_format record_exchange;

/* The answer of a request that was given up. */
#define EXCHANGE_TIMEOUT "(timeout)"

/* A request as the fields of the record that ends it. It must stay where it was made. */
enum { EXCHANGE_TIME = 23 }; /* length of DATE TIME */
struct exchange_request {
	char time[EXCHANGE_TIME];
	struct record_field fields[3];
};

/* Makes the fields of a request that was sent or received at that time; borrows its bytes. */
void exchange_request_init(struct exchange_request *request, const struct stamp *stamp,
			   const char *bytes, size_t length);

/* A record that was read: parts of its line, still escaped. */
struct exchange {
	struct slice date, time, request, answer_time, answer;
};

/* Reads a line, without its line end. False: it is no record of this format. */
bool exchange_read(struct slice line, struct exchange *exchange);
