/* SPDX-License-Identifier: MIT */
/* The folder of a log that has a usual name: it is made where it is missing. */
#ifndef ACKLINE_BASE_DIRECTORY_H
#define ACKLINE_BASE_DIRECTORY_H

#include "base/error.h"

/* Makes the folder that a file's name begins with, one level of it, unless it is there or the name
 * has none. 0, or -1 with the failure set. */
int directory_make_for(const char *file, struct error *error);

#endif
