/* SPDX-License-Identifier: MIT */
/* Renaming that never replaces a file. */
#pragma once

#include <limits.h>
#include <stdint.h>

/* Renames a file that is no symbolic link, unless `to` exists. Returns 0, or -1 with errno: EEXIST
 * if it exists. */
int rename_unless_taken(const char *name, const char *to);

/* Renames a file to NAME.N, the next name of a closed file: see base/closed_files.h. *number is the
 * highest that is known to have been used, and is set to N. Other processes may do the same at the
 * same time. A symbolic link stays, and its target is renamed, beside itself. Returns 0, or -1 with
 * errno. Either way `from` has the file's own name, and `to` the new one, as far as they are known.
 */
int move_aside(const char *name, uint64_t *number, char from[PATH_MAX], char to[PATH_MAX]);

/* As renameat2() of Linux. Only tests set it. */
extern int (*move_aside_renameat2)(int from_directory, const char *name, int to_directory,
				   const char *to, unsigned flags);
