/* SPDX-License-Identifier: MIT */
/* A thread that follows one path: it sends one file after the other, as they were rotated, each
 * under a name of its own with the service once. shipper.c decides which file comes next, ship.c
 * sends one. No state is kept but what the log has. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "client/follow/lag.h"
#include "client/follow/siblings.h"
#include "client/follow/tail.h"
#include "client/follow/wake.h"
#include "client/options.h"
#include "client/progress_bar.h"
#include "client/served.h"

/* What all threads share. */
struct shipping {
	const struct client_options *options;
	const char *program;	/* for messages */
	int ending;		/* eventfd, readable once no more is to be read */
	int stop;		/* eventfd, readable once nothing is waited for any more */
	int over;		/* eventfd, readable when a thread has ended */
	atomic_bool is_ending;	/* as `ending` */
	atomic_bool is_stopped; /* as `stop` */
	pthread_mutex_t output; /* over stderr, where the progress line is, and over `served` */
	struct progress_bar progress;
	struct served served; /* by sessions that are closed */
};

/* What became of a file, or of a step of sending it. */
enum shipped {
	SHIPPED_PART,	 /* it goes on */
	SHIPPED_ALL,	 /* the file is finished */
	SHIPPED_CUT,	 /* it was emptied */
	SHIPPED_SECTION, /* half a line was sent, and its rest is another section */
	SHIPPED_OTHER,	 /* the log has another file under this name */
	SHIPPED_FAILED,	 /* it is to be tried again; the error is set */
	SHIPPED_NEVER,	 /* it is of no use to try again; the error is set */
	SHIPPED_ENDING,	 /* told to end */
};

struct shipper {
	struct shipping *shipping;
	char *path; /* owned */
	pthread_t thread;
	bool many;  /* one of many: little memory */
	bool fixed; /* the path was given, not found by a pattern: it is waited for */
	struct wake wake;
	struct tail tail; /* the file that is sent; its descriptor is -1 if there is none */
	struct buffer tag, line;
	struct error error;
	size_t limit;	     /* longest line that the server takes, as far as it said */
	uint64_t generation; /* of the file, see tail.h; 0: not known yet */
	bool stored;	     /* the log has that generation */
	bool emptied;	     /* the file was, and a new generation begins */
	uint64_t before;     /* lines that were acknowledged before this file */
	uint64_t unanswered; /* lines of sessions before that were sent and not acknowledged */
	char sender[TAIL_NAME_SIZE];
	struct counters counters;
	struct histogram *latency; /* owned */
	struct host_turn turn;	   /* which host the next session begins with */
	int64_t pause;		   /* ns, before it is tried again */
	uint64_t told[HOSTS_MAX];  /* hash of why, as it was printed last for each host */
	int64_t opened;		   /* ns, when the last session was; CLOCK_NEVER: it could not */
	bool half;		   /* half a line is to be sent */
	bool within;		   /* it was: the file goes on in its line */
	bool shortened;		   /* the server has said the limit just now */
	bool other;		   /* the log's last line is not in the file */
	bool from_end;		   /* what is there at first is not sent */
	enum shipped after;	   /* once the end of the file is sent */

	pthread_mutex_t mutex; /* over the pointer, against the functions of other threads */
	struct client_session *session;

	/* for the thread that looks on, see figures.h */
	struct lag lag;
	atomic_ullong sent;	    /* lines, each as often as it was sent */
	atomic_ullong acknowledged; /* lines */
	atomic_ullong open;	    /* lines that were sent and not acknowledged */
	atomic_bool has_failed;	    /* it cannot go on */
	atomic_bool has_ended;	    /* to be joined */
};

/* Returns NULL: out of memory, or no descriptor is left, and the error is set. Takes the path. */
struct shipper *shipper_make(struct shipping *shipping, char *path, struct error *error);
void shipper_free(struct shipper *shipper);

/* What the thread runs, with its struct shipper. Returns NULL. */
void *shipper_run(void *shipper);

/* Ends what it waits for, once shipping->stop is readable; from another thread. */
void shipper_stop(struct shipper *shipper);

/* Whether the server takes its lines, and whether there is a session; from another thread. */
bool shipper_is_connected(struct shipper *shipper, bool *has_session);

/* --- ship.c, ship_session.c --- */

/* Sends the open file from where the log has it, until it is finished. Returns ALL, ENDING or
 * NEVER. */
enum shipped ship_file(struct shipper *shipper);

/* What the log has of the open file. */
enum ship_known { KNOWN_NOT, KNOWN_PART, KNOWN_ALL, KNOWN_ENDING };
enum ship_known ship_ask(struct shipper *shipper);

/* Waits for a change, or for a time (ns). */
void ship_wait(struct shipper *shipper, int64_t time);

/* Prints a message, about the path; and one about no path. */
void ship_complain(const struct shipper *shipper, const char *message);
void shipping_complain(struct shipping *shipping, const char *message);

static inline bool ship_is_ending(const struct shipper *shipper)
{
	return atomic_load(&shipper->shipping->is_ending);
}
