/* SPDX-License-Identifier: MIT */
#include "client/workload/workload.h"

extern const struct role role_chars;
extern const struct role role_echo;
extern const struct role role_ok;
extern const struct role role_ping;
extern const struct role role_relay;

const struct role *const roles[] = {&role_ok,	 &role_echo,  &role_ping,
				    &role_chars, &role_relay, NULL};
const char *const role_names[] = {"ok", "echo", "ping", "chars", "relay", NULL};
