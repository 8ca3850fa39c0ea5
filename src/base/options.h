/* SPDX-License-Identifier: MIT */
/* Command lines from tables: each program describes its options once, as an array of struct
 * option_spec that says where in its struct of settings the value goes; parsing, strict checking,
 * -help and the hand-over from runall all come from that table. */
#ifndef ACKLINE_BASE_OPTIONS_H
#define ACKLINE_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"

/* The type of the member at `offset` follows from the kind. */
enum option_kind {
	OPTION_FLAG,	   /* bool, true when given */
	OPTION_TEXT,	   /* const char *, not empty; points into argv */
	OPTION_NUMBER,	   /* int64_t, decimal, within min..max */
	OPTION_DESCRIPTOR, /* int64_t, an open descriptor, within min..max */
	OPTION_DURATION,   /* int64_t nanoseconds, within min..max: 250ms, 5s, 2m, 1h; bare: seconds
			    */
	OPTION_RANGE,	   /* struct range of nanoseconds: MIN:MAX, or one duration for both */
	OPTION_COUNTS,	   /* struct range of numbers: MIN:MAX, or one for both, within min..max */
	OPTION_PERCENT,	   /* int64_t millionths: 10%, 0.5% */
	OPTION_CHOICE,	   /* int, the index in choices */
};

struct option_spec {
	const char *name; /* without a dash; NULL ends the table */
	enum option_kind kind;
	const char *argument;	    /* its name in -help, NULL for a flag */
	const char *help;	    /* a few words, the default in brackets */
	size_t offset;		    /* of the member in the program's struct of settings */
	int64_t min, max;	    /* for numbers, durations and ranges */
	const char *const *choices; /* NULL-terminated */
	/* The services that it is for, separated by commas; NULL: all. Where it is for some only,
	 * its default says that it was not given: NULL, false, or -1 in a number or a range's min.
	 */
	const char *only;
};

struct option_table {
	const char *program;  /* the canonical name: server */
	const char *synopsis; /* what -help says the program is for, a line */
	const struct option_spec *specs;
};

enum option_outcome {
	OPTIONS_READ,  /* go on */
	OPTIONS_SHOWN, /* -help or -version was printed: exit 0 */
	OPTIONS_WRONG, /* the failure names option and value: exit 2 */
};

/* Reads argv into settings, which holds the defaults. Long options with one dash or two, value
 * behind a blank or '='; an unambiguous beginning of a name will do. Prints for -help and -version.
 */
enum option_outcome options_read(const struct option_table *table, void *settings, int argc,
				 char **argv, struct error *error);

/* Checks one value and stores it. 0, or -1 with the failure set. */
int option_store(const struct option_spec *spec, void *settings, const char *value,
		 struct error *error);

/* Stores the value that says that the option was not given, as for `only`. */
void option_unset(const struct option_spec *spec, void *settings);

/* Is the option for that service? */
bool option_suits(const struct option_spec *spec, const char *service);

/* Says which services an option is for, when it was given to another one. Returns -1. */
int option_refuse(const struct option_spec *spec, struct error *error);

/* Refuses what was given in the settings and is not for that service. 0, or -1 with the failure
 * set. */
int options_check_service(const struct option_table *table, const void *settings,
			  const char *service, struct error *error);

/* The entry of that exact name, or NULL. */
const struct option_spec *option_find(const struct option_table *table, const char *name);

#endif
