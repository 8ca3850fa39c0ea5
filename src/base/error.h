/* SPDX-License-Identifier: MIT */
/* An error message: one line, without the program's name and a line end. */
#pragma once

struct error {
	char message[512];
};

/* Formats the message, as printf(), cut at the size of the struct. Keeps errno. Returns -1, so that
 * a function can end in `return error_set(...)`. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same where a function returns a pointer: returns NULL. */
#define error_null(...) ((void)error_set(__VA_ARGS__), NULL)

/* Puts "NAME: " before the message, which is cut as above. NULL: nothing. */
void error_prefix(struct error *error, const char *name);

/* Appends another message behind "; ", unless it is there already; to an empty one without that. */
void error_join(struct error *error, const struct error *other);

/* Sets the message from lines of a library, joined so. Those behind a tab are advice, and left out.
 */
void error_set_lines(struct error *error, const char *lines);
