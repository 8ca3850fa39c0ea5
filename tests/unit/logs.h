/* SPDX-License-Identifier: MIT */
/* Pieces of text logs, as the tests of the proof put them together. */
#pragma once

#define LOG "v.log"
#define A "127.0.0.1:4000"
#define B "127.0.0.1:4001"
#define C "10.0.0.9:7"
#define RECORD "INFO\t| 2019-02-24 15:10:14 --"
#define GOT(peer, k, i) RECORD peer " received: Thread " #k ", iteration " #i "\n"
#define OK(peer) RECORD peer " sent: ok\n"
#define BOTH(peer, k, i) GOT(peer, k, i) OK(peer)
#define START RECORD "server listening on 127.0.0.1:2005, service ok, sync write\n"
#define TORN                                                                                       \
	"WARNING\t| 2019-02-24 15:10:15 --server the line before this one is torn: by a crash\n"
/* two threads, two iterations */
#define ALL(peer) BOTH(peer, 0, 1) BOTH(peer, 1, 1) BOTH(peer, 0, 2) BOTH(peer, 1, 2)
