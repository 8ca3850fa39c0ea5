/* SPDX-License-Identifier: MIT */
/* What a unit test's main() does: it runs test cases of the check library and prints TAP. Each test
 * runs in a process of its own, so that a crash fails that test alone. */
#pragma once

#include <check.h>

/* Runs the cases given, NULL ends the list, and frees them. Returns the exit status for main(). */
int unit_main(const char *name, TCase *first, ...) __attribute__((sentinel));

/* Whether a sanitizer is in it, which makes a program up to 30 times slower: tests that compute
 * for seconds look at fewer cases then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { UNIT_IS_SANITIZED = 1 };
#else
enum { UNIT_IS_SANITIZED = 0 };
#endif
