/* SPDX-License-Identifier: MIT */
/* Receiving, by the pattern Leader/Followers (Schmidt, Stal, Rohnert, Buschmann: Pattern-Oriented
 * Software Architecture, volume 2, 2000): sessions form groups. The threads of a group's sessions
 * wait as followers, except one, the leader: it waits for bytes of all sessions, receives them,
 * submits their frames to the log and commits. So no thread is woken for a line.
 *
 * The leader never waits for one session: one that would have to wait for its peer, its service or
 * memory leaves the group, and so does one that has ended. Its own thread then continues with it.
 * If it is the leader's own session, a follower becomes leader. */
#pragma once

#include "session/intake.h"

struct receiver;

/* A number of groups, each with a copy of the busy-poll's time. NULL: the error is set. */
struct receiver *receiver_new(size_t groups, int64_t busy_poll, struct error *error);
/* No session may be in a group. Accepts NULL. */
void receiver_free(struct receiver *receiver);

/* How many groups there are by default: one for two CPUs. Each has a descriptor. */
size_t receiver_group_count(void);

/* Receives for the session; to be called by its own thread. In a group: blocks until the session
 * has ended or leaves the group (NOT_ENDED); as leader the thread receives for all sessions of the
 * group. Without a receiver, or if the session is not calm: receives once. */
enum ending receiver_serve(struct receiver *receiver, struct session *session);

/* As epoll_ctl(), which it points to. Only tests set it, before they start threads. */
extern int (*receiver_epoll_ctl)(int epoll, int operation, int descriptor,
				 struct epoll_event *event);
