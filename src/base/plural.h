/* SPDX-License-Identifier: MIT */
/* Counts in messages. */
#pragma once

/* The ending of a regular noun with that count: "" for one, else "s". */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/* The same of the verb behind it: "1 answer adds up", "2 answers add up". */
#define PLURAL_VERB(count) ((count) == 1 ? "s" : "")
