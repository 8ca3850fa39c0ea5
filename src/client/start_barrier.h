/* SPDX-License-Identifier: MIT */
/* A start barrier for threads in free order: only a limited number connects at a time, and all wait
 * until the last one has arrived. Any thread may call the functions, except init and destroy. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct start_barrier {
	pthread_mutex_t mutex;
	pthread_cond_t left;	/* a thread has left, or stopped */
	pthread_cond_t arrived; /* all have arrived, or stopped */
	/* under the mutex */
	size_t free;	/* how many more may enter */
	size_t missing; /* threads that have not arrived */
	bool stopped;
};

/* `limit`: max threads between enter and leave. */
void start_barrier_init(struct start_barrier *barrier, size_t threads, size_t limit);
void start_barrier_destroy(struct start_barrier *barrier);

/* Blocks until fewer than `limit` threads are inside. False: stopped, and it has not entered. */
bool start_barrier_enter(struct start_barrier *barrier);
void start_barrier_leave(struct start_barrier *barrier);

/* Blocks until all threads have arrived; the last one calls `begin` first. False: stopped. */
bool start_barrier_arrive(struct start_barrier *barrier, void (*begin)(void *context),
			  void *context);

/* Ends all waits, now and later. */
void start_barrier_stop(struct start_barrier *barrier);
