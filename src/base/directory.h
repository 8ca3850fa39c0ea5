/* SPDX-License-Identifier: MIT */
/* Makes the directory of a log that has its default name. */
#ifndef ACKLINE_BASE_DIRECTORY_H
#define ACKLINE_BASE_DIRECTORY_H

#include "base/error.h"

/* Makes the directory in which the file is to be, one level of it, unless it exists or the name has
 * none. Returns 0, or -1 with *error set. */
int directory_make_for(const char *file, struct error *error);

#endif
