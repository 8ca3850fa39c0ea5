/* SPDX-License-Identifier: MIT */
/* What a unit test's main() does: it runs test cases of the check library and prints TAP. Each test
 * runs in a process of its own, so that a crash fails that test alone. */
#pragma once

#include <check.h>

/* Runs the cases given, NULL ends the list, and frees them. Returns the exit status for main(). */
int unit_main(const char *name, TCase *first, ...) __attribute__((sentinel));
