/* SPDX-License-Identifier: MIT */
/* A client session of a thread that follows a file: made, ended, and what the log says in it. Of
 * ship.c and ship_session.c. */
#pragma once

#include "base/slice.h"
#include "client/follow/shipper.h"

/* Whether its lines have numbers; and what stands before each of them. */
bool ship_has_numbers(const struct shipper *shipper);
struct slice ship_tag(const struct shipper *shipper);

/* Opens a session for the open file under its present name, and puts the file behind what the log
 * has. Returns PART if that is done; ship_close() is due in any case. */
enum shipped ship_open(struct shipper *shipper);
void ship_close(struct shipper *shipper);

/* Sets the generation of the file to the last one that the log has, or 1. Returns PART, or why
 * that cannot be found. */
enum shipped ship_find_generation(struct shipper *shipper);

/* What follows from a function of the session that has returned false. */
enum shipped ship_failure(struct shipper *shipper);

/* Keeps the lines of the file to what the server takes. */
void ship_set_limit(struct shipper *shipper);

/* Tells the thread that looks on how far it is. */
void ship_tell(struct shipper *shipper);

/* What comes behind half a line that was sent: its line end, which is left out, or the first bytes
 * of a section. */
enum shipped ship_go_on_within(struct shipper *shipper);

/* Prints the error, unless it was printed last for the same host, and has the next host tried: at
 * once, or after all have failed behind a pause, which the end cuts short. */
void ship_pause(struct shipper *shipper);
