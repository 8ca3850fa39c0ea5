/* SPDX-License-Identifier: MIT */
/* Plain TCP: the bytes as they are. */
#ifndef ACKLINE_NET_STREAM_TCP_H
#define ACKLINE_NET_STREAM_TCP_H

#include "net/stream.h"

extern const struct stream_type stream_tcp;

#endif
