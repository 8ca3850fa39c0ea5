/* SPDX-License-Identifier: MIT */
/* The closed files of a log FILE, and their names. A file that is closed gets the name FILE.N, N
 * one above the highest number that any FILE.N, or FILE.N.* behind a compression, has, and that the
 * log is known to have used for one that is gone; 1 for the first. So the order of the files is
 * that of the numbers, and no clock is asked. N has 1 to 18 digits, and no leading zero; FILE.N.M
 * is a closed file of another log, FILE.N. Files that other programs have rotated, as FILE-DATE or
 * with numbers that shift, are known where that is said. Any thread. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/descriptor.h"

#define CLOSED_NUMBER_MAX 999999999999999999U

/* A regular file of that kind. */
struct closed_file {
	uint64_t number;
	char *name; /* with the directory, as the log's has it */
	struct file_id id;
	int64_t size;	 /* bytes */
	int64_t changed; /* ns since 1970: when it was last written to */
	int64_t closed;	 /* the same: when it got its name, or is known to have had it */
	bool compressed; /* there is something behind the number: .zst */
};

/* Zeroed, it is empty. */
struct closed_files {
	struct closed_file *files; /* by number, that of the oldest first; of one number the file
				    * that is not compressed first */
	size_t count, capacity;
	uint64_t last; /* highest number that is taken, also by what is no regular file; 0: none */
};

/* The name of the log's file itself: the target, if it is a symbolic link; its closed files are
 * beside that. It need not exist. Returns 0, or -1 with errno. */
int closed_files_path(const char *log, char path[PATH_MAX]);

/* Lists the closed files of a log. Returns 0, or -1 with errno, and the list is empty. To be freed
 * by closed_files_free(). */
int closed_files_list(struct closed_files *closed, const char *log);
void closed_files_free(struct closed_files *closed);

/* Only the highest number that is taken. Returns 0, or -1 with errno. */
int closed_files_last(const char *log, uint64_t *last);

/* The file of that number, preferably not compressed; NULL: there is none. */
const struct closed_file *closed_files_find(const struct closed_files *closed, uint64_t number);

/* The name of a file in the directory of the log's file. Returns 0, or -1 with errno. */
int closed_files_beside(const char *log, const char *name, char path[PATH_MAX]);

/* The number of a closed file, by the names of the log and of the file, both with or without a
 * directory, which is not looked at. 0: it is none. */
uint64_t closed_file_number(const char *log, const char *name, bool *compressed);

/* Of the name FILE.N of a file that is not there: finds FILE.N.*, as which it was compressed.
 * Returns 1 and the name, to be freed; 0: there is none; -1: errno is set. */
int closed_file_compressed(const char *name, char **compressed);

/* Deletes a closed file, unless a process has it locked as its log: FILE.1 can be the log of
 * another server, or this one's that another program has renamed. Returns 0, also if it is gone
 * already; 1: it is in use, and stays; -1: errno is set. */
int closed_file_delete(const char *name);

/* Whether a process has it locked as its log. */
bool closed_file_is_in_use(const char *name);

/* What a log goes on from whose file is missing or empty: a stop while the file was rotated, by the
 * server or another program, has left it so. It is the file FILE.N or FILE-DATE that was written to
 * last; DATE has digits and dashes. Of two that were written to at the same time it is the one with
 * the higher number. A compressed file counts only if it was written to last and its number is
 * higher, too: it may be younger than what is in it. Returns 1 and the file, whose name is to be
 * freed; 0: there is none; -1: errno is set. */
int closed_file_before(const char *log, struct closed_file *before);

/* The same for a file of the log that is not compressed and may have been renamed by another
 * program: the one that was written to last before it, or at the same time if its number is
 * lower. */
int closed_file_older(const char *log, const char *name, struct closed_file *before);

/* The name by now of a file of the log: its own, or another one that begins so, in the same
 * directory. Returns 1; 0: there is none; -1: errno is set. */
int closed_files_name(const char *log, struct file_id id, char path[PATH_MAX]);
