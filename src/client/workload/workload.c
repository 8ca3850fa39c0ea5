/* SPDX-License-Identifier: MIT */
#include "client/workload/workload.h"

extern const struct workload workload_chars;
extern const struct workload workload_echo;
extern const struct workload workload_ok;
extern const struct workload workload_ping;
extern const struct workload workload_relay;

const struct workload *const workloads[] = {&workload_ok,    &workload_echo,  &workload_ping,
					    &workload_chars, &workload_relay, NULL};
const char *const workload_names[] = {"ok", "echo", "ping", "chars", "relay", NULL};
