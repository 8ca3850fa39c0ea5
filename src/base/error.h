/* SPDX-License-Identifier: MIT */
/* How a module says what went wrong: one line of words, without the program's name and without
 * a newline, which only main() prints. */
#ifndef ACKLINE_BASE_ERROR_H
#define ACKLINE_BASE_ERROR_H

struct error {
	char message[512];
};

/* Writes the words, cut at the size of the struct; keeps errno. Returns -1, so that a function can
 * end in `return error_set(...)`. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
