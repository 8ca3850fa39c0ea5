/* SPDX-License-Identifier: MIT */
/* What the writer records and warns of by itself. As leader, without the lock, if not said
 * otherwise. */
#pragma once

#include "log/writer.h"

/* Appends a note of the server to a buffer, or shows it as a warning where the format has no notes.
 * Out of memory: it is left out. */
void writer_note(struct writer *writer, struct buffer *buffer, enum record_level level,
		 const char *message);

/* The same without a warning. False: out of memory, and nothing has changed. */
bool writer_add_note(struct writer *writer, struct buffer *buffer, enum record_level level,
		     struct slice message);

/* As log_summarise() and log_end_summary(). With the lock, while there is no leader. */
void writer_add_summary(struct writer *writer, struct log_summary *summary, size_t since);
void writer_end_summary(struct writer *writer, const struct log_summary *summary);

/* Defers the summary, behind all that is deferred, and sets when the next one is due. False: out of
 * memory. */
bool writer_defer_summary(struct writer *writer, bool reopens);

/* A commit has failed: warns of the first failure, until writer_works(). */
void writer_fails(struct writer *writer, int errnum);

/* A commit is stored: records and warns that the log can be written again, once it is likely to
 * stay so. A batch without bytes says nothing of it. */
void writer_works(struct writer *writer, const struct sink_batch *commit);
