/* SPDX-License-Identifier: MIT */
/* What a line is answered with. A service is one file with one struct service, and one line in the
 * table of service.c; nothing else in the server knows its name. */
#ifndef ACKLINE_SERVICE_H
#define ACKLINE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Without a line end. Static, or part of the line that was asked about. */
struct answer {
	const char *bytes;
	size_t length;
};

struct service {
	const char *name;
	const char *log; /* the log's name, unless -log gives another */
	/* Every byte counts: lines come with their ends, what has none comes when the peer pauses,
	 * and nothing is added to the answer. */
	bool exact;
	bool tells_ends;   /* there is a record for each connection made and closed */
	bool milliseconds; /* in the times of a text log */
	/* The answer to a line. It is called in the thread of the line's connection, before the
	 * line is logged; the answer is sent after. */
	struct answer (*answer)(const char *line, size_t length);
};

/* The services and, in the same order, their names, NULL at the end of both. */
extern const struct service *const services[];
extern const char *const service_names[];

#endif
