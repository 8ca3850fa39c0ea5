/* SPDX-License-Identifier: MIT */
/* Leader/followers at the receiving end (Schmidt, Stal, Rohnert, Buschmann: Pattern-Oriented
 * Software Architecture, volume 2, 2000): sessions form groups. The threads of a group's sessions
 * wait as followers, but for one, the leader, which waits for bytes of all of them, receives them,
 * gives their frames to the log and commits. So no thread is woken for a line.
 *
 * The leader never waits for one session: one that would have to wait for its peer, its service or
 * memory leaves the group, as does one that has ended, and its own thread goes on. When it is the
 * leader's own, a follower takes over. */
#pragma once

#include "session/intake.h"

struct receiver;

/* A number of groups, each with a copy of the busy-poll's time. NULL: the error is set. */
struct receiver *receiver_new(size_t groups, int64_t busy_poll, struct error *error);
/* No session may be in a group. Accepts NULL. */
void receiver_free(struct receiver *receiver);

/* How many groups there are by default: one for two CPUs. */
size_t receiver_group_count(void);

/* Receives for the session. In a group, until it has ended, or until its own thread has to go on:
 * NOT_ENDED. Without a receiver, or if the session is not calm, once. To be called by its own thread,
 * which blocks and may receive for other sessions meanwhile. */
enum ending receiver_serve(struct receiver *receiver, struct session *session);

/* As epoll_ctl(), which it points to. Only tests set it, before they start threads. */
extern int (*receiver_epoll_ctl)(int epoll, int operation, int descriptor,
				 struct epoll_event *event);
