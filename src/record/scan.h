/* SPDX-License-Identifier: MIT */
/* Reading the parts of a record. Each function takes its part off the front of a slice, or returns
 * false and leaves the slice as it is. */
#ifndef ACKLINE_RECORD_SCAN_H
#define ACKLINE_RECORD_SCAN_H

#include "base/slice.h"

/* Takes bytes of a shape, in which d stands for a digit and + for a sign. */
bool record_scan_shape(struct slice *rest, const char *shape);

/* Takes the first of these names, NULL at the end, that stands there. Sets its index. */
bool record_scan_name(struct slice *rest, const char *const *names, int *index);

#endif
