/* SPDX-License-Identifier: MIT */
/* The records of a batch as columns: arrays in PostgreSQL's binary format, the values of the
 * statement postgresql_store. They are a copy: a batch can be sent again when the log has forgotten
 * its records. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "log/sink.h"

enum {
	POSTGRESQL_COLUMNS = 13,		   /* arrays */
	POSTGRESQL_VALUES = 3 + POSTGRESQL_COLUMNS /* and the batch's key and level before them */
};

/* Zeroed, it is empty. */
struct postgresql_batch {
	uint64_t number; /* of the run's batches; 0: it is empty */
	size_t rows, sender_count;
	struct buffer senders; /* of struct sender_lines */
	size_t stored;	       /* bytes of what varies in length */
	struct buffer columns[POSTGRESQL_COLUMNS];
	char key[8]; /* the number, in binary */
};

/* Takes the records of a batch, under that number. False: out of memory, and it is empty. */
bool postgresql_batch_take(struct postgresql_batch *batch, uint64_t number,
			   const struct sink_batch *records);

/* Sets the values: borrowed from the batch, and the names of the run and of the level. */
void postgresql_batch_values(const struct postgresql_batch *batch, const char *server,
			     struct slice level, struct slice values[POSTGRESQL_VALUES]);

/* Empties it; keeps as much memory as a usual one needs. */
void postgresql_batch_clear(struct postgresql_batch *batch);
void postgresql_batch_free(struct postgresql_batch *batch);
