/* SPDX-License-Identifier: MIT */
/* Command lines from tables. A program lists its options once; reading, checking and -help follow
 * from that table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/program.h"

/* The kind gives the type of the member at `offset`, and what the value must be. */
enum option_kind {
	OPTION_FLAG,	   /* bool, true when given */
	OPTION_TEXT,	   /* const char *, not empty; points into argv */
	OPTION_NUMBER,	   /* int64_t, min to max */
	OPTION_DECIMAL,	   /* int64_t millionths, min to max in millionths */
	OPTION_DESCRIPTOR, /* int64_t, an open descriptor, min to max */
	OPTION_DURATION,   /* int64_t nanoseconds, min to max */
	OPTION_RANGE,	   /* struct range of nanoseconds, min to max */
	OPTION_COUNTS,	   /* struct range of numbers, min to max */
	OPTION_PERCENT,	   /* int64_t millionths */
	OPTION_LIMIT,	   /* struct limit: a size or a duration, and a number if there is a max */
	OPTION_CHOICE,	   /* int, the index in choices */
};

struct option_spec {
	const char *name; /* without a dash; NULL ends the table */
	enum option_kind kind;
	const char *argument;	    /* its name in -help; NULL for a flag */
	const char *help;	    /* a phrase, with the default in brackets */
	size_t offset;		    /* of the member in the program's struct of settings */
	int64_t min, max;	    /* of the value */
	const char *const *choices; /* NULL at the end */
	/* The services that take it, separated by commas; NULL: all. Its default must then be the
	 * value of option_unset(). */
	const char *only;
	const char *group; /* its heading in -help; NULL: that of the entry before */
	bool unique;	   /* to be given once; of another option the last value counts */
};

struct option_table {
	const char *program;  /* the canonical name: server */
	const char *synopsis; /* a line for -help: what the program does */
	const struct option_spec *specs;
	const char *operands; /* what follows the options, for -help; NULL: nothing may */
};

enum option_outcome {
	OPTIONS_READ = -1,
	/* what follows is an enum exit_status, too */
	OPTIONS_SHOWN = EXIT_DONE,	 /* -help or -version was printed */
	OPTIONS_NOT_SHOWN = EXIT_FAILED, /* it could not be, and *error says why */
	OPTIONS_WRONG = EXIT_USAGE,	 /* *error names option and value */
};

/* Reads argv, which ends in NULL, into settings, which hold the defaults. Options have one dash or
 * two, and their value behind a blank or '='. A name is given as a whole. */
enum option_outcome options_read(const struct option_table *table, void *settings, int argc,
				 char **argv, struct error *error);

/* Where the operands begin in the argv that options_read() has read. */
int options_operands(void);

/* Checks a value and stores it. Returns 0, or -1 with *error set. */
int option_store(const struct option_spec *spec, void *settings, const char *value,
		 struct error *error);

/* Stores the value of an option that was not given: false, NULL, or -1, in a range as its min. */
void option_unset(const struct option_spec *spec, void *settings);

/* Does the service take the option? If not, option_refuse() sets *error to those that do, and
 * returns -1. */
bool option_suits(const struct option_spec *spec, const char *service);
int option_refuse(const struct option_spec *spec, struct error *error);

/* The same for all options that were given. Returns 0, or -1 with *error set. */
int options_check_service(const struct option_table *table, const void *settings,
			  const char *service, struct error *error);

/* Returns the entry of that exact name, or NULL. */
const struct option_spec *option_find(const struct option_table *table, const char *name);

/* Returns the last value that a command line gives an option of that name, whatever is wrong with
 * the rest; NULL: it gives none. */
const char *options_peek(int argc, char **argv, const char *name);
