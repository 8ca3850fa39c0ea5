/* SPDX-License-Identifier: MIT */
/* What goes together with -drill and -power. */
#pragma once

#include "base/error.h"
#include "runall/options.h"

/* -1: the error names an option that does not. */
int runall_options_check_drill(const struct runall_options *options, struct error *error);
