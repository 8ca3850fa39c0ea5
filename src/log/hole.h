/* SPDX-License-Identifier: MIT */
/* A hole in a log: bytes that a power cut has kept off the disk though later ones are on it. File
 * systems and disks write in any order what is not synced yet; what is missing then reads as zeros,
 * of which a log has none. */
#pragma once

#include "base/error.h"
#include "log/file_preface.h"

/* Of a file that was just opened to be continued, and has its preface: looks for a hole in its last
 * 64 MiB, warns of one, and has the next write note it.
 * - At -sync disk or where the settings say so: cuts the file at the beginning of the line in which
 *   the first hole begins, sets the preface anew, and syncs the file, with or without a hole: what
 *   the program before has left in memory is then safe before anything is written behind it, so no
 *   hole can come to stand before that.
 * - Else: has the next write begin with the mark of half a record. Holes before such a mark are not
 *   looked for any more, as lines behind it may be acknowledged.
 * -1: the error is set; also for a file with zeros that is no log. */
int hole_mend(struct file *file, struct error *error);
